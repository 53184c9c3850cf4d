import { expect, test } from 'vitest'
import type { Entry } from '../../../src/evidence/entry.ts'
import type { EntryQuery } from '../../../src/evidence/report/query.ts'
import { EntryPicker } from '../../../src/evidence/report/select.ts'
import { rowsOf, Timeline } from '../../../src/evidence/report/timeline.ts'
import { limits } from '../../../src/limits.ts'
import { inMemory, intent, recordCall } from '../support.ts'
import { recordRuns } from './support.ts'

const { entries } = await recordRuns()

const calls = (query: EntryQuery): readonly string[] =>
  [...rowsOf(entries, query)].map(({ what, resource }) => `${what} ${resource}`.trimEnd())

const answers = entries.filter(({ kind }) => kind === 'ask').map(({ seq }) => `answer to ${seq}`)

test.each<[EntryQuery, readonly string[]]>([
  [{ effect: 'forbid' }, ['fs.read /mem/vault/key']],
  [{ rule: 'no-vault' }, ['fs.read /mem/vault/key']],
  [{ rule: 'test:quiet' }, ['fs.write /mem/quiet']],
  [{ rule: 'other:quiet' }, []],
  [{ syscall: 'fs.write' }, ['fs.write /mem/page', 'fs.write /mem/quiet']],
  [{ syscall: 'fs.l*' }, ['fs.list /mem']],
  [{ agent: 'helper', syscall: 'fs.*' }, ['fs.list /mem']],
  [{ kinds: ['ask'] }, ['tool.call send_email', 'tool.call send_email']],
  [{ kinds: ['answer'] }, answers],
  [{ kinds: ['turn'], pid: 2 }, ['turn 2']],
  [{ pid: 3, kinds: ['exit'] }, ['exit']],
])('%j picks %j', (query, wanted) => {
  expect(calls(query)).toEqual(wanted)
})

test('a call is labelled by what its process carried, or by what its result brought', () => {
  const labelled = [...rowsOf(entries, { label: 'untrusted', kinds: ['intent'] })]
  expect(labelled.map(({ what }) => what)).toContain('tool.call')
  expect(calls({ label: 'untrusted', syscall: 'fs.*' })).toEqual(['fs.read /mem/page', 'fs.list /mem'])
  expect(calls({ label: 'secret' })).toEqual([])
})

test('a span of time holds its beginning and not its end', () => {
  const [first, second] = entries
  const span = { after: first?.time ?? 0, before: second?.time ?? 0 }
  expect([...rowsOf(entries, span)].map(({ seq }) => seq)).toEqual(
    entries.filter(({ time }) => time === first?.time).map(({ seq }) => seq),
  )
})

test('who approved stands in the row of the request, and turns in none unless asked for', () => {
  const rows = [...rowsOf(entries)]
  expect(rows.filter(({ kind }) => kind === 'ask').map(({ outcome }) => outcome)).toEqual([
    'approved by alice: she asked for it',
    'denied by alice: she asked for it',
  ])
  expect(rows.some(({ kind }) => kind === 'turn')).toBe(false)
  expect([...rowsOf(entries, { turns: true })].some(({ kind }) => kind === 'turn')).toBe(true)
})

test('rows come in the order in which they began, each when its end is known', () => {
  const timeline = new Timeline({})
  const log = inMemory()
  const { seq } = log.append(intent(log.payload('{}'), 1))
  recordCall(log, 2)
  log.append({ kind: 'outcome', run: 'r1', pid: 7, intent: seq, status: 'committed' })
  const seen = [...log.entries()].map((entry) => timeline.add(entry).map((row) => row.seq))
  expect(seen).toEqual([[], [], [], [0, 1]])
  expect(timeline.end()).toEqual([])
})

test('memory is bounded: a call that takes too long is shown without its end, which is a row of its own', () => {
  const timeline = new Timeline({})
  const line = (seq: number, fields: object): Entry =>
    ({ v: 1, seq, prev: '', time: seq, run: 'r', pid: 1, ...fields }) as Entry
  expect(timeline.add(line(0, { kind: 'intent', syscall: 'slow' }))).toEqual([])
  const rows = Array.from({ length: limits.reportRowsHeld }, (_, index) =>
    timeline.add(line(index + 1, { kind: 'signal', signal: 'SIGSTOP' })),
  ).flat()
  expect(rows).toHaveLength(limits.reportRowsHeld + 1)
  expect(rows[0]).toMatchObject({ what: 'slow', outcome: 'ends later' })
  expect(timeline.add(line(5_000, { kind: 'outcome', intent: 0, status: 'committed' }))).toMatchObject([
    { what: 'end of 0', outcome: 'committed' },
  ])
})

test('a call without an end is unsettled when the record is over', () => {
  const log = inMemory()
  log.append(intent(log.payload('{}')))
  expect([...rowsOf(log.entries())]).toMatchObject([{ outcome: 'unsettled' }])
})

test('entries are picked with the entries that end them', () => {
  const picker = new EntryPicker({ rule: 'mail' })
  const picked = entries.filter((entry) => picker.picks(entry))
  expect(picked.map(({ kind }) => kind)).toEqual([
    ...['ask', 'answer', 'intent', 'outcome'],
    ...['ask', 'answer', 'refusal'],
  ])
})

test('what a hostile record holds in place of fields is no reason to fail', () => {
  const odd = { v: 1, seq: 0, prev: '', time: Number.MAX_VALUE, decision: [], labels: 7, rules: {} }
  const kinds = ['intent', 'outcome', 'ask', 'answer', 'refusal', 'exit', 'declassify', 'nonsense']
  const rows = [...rowsOf(kinds.map((kind) => ({ ...odd, kind }) as unknown as Entry))]
  expect(rows.map(({ time }) => time)).toContain(String(Number.MAX_VALUE))
})
