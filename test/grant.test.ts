/** No driver acts without a live grant for exactly this call, and only the gate can make one. */
import { describe, expect, test } from 'vitest'
import { makeChance, systemClock } from '../src/clock.ts'
import { ClockDriver } from '../src/drivers/clock.ts'
import { IpcDriver } from '../src/drivers/ipc.ts'
import { LlmDriver } from '../src/drivers/llm/driver.ts'
import { openModels } from '../src/drivers/llm/open.ts'
import { NetDriver } from '../src/drivers/net/driver.ts'
import { Egress } from '../src/drivers/net/egress.ts'
import { Secrets } from '../src/drivers/net/secrets/secrets.ts'
import { PipeDriver } from '../src/drivers/pipes.ts'
import { ProcDriver } from '../src/drivers/proc.ts'
import { StreamDriver } from '../src/drivers/streams/driver.ts'
import { ToolDriver } from '../src/drivers/tool.ts'
import { VfsDriver } from '../src/drivers/vfs/driver.ts'
import { EvidenceLog } from '../src/evidence/log.ts'
import { MemoryStore } from '../src/evidence/memory-store.ts'
import { Runs } from '../src/gate/runs.ts'
import { Gate } from '../src/gate.ts'
import { Grant } from '../src/grant.ts'
import { Observers } from '../src/observers.ts'
import { ProcessTable } from '../src/proc/table.ts'
import { clockCalls } from '../src/syscalls/clock.ts'
import type { Drivers } from '../src/syscalls/row.ts'

const broken = /kernel invariant broken/
const table = new ProcessTable()
const never = (): never => expect.fail('a driver acted')
const drivers: Drivers = {
  vfs: new VfsDriver(),
  net: new NetDriver({ clock: systemClock }),
  tool: new ToolDriver(never),
  llm: new LlmDriver({
    opened: openModels({ models: { 'a/b': () => never() } }, new Egress({ secrets: new Secrets([]) })),
    ...{ retries: 0, timeouts: { wholeMs: 1, firstMs: 1, idleMs: 1 }, clock: systemClock },
    ...{ withoutSecrets: async (value) => value, onFailure: never, redactor: () => undefined },
  }),
  ipc: new IpcDriver(() => true),
  proc: new ProcDriver({ table, spawnChild: never, signal: never, output: never }),
  clock: new ClockDriver(systemClock),
  streams: new StreamDriver(),
  pipes: new PipeDriver(() => true),
  chance: makeChance(1),
  table,
  treeOf: never,
}
const log = EvidenceLog.open({ store: new MemoryStore(), clock: systemClock, durability: 'process' })
const gate = new Gate({
  ...{ drivers, log, observers: new Observers(), clock: systemClock, runs: new Runs(systemClock, log) },
})

/** Lets the gate make a grant, as for an act of the application, and hands it to `act` while it lives. */
const withGrant = <T>(syscall: string, resource: string, act: (grant: Grant) => T | Promise<T>): Promise<T> =>
  gate.host({ agent: 'tester', syscall, resources: [resource], args: {}, external: false }, act)

/** Every method of every driver that acts, with a grant of our choice. */
const anything = undefined as never
const acts: Readonly<Record<string, (grant: Grant) => unknown>> = {
  'fs.read': (grant) => drivers.vfs.read(grant, anything, '/a'),
  'fs.write': (grant) => drivers.vfs.write(grant, anything, '/a', { text: '' }),
  'fs.append': (grant) => drivers.vfs.append(grant, anything, '/a', { text: '' }),
  'fs.list': (grant) => drivers.vfs.list(grant, anything, '/a'),
  'fs.stat': (grant) => drivers.vfs.stat(grant, anything, '/a'),
  'fs.mkdir': (grant) => drivers.vfs.mkdir(grant, anything, '/a'),
  'fs.remove': (grant) => drivers.vfs.remove(grant, anything, '/a'),
  'fs.move': (grant) => drivers.vfs.move(grant, anything, '/a', '/b'),
  'net.fetch': (grant) => drivers.net.fetch(grant, { url: 'http://127.0.0.1:1/' }),
  'net.fetch (stream)': (grant) => drivers.net.open(grant, { url: 'http://127.0.0.1:1/' }),
  'ipc.pipe': (grant) => drivers.pipes.open(grant, 'a', undefined, []),
  'ipc.pipe (take)': (grant) => drivers.pipes.take(grant, undefined, 1),
  'stream.open': (grant) => drivers.streams.openBody(grant, anything),
  'stream.read': (grant) => drivers.streams.read(grant, anything, 1, 1, () => {}),
  'stream.write': (grant) => drivers.streams.write(grant, anything, 1, anything, () => {}),
  'stream.close': (grant) => drivers.streams.close(grant, anything, 1),
  'call.cancel': (grant) => drivers.proc.cancel(grant, anything, 1),
  'tool.call': (grant) => drivers.tool.call(grant, { name: 't' }, {}, anything, 1),
  'ipc.send': (grant) => drivers.ipc.send(grant, 'a', 'message'),
  'ipc.receive': (grant) => drivers.ipc.receive(grant, undefined, 1),
  'proc.self': (grant) => drivers.proc.self(grant, anything),
  'proc.spawn': (grant) => drivers.proc.spawn(grant, anything, { name: 'a' } as never),
  'llm.generate': (grant) => drivers.llm.generate('llm.generate', grant, 'a/b', anything, anything),
  'llm.stream': (grant) => drivers.llm.open(grant, 'a/b', anything, anything, never),
  'llm.embed': (grant) => drivers.llm.embed(grant, 'a/b', ['text'], anything),
  'proc.wait': (grant) => drivers.proc.wait(grant, anything, 1),
  'proc.signal': (grant) => drivers.proc.signal(grant, anything, { name: 'a' } as never, 'SIGTERM'),
  'proc.sigaction': (grant) => drivers.proc.action(grant, anything, 'SIGTERM', 'ignore'),
  'proc.sigmask': (grant) => drivers.proc.mask(grant, anything, []),
  'proc.sigreturn': (grant) => drivers.proc.handled(grant, anything, 15),
  'proc.output': (grant) => drivers.proc.output(grant, anything, 'stdout', 'text'),
  'proc.exit': (grant) => drivers.proc.exit(grant, anything, 1, undefined),
  'clock.time': (grant) => drivers.clock.time(grant, anything),
  'clock.sleep': (grant) => drivers.clock.sleep(grant, anything, 1, 1),
  'clock.cancel': (grant) => drivers.clock.cancel(grant, anything, 1),
  'clock.random': (grant) =>
    clockCalls['clock.random'].invoke(
      { bytes: 1 } as never,
      {
        ...{ grant, process: anything, number: 1, given: [], carries: () => {}, releases: () => {} },
        ...{ terms: anything, isLookedThrough: false, meter: undefined, costs: never, charges: never },
      },
      drivers,
    ),
}

const refusalOf = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  return 'it acted'
}

describe.each(Object.entries(acts))('%s', (syscall, act) => {
  test('acts on no grant at all, and on nothing that merely looks like one, with a broken invariant', async () => {
    const forged = Object.create(Grant.prototype) as Grant
    for (const grant of [undefined, null, {}, forged]) {
      const error = await refusalOf(() => act(grant as never))
      expect(String(error)).toMatch(broken)
    }
  })

  test('acts on no grant that has ended', async () => {
    const ended = await withGrant(syscall, '', (grant) => grant)
    expect(String(await refusalOf(() => act(ended)))).toMatch(broken)
  })

  test('acts on no grant for another call, nor for another resource', async () => {
    const other = await withGrant('fs.other', '/a', (grant) => refusalOf(() => act(grant)))
    expect(String(other)).toMatch(broken)
    const elsewhere = await withGrant(syscall, '/elsewhere', (grant) => refusalOf(() => act(grant)))
    expect(String(elsewhere)).toMatch(broken)
  })
})

test('the power to make grants is handed out once, and the gate has it', () => {
  expect(() => Grant.claimMint()).toThrow('the mint of grants is claimed already')
})

test('a grant cannot be changed, and shows its scope to nobody but the driver that demands it', async () => {
  await withGrant('fs.read', '/a', (grant) => {
    expect(Object.isFrozen(grant)).toBe(true)
    expect(Reflect.ownKeys(grant)).toEqual([])
    expect(Grant.demand(grant, 'fs.read', '/a')).toMatchObject({ agent: 'tester', resources: ['/a'] })
    expect(Object.isFrozen(Grant.demand(grant, 'fs.read', '/a'))).toBe(true)
  })
})

test('what holds a grant is known when it compiles, too', async () => {
  // @ts-expect-error the constructor is private
  const forged = new Grant({ pid: 1, agent: 'a', syscall: 'fs.read', resources: ['/a'], addresses: [] }, {})
  expect(() => Grant.demand(forged, 'fs.read', '/a')).toThrow(broken)
  // @ts-expect-error a driver takes a grant first
  expect(String(await refusalOf(() => drivers.vfs.read('/a', anything, '/a')))).toMatch(broken)
  // @ts-expect-error an object of the same shape is no grant
  const looksLikeOne: Grant = { signal: new AbortController().signal }
  expect(() => Grant.demand(looksLikeOne, 'fs.read', '/a')).toThrow(broken)
})
