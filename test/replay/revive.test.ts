/** A guest brought back to where its record ends, from the log of a kernel that lives, and going on from there. */
import { afterEach, expect, test } from 'vitest'
import { makeAgent } from '../../src/agents.ts'
import type { GuestEvents } from '../../src/isolate/guest.ts'
import { InlineSpace } from '../../src/isolate/inline.ts'
import { before, type RecordedProcess } from '../../src/replay/recorded-process.ts'
import { readRun } from '../../src/replay/recorded-run.ts'
import { revive } from '../../src/replay/repetition.ts'
import { runsOf } from '../../src/replay/source.ts'
import { System } from '../../src/system.ts'

const systems = new Set<System>()
const space = new InlineSpace()
afterEach(async () => {
  for (const system of systems) await system.shutdown()
})

const source = `export default async () => {
  await fs.write('/tmp/a', 'one')
  const both = [fs.read('/tmp/a'), fs.stat('/tmp/a')]
  const text = await both[0]
  await fs.write('/tmp/b', text + Math.floor(Math.random() * 1e9))
  return Date.now()
}`

/** @returns a process as it is in the log of its kernel, and that log */
async function recorded(
  text = source,
): Promise<{ process: RecordedProcess; from: ReturnType<typeof runsOf> }> {
  const system = new System({ policy: 'permissive', isolation: 'inline', evidence: 'memory' }, () => false)
  systems.add(system)
  const process = system.spawner.spawn(makeAgent({ source: text }, {}, 'inline'), [])
  await process.exit
  const from = runsOf(system.log)
  const [found] = readRun(from, process.identity.run).processes
  if (found === undefined) throw new Error('nothing is on record')
  return { process: found, from }
}

/** What a guest asks for until its turn ends. */
function listening() {
  const calls: string[] = []
  const { promise, resolve } = Promise.withResolvers<readonly string[]>()
  const events: GuestEvents = {
    call: (number, name, args) => calls.push(`${number} ${name} ${args}`),
    turn: () => resolve(calls),
    fault: ({ reason }) => resolve([reason]),
  }
  return { events, calls: promise }
}

test('before a delivery: it stands there, and what it is given now decides what it asks for', async () => {
  const { process, from } = await recorded()
  const seq = process.turns[1]?.seq ?? 0
  const revived = await revive({ source: from, process: before(process, seq), space })
  if (revived.how !== 'alive') throw new Error(revived.how)
  expect(revived).toMatchObject({ turns: 2, calls: 3, beyond: [] })
  const { events, calls } = listening()
  revived.hand(events)
  revived.guest.deliver(5, '[[2,{"ok":{"text":"other"}}]]', { wallMs: 5_000 })
  expect(await calls).toEqual([
    expect.stringMatching(/^4 fs\.write \{"path":"\/tmp\/b","text":"other\d+"\}$/),
  ])
  await revived.guest.end()
})

test('before a call: what it asks for past that is kept, to be taken anew', async () => {
  const { process, from } = await recorded()
  const call = process.calls.find(({ number }) => number === 3)
  const revived = await revive({ source: from, process: before(process, call?.seq ?? 0), space })
  expect(revived).toMatchObject({ how: 'alive', turns: 2, calls: 2 })
  expect(revived).toMatchObject({ beyond: [{ number: 3, name: 'fs.stat', text: '{"path":"/tmp/a"}' }] })
  if (revived.how === 'alive') await revived.guest.end()
})

test('before its first entry there is nothing to bring back', async () => {
  const { process, from } = await recorded()
  const revived = await revive({ source: from, process: before(process, process.spawn?.seq ?? 0), space })
  expect(revived).toMatchObject({ how: 'gap', gap: { why: 'it has not begun there' } })
})

test('one that fails in its last turn comes back as failed', async () => {
  const { process, from } = await recorded(`await fs.stat('/tmp'); throw new Error('lost')`)
  const revived = await revive({ source: from, process, space })
  expect(revived).toMatchObject({ how: 'alive', fault: { reason: 'uncaught Error: lost' } })
})

test('another program than the recorded one diverges, and nothing of it lives on', async () => {
  const { process, from } = await recorded()
  const other: typeof from = {
    run: from.run,
    payloads: (hashes) =>
      new Map(
        [...from.payloads(hashes)].map(([hash, { text = '', ...rest }]) => [
          hash,
          { ...rest, text: text.replace("'one')", "'two')") },
        ]),
      ),
  }
  expect(await revive({ source: other, process, space })).toMatchObject({
    how: 'diverged',
    divergence: { call: 1 },
  })
})
