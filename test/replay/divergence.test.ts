/** Records that do not fit: each difference is found, shown with both sides and the guest's line, and touches nothing. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Entry } from '../../src/evidence/entry.ts'
import type { Payload } from '../../src/evidence/verify.ts'
import { InlineSpace } from '../../src/isolate/inline.ts'
import { readRun } from '../../src/replay/recorded-run.ts'
import { replayRun } from '../../src/replay/replay.ts'
import type { RunSource } from '../../src/replay/source.ts'
import { boot, main, tempFolder } from '../support/kernel.ts'
import { evidenceIn, runsIn } from './support.ts'

const agent = `export default async () => {
  const before = await fs.read('/tmp/none').catch((error) => error.code)
  await fs.write('/tmp/a', 'one')
  const text = await fs.read('/tmp/a')
  if (text !== 'one') await fs.write('/host/a', 'reached')
  return [before, text]
}`

interface Change {
  /** @returns the entry as somebody changed it; undefined where it is gone */
  readonly entry?: (entry: Entry) => object | undefined
  readonly text?: (text: string) => string | undefined
}

/** Runs the agent with a host folder in reach, and replays a record of it that somebody changed. */
async function replayChanged(
  { entry: changeEntry, text: changeText }: Change,
  source: string | { readonly file: string } = agent,
) {
  const dir = tempFolder()
  const host = tempFolder()
  const kernel = boot({ evidence: { dir }, mounts: { '/host': { host, mode: 'rw' } } })
  await kernel.spawn(typeof source === 'string' ? { source } : source).exit
  await kernel.shutdown()
  const evidence = evidenceIn(dir)
  const [id = ''] = runsIn(evidence)
  const changed: RunSource = {
    *run(run) {
      for (const entry of evidence.run(run)) {
        const now = changeEntry === undefined ? entry : changeEntry(entry)
        if (now !== undefined) yield now as Entry
      }
    },
    payloads(hashes) {
      const payloads = new Map<string, Payload>()
      for (const [hash, payload] of evidence.payloads(hashes)) {
        const text = payload.text === undefined ? undefined : (changeText ?? same)(payload.text)
        if (text !== undefined) payloads.set(hash, { ...payload, text })
      }
      return payloads
    },
  }
  const space = new InlineSpace()
  const run = await replayRun(readRun(changed, id), { source: changed, space })
  await space.close()
  expect(existsSync(join(host, 'a')), 'the host folder was touched').toBe(false)
  const [process] = run.processes
  if (process === undefined) throw new Error('nothing was replayed')
  expect(run.verdict).toBe(process.verdict)
  return process
}

const same = (text: string): string => text
const swap = (one: string, other: string) => (text: string) => text.replace(one, other)
const ofCall = (call: number) => (entry: Entry) => (entry.call === call ? undefined : entry)

test('what was not changed is equal', async () => {
  expect(await replayChanged({})).toMatchObject({ verdict: 'equal', calls: 4, turns: 4 })
})

describe('diverged', () => {
  test('another program: at the first call that is another, with the line', async () => {
    const replayed = await replayChanged({ text: swap("write('/tmp/a', 'one')", "write('/tmp/a', 'two')") })
    expect(replayed).toMatchObject({ verdict: 'diverged', calls: 1 })
    expect(replayed.divergence).toMatchObject({
      ...{ kind: 'call', turn: 2, call: 2 },
      recorded: { what: 'call 2: fs.write', args: '{"path":"/tmp/a","text":"one"}' },
      replayed: { what: 'call 2: fs.write', args: '{"path":"/tmp/a","text":"two"}' },
      place: { at: 'here', line: 3, text: "await fs.write('/tmp/a', 'two')" },
    })
  })

  test('a program of several files: with the author’s file and line', async () => {
    const folder = tempFolder()
    const file = join(folder, 'agent.ts')
    writeFileSync(file, "import { keep } from './keep.ts'\nexport default () => keep('/tmp/a')\n")
    const keep =
      "type Path = string\n\nexport async function keep(path: Path): Promise<void> {\n  await fs.write(path, 'one')\n}\n"
    writeFileSync(join(folder, 'keep.ts'), keep)
    const text = swap('write(path, "one")', 'write(path, "two")')
    const { divergence } = await replayChanged({ text }, { file })
    expect(divergence?.place).toEqual({
      ...{ at: 'here', file: 'keep.ts', line: 4, text: 'await fs.write(path, "two");' },
      stack: [expect.stringMatching(/^keep \(keep\.ts:4:\d+\)$/), expect.stringMatching(/agent\.ts:2:\d+/)],
    })
    const withoutMap = (each: string): string => (each.startsWith('{"version":3') ? 'no map' : text(each))
    const unmapped = await replayChanged({ text: withoutMap }, { file })
    expect(unmapped.divergence?.place?.stack[0]).toMatch(/^keep \(agent\.js:\d+:\d+\)$/)
  })

  test('another reply: what the agent does with it is seen, and not done', async () => {
    const { divergence } = await replayChanged({
      text: (text) => (text === '"one"' ? '"x"' : text.replace('{"text":"one"}', '{"text":"x"}')),
    })
    expect(divergence).toMatchObject({
      ...{ kind: 'call', turn: 4, call: 4 },
      recorded: { what: 'call 4: proc.exit' },
      replayed: { what: 'call 4: fs.write', args: '{"path":"/host/a","text":"reached"}' },
      place: { at: 'here', line: 5 },
    })
  })

  test('another reply of a failure', async () => {
    const entry = (entry: Entry) => (entry.code === 'ENOENT' ? { ...entry, code: 'EPERM' } : entry)
    expect(await replayChanged({ entry })).toMatchObject({
      verdict: 'diverged',
      divergence: { kind: 'call', call: 4 },
    })
  })

  test('another time, which a call tells', async () => {
    const source = main(
      `await fs.write('/tmp/a', String(Date.now())); await fs.write('/tmp/b', String(Date.now()))`,
    )
    const entry = (entry: Entry) => (entry.turn === 2 ? { ...entry, at: 5 } : entry)
    expect((await replayChanged({ entry }, source)).divergence).toMatchObject({
      ...{ kind: 'call', turn: 2, call: 2 },
      replayed: { args: '{"path":"/tmp/b","text":"5"}' },
    })
  })

  test('a call that is left out of the record', async () => {
    const source = main(`await Promise.all(['a', 'b', 'c'].map((name) => fs.write('/tmp/' + name, name)))`)
    const intents = new Set<number>()
    const entry = (entry: Entry) => {
      if (entry.kind === 'intent' && entry.call === 2) intents.add(entry.seq)
      if (entry.kind === 'turn')
        return { ...entry, replies: (entry.replies as number[]).filter((seq) => !intents.has(seq - 1)) }
      return intents.has(Number(entry.intent)) ? undefined : ofCall(2)(entry)
    }
    expect((await replayChanged({ entry }, source)).divergence).toMatchObject({
      ...{ kind: 'extra', entry: null, call: 2 },
      recorded: { what: 'no call 2 is on record' },
      replayed: { what: 'call 2: fs.write', args: '{"path":"/tmp/b","text":"b"}' },
    })
  })

  test('a call that is added to the record', async () => {
    const { divergence } = await replayChanged({ text: swap("await fs.write('/tmp/a', 'one')", '') })
    expect(divergence).toMatchObject({ kind: 'call', call: 2, replayed: { what: 'call 2: fs.read' } })
    const missing = await replayChanged({
      text: swap("await fs.write('/tmp/a', 'one')", 'await new Promise(() => {})'),
    })
    expect(missing.divergence).toMatchObject({
      ...{ kind: 'missing', turn: 2, call: 2 },
      recorded: { what: 'call 2: fs.write' },
      replayed: { what: 'the turn ended without it' },
      place: { at: 'last', line: 2 },
    })
  })

  test('a program that fails where it went on, and one that goes on where it failed', async () => {
    const failing = await replayChanged({ text: swap("await fs.write('/tmp/a', 'one')", "setTimeout('x')") })
    expect(failing.divergence).toMatchObject({ kind: 'call', replayed: { what: 'call 2: proc.exit' } })
    const source = `await fs.stat('/tmp'); throw new Error('lost')`
    const other = await replayChanged({ text: swap("'lost'", "'found'") }, source)
    expect(other.divergence).toMatchObject({
      ...{
        kind: 'fault',
        recorded: { what: 'uncaught Error: lost' },
        replayed: { what: 'uncaught Error: found' },
      },
      place: { at: 'here', line: 1 },
    })
    const none = await replayChanged({ text: swap("throw new Error('lost')", '') }, source)
    expect(none.divergence).toMatchObject({ kind: 'extra', replayed: { what: 'call 2: proc.exit' } })
  })

  test('a value of its end that is another than it gave', async () => {
    const entry = (entry: Entry) => {
      if (entry.kind !== 'exit') return entry
      const { value: _, ...rest } = entry
      return rest
    }
    expect((await replayChanged({ entry })).divergence).toMatchObject({
      ...{ kind: 'end', recorded: { what: 'it exited with no value' } },
      replayed: { what: 'it exited with a value', args: '["ENOENT","one"]' },
    })
  })

  test.each(['1}],[3,{"ok":1', '{"ok":', '', 'null', '[[['])('a reply that is no JSON: %s', async (reply) => {
    const replayed = await replayChanged({
      text: (text) => (text.includes('"text":"one"') && !text.includes('path') ? reply : text),
    })
    expect(replayed.verdict).toBe('diverged')
  })
})

describe('incomplete, with the entry and the reason', () => {
  test('a result that was deleted', async () => {
    const text = (text: string) => (text === '{"text":"one"}' ? undefined : text)
    expect(await replayChanged({ text })).toMatchObject({
      verdict: 'incomplete',
      calls: 3,
      gap: { why: 'its result was deleted' },
    })
  })

  test('a program that was deleted', async () => {
    const text = (text: string) => (text.includes('export default') ? undefined : text)
    expect(await replayChanged({ text })).toMatchObject({
      verdict: 'incomplete',
      calls: 0,
      gap: { why: expect.stringContaining('program') },
    })
  })

  test('arguments that were deleted: name and length are compared', async () => {
    const text = (text: string) => (text.includes('"text":"one"') && text.includes('path') ? undefined : text)
    expect(await replayChanged({ text })).toMatchObject({ verdict: 'incomplete', calls: 4, unproven: 1 })
  })

  test.each([
    [
      'a turn that is gone',
      (entry: Entry) => (entry.turn === 3 ? undefined : entry),
      'it is turn 4, and turn 3 is not on record',
    ],
    [
      'a beginning that is gone',
      (entry: Entry) => (entry.kind === 'spawn' ? undefined : entry),
      'the beginning of its process is not on record',
    ],
    [
      'an intent that is gone',
      (entry: Entry) => (entry.kind === 'intent' && entry.call === 3 ? undefined : entry),
      /its intent \d+ is not on record before it/,
    ],
    [
      'a turn that is none',
      (entry: Entry) => (entry.turn === 3 ? { ...entry, at: 'now' } : entry),
      'it is no sound `turn` entry: see `at`',
    ],
    [
      'a reply from elsewhere',
      (entry: Entry) => (entry.turn === 3 ? { ...entry, replies: [9999] } : entry),
      'it brings the reply of entry 9999, which is not on record before it',
    ],
  ])('%s', async (_name, entry, why) => {
    const replayed = await replayChanged({ entry })
    expect(replayed.verdict).toBe('incomplete')
    expect(replayed.gap?.why).toMatch(why)
    expect(replayed.gap?.seq).toBeGreaterThan(0)
  })
})
