/** What waits in mailboxes is bounded in all, counted exactly, and given back as it was. */

import { describe, expect, test } from 'vitest'
import { makeChance, systemClock } from '../../src/clock.ts'
import { IpcDriver } from '../../src/drivers/ipc.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { MemoryStore } from '../../src/evidence/memory-store.ts'
import { Runs } from '../../src/gate/runs.ts'
import type { HostAct } from '../../src/gate.ts'
import { Gate } from '../../src/gate.ts'
import type { Json } from '../../src/json.ts'
import { limits } from '../../src/limits.ts'
import { Observers } from '../../src/observers.ts'
import type { Drivers } from '../../src/syscalls/row.ts'

const log = EvidenceLog.open({ store: new MemoryStore(), clock: systemClock, durability: 'process' })
const gate = new Gate({
  drivers: { chance: makeChance(1) } as Drivers,
  ...{ log, observers: new Observers(), clock: systemClock, runs: new Runs(systemClock, log) },
})

const act = (agent: string, syscall: string, resource: string): HostAct => ({
  ...{ agent, syscall, resources: [resource], args: {}, external: false },
})
const send = (ipc: IpcDriver, to: string, message: Json): Promise<unknown> =>
  gate.host(act('sender', 'ipc.send', to), (grant) => ipc.send(grant, to, message))
const receive = async (ipc: IpcDriver, agent: string): Promise<Json> =>
  (await gate.host(act(agent, 'ipc.receive', '*'), (grant) => ipc.receive(grant, undefined, 1))).message

/** Its JSON text and what a message counts besides are one MiB together. */
const size = 1024 * 1024
const message = 'x'.repeat(size - limits.messageOverhead - 2)
const perMailbox = limits.mailboxBytesMax / size
const inAll = limits.mailboxesBytesMax / size

describe('refused', () => {
  test('one mailbox takes its bytes and not one more, and again as many when they are received', async () => {
    const ipc = new IpcDriver(() => true)
    for (let round = 0; round < 2; round += 1) {
      for (let n = 0; n < perMailbox; n += 1) await send(ipc, 'a', message)
      await expect(send(ipc, 'a', 0)).rejects.toMatchObject({
        code: 'EAGAIN',
        message: expect.stringContaining(`would pass ${limits.mailboxBytesMax} characters; send it again`),
      })
      await send(ipc, 'b', 0)
      for (let n = 0; n < perMailbox; n += 1) expect(await receive(ipc, 'a')).toBe(message)
      expect(await receive(ipc, 'b')).toBe(0)
    }
  })

  test('all mailboxes together take theirs, and what one agent receives another can be sent', async () => {
    const ipc = new IpcDriver(() => true)
    for (let n = 0; n < inAll; n += 1) await send(ipc, `agent ${n % 8}`, message)
    await expect(send(ipc, 'last', 0)).rejects.toMatchObject({
      code: 'EAGAIN',
      message: expect.stringContaining('for all agents'),
    })
    expect(await receive(ipc, 'agent 3')).toBe(message)
    await send(ipc, 'last', message)
    await expect(send(ipc, 'last', 0)).rejects.toMatchObject({ code: 'EAGAIN' })
  })
})

test('what a receiver waits for takes no room', async () => {
  const ipc = new IpcDriver(() => true)
  for (let n = 0; n < inAll; n += 1) await send(ipc, `agent ${n % 8}`, message)
  const received = gate.host(act('waits', 'ipc.receive', '*'), (grant) =>
    ipc.receive(grant, undefined, undefined),
  )
  await send(ipc, 'waits', { a: [1, null] })
  expect(await received).toEqual({ from: 'sender', pid: 0, message: { a: [1, null] }, labels: [] })
})
