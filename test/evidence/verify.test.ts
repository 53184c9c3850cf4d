import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalText } from '../../src/evidence/canonical.ts'
import type { EntryBody } from '../../src/evidence/entry.ts'
import { leafHash, noEntry, verifyEntries } from '../../src/evidence/verify.ts'
import { inFolder, intent, linesOf, recordCall, tempDir } from './support.ts'

/** A log whose chain is right, whatever its entries say: what someone who may write anything would write. */
function chained(bodies: readonly EntryBody[]): string[] {
  const lines: string[] = []
  let prev = noEntry
  for (const [seq, body] of bodies.entries()) {
    const line = canonicalText({ ...body, v: 1, seq, prev, time: seq })
    prev = leafHash(line)
    lines.push(line)
  }
  return lines
}

async function record(): Promise<{ lines: string[]; packs: string[] }> {
  const dir = tempDir()
  const log = inFolder(dir)
  log.append({ kind: 'open', name: 'test' })
  for (let call = 0; call < 5; call += 1) recordCall(log, call)
  log.append({ kind: 'close' })
  await log.close()
  return { lines: linesOf(dir), packs: linesOf(dir, 'pack-000001.jsonl') }
}

const kinds = (lines: Iterable<string>, packs?: Iterable<string>): string[] =>
  verifyEntries(lines, packs).problems.map(({ entry, kind }) => `${entry} ${kind}`)

const ref = { bytes: 1, hash: 'b'.repeat(64) }
const outcome = (seq: number): EntryBody => ({
  kind: 'outcome',
  run: 'r1',
  pid: 7,
  intent: seq,
  status: 'committed',
})

test('an edit is found at the entry after it', async () => {
  const { lines } = await record()
  const edited = lines.map((line) => line.replace('"call":1,', '"call":9,'))
  expect(kinds(edited)).toEqual(['4 chain'])
})

test('a deleted entry is found where it is missing', async () => {
  const { lines } = await record()
  expect(kinds(lines.toSpliced(6, 1))).toEqual(['6 chain', '6 sequence'])
})

test('a deleted beginning is found', async () => {
  const { lines } = await record()
  expect(kinds(lines.slice(1))).toEqual(['0 chain', '0 sequence'])
})

test('an inserted entry is found, and so is one that was written twice', async () => {
  const { lines } = await record()
  const forged = canonicalText({ kind: 'host', v: 1, seq: 6, prev: leafHash(lines[5] ?? ''), time: 1 })
  expect(kinds(lines.toSpliced(6, 0, forged))).toEqual(['7 chain', '7 sequence'])
  expect(kinds(lines.toSpliced(6, 0, lines[5] ?? ''))).toEqual(
    ['6 chain', '6 sequence', '7 chain', '7 sequence'].slice(0, 2),
  )
})

test('entries that changed places are found', async () => {
  const { lines } = await record()
  const moved = lines.with(4, lines[5] ?? '').with(5, lines[4] ?? '')
  expect(kinds(moved)).toContain('4 sequence')
  expect(kinds(moved)).toContain('4 chain')
})

test('a line cut in its middle is found', async () => {
  const { lines } = await record()
  expect(kinds(lines.with(4, lines[4]?.slice(0, 80) ?? ''))).toEqual(['4 unparsable', '5 chain'])
})

test('an entry written in another form is found, though it says the same', async () => {
  const { lines } = await record()
  expect(kinds(lines.with(5, ` ${lines[5]}`))).toEqual(['5 not-canonical', '6 chain'])
  expect(kinds(lines.with(5, lines[5]?.replace('{', '{"a":1,') ?? ''))).not.toEqual([])
})

test('any one character changed in any entry but the last is found', async () => {
  const { lines } = await record()
  const place = fc
    .nat(lines.length - 2)
    .chain((line) => fc.tuple(fc.constant(line), fc.nat((lines[line]?.length ?? 1) - 1)))
  fc.assert(
    fc.property(place, fc.string({ unit: 'grapheme', maxLength: 2 }), ([index, at], text) => {
      const line = lines[index] ?? ''
      const changed = line.slice(0, at) + text + line.slice(at + 1)
      fc.pre(changed !== line)
      expect(verifyEntries(lines.with(index, changed)).ok).toBe(false)
    }),
    { numRuns: 500 },
  )
})

test('a payload that is not what was hashed is found, and the entry that refers to it is named', async () => {
  const { lines, packs } = await record()
  const edited = packs.map((line) => line.replace('{\\"call\\":2}', '{\\"call\\":3}'))
  expect(kinds(lines, edited)).toEqual(['5 payload'])
})

test('payloads whose texts changed places are found', async () => {
  const { lines, packs } = await record()
  const [one, two] = [packs[0] ?? '', packs[2] ?? ''].map((line) => JSON.parse(line))
  const swapped = packs
    .with(0, JSON.stringify({ ...one, text: two.text }))
    .with(2, JSON.stringify({ ...two, text: one.text }))
  expect(kinds(lines, swapped)).toEqual(['1 payload', '3 payload'])
})

test('a line of a pack that is no payload is found', async () => {
  const { lines, packs } = await record()
  expect(kinds(lines, packs.with(1, '{"hash":'))).toEqual(['null payload'])
})

test('a payload that was deleted is no problem', async () => {
  const { lines, packs } = await record()
  expect(verifyEntries(lines, packs.slice(3)).ok).toBe(true)
})

test('an outcome without an intent before it is found', () => {
  expect(kinds(chained([{ kind: 'open' }, outcome(0)]))).toEqual(['1 outcome-without-intent'])
  expect(kinds(chained([outcome(1), intent(ref)]))).toEqual(['0 outcome-without-intent'])
  expect(kinds(chained([{ kind: 'outcome', intent: 'x' }]))).toEqual(['0 outcome-without-intent'])
})

test('a second outcome of one call is found', () => {
  expect(kinds(chained([intent(ref), outcome(0), outcome(0)]))).toEqual(['2 duplicate-outcome'])
})

test.each([
  ['a forbidding decision', { effect: 'forbid', policy: 'p', rules: [] }],
  ['a decision that waits for a person', { effect: 'ask', policy: 'p', rules: [] }],
  ['no decision', undefined],
  ['a decision that is not one', 'permit'],
  ['no judgement, on an action that policies judge', { effect: 'unjudged' }],
])('an admitted call with %s is found', (_, decision) => {
  expect(kinds(chained([{ ...intent(ref), decision }]))).toEqual(['0 effect-without-permit'])
})

test.each(['clock.sleep', 'proc.self', 'output.write'])('%s needs no judgement', (syscall) => {
  expect(kinds(chained([{ ...intent(ref), syscall, decision: { effect: 'unjudged' } }]))).toEqual([])
})

test('calls that a killed kernel left open are counted, and are no problem', () => {
  const lines = chained([intent(ref), intent(ref, 2), outcome(1), { kind: 'open' }])
  expect(verifyEntries(lines)).toMatchObject({ ok: true, unsettled: 1 })
})

test('a number far ahead is a problem, and takes no memory', () => {
  const line = canonicalText({ ...intent(ref), v: 1, seq: Number.MAX_SAFE_INTEGER, prev: noEntry, time: 0 })
  expect(kinds([line])).toEqual(['0 sequence'])
})

test('a list of problems is bounded, and the rest is counted', () => {
  const { problems, more, ok } = verifyEntries(Array.from({ length: 250 }, () => 'x'))
  expect({ listed: problems.length, more, ok }).toEqual({ listed: 100, more: 150, ok: false })
})

test('an empty log is whole', () => {
  expect(verifyEntries([])).toEqual({
    ok: true,
    entries: 0,
    head: noEntry,
    closed: false,
    unsettled: 0,
    keys: [],
    checkpoints: 0,
    covered: 0,
    uncovered: 0,
    problems: [],
    more: 0,
  })
})

test('a log streams: no more than one line is asked for at a time', () => {
  let inHand = 0
  function* lines(): Generator<string> {
    let prev = noEntry
    for (let seq = 0; seq < 20_000; seq += 1) {
      const line = canonicalText({ kind: 'host', v: 1, seq, prev, time: seq })
      prev = leafHash(line)
      inHand += 1
      expect(inHand).toBe(1)
      yield line
      inHand -= 1
    }
  }
  expect(verifyEntries(lines())).toMatchObject({ ok: true, entries: 20_000 })
})
