/** What an auditor finds in a record whose chain is right: policies that were not in force, replies that are nobody's, other arguments than were approved. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { canonicalText } from '../../src/evidence/canonical.ts'
import type { EntryBody } from '../../src/evidence/entry.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { MemoryStore } from '../../src/evidence/memory-store.ts'
import { verifyEntries } from '../../src/evidence/verify.ts'
import { ask, boot, entriesOf, main, policyOf, until } from '../support/kernel.ts'
import { inMemory, intent, tickingClock } from './support.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const whose = { run: 'r1', pid: 7 }
const policy = 'a'.repeat(64)
const spawn: EntryBody = { kind: 'spawn', ...whose, policy }
const call = (number = 1, more: object = {}): EntryBody => ({
  ...intent({ hash: 'b'.repeat(64), bytes: 2 }, number),
  ...more,
})
const outcome = (seq: number, more: object = {}): EntryBody => ({
  ...{ kind: 'outcome', ...whose, intent: seq, status: 'committed', ...more },
})
const turn = (...replies: readonly (number | string)[]): EntryBody => ({
  kind: 'turn',
  ...whose,
  turn: 2,
  replies,
})

function problems(...bodies: readonly EntryBody[]): readonly string[] {
  const log = inMemory()
  for (const body of bodies) log.append(body)
  return log.verify().problems.map(({ entry, kind }) => `${entry} ${kind}`)
}

test('a call is judged under the policy that was in force for its process', () => {
  const other = 'c'.repeat(64)
  const reload = (more: object = {}): EntryBody => ({ kind: 'reload', policy: other, ...more })
  const judgedBy = (hash: string, more: object = {}) =>
    call(1, { decision: { effect: 'permit', policy: hash, rules: [] }, ...more })
  expect(problems(spawn, judgedBy(policy))).toEqual([])
  expect(problems(spawn, judgedBy(other))).toEqual(['1 policy'])
  expect(problems(spawn, reload(), judgedBy(other))).toEqual([])
  expect(problems(spawn, reload(), judgedBy(policy))).toEqual(['2 policy'])
  expect(problems(spawn, reload(), reload({ ...whose, policy }), judgedBy(policy))).toEqual([])
  expect(problems(spawn, reload({ run: 'r1', pid: 8 }), judgedBy(other))).toEqual(['2 policy'])
  expect(problems(spawn, { ...judgedBy(other), kind: 'refusal' })).toEqual(['1 policy'])
  expect(problems(spawn, { ...judgedBy(other), kind: 'ask' })).toEqual(['1 policy'])
  expect(problems(spawn, call(1, { syscall: 'clock.sleep', decision: { effect: 'unjudged' } }))).toEqual([])
})

test('a turn brings ends of calls of its own process, each once', () => {
  const begun = [spawn, call(), outcome(1)]
  expect(problems(...begun, turn(2))).toEqual([])
  expect(problems(...begun, turn('SIGUSR1', 2))).toEqual([])
  expect(problems(...begun, turn(2, 2))).toEqual(['3 turn'])
  expect(problems(...begun, turn(2), turn(2))).toEqual(['4 turn'])
  expect(problems(...begun, turn(1))).toEqual(['3 turn'])
  expect(problems(...begun, turn(9))).toEqual(['3 turn'])
  expect(problems(...begun, { ...turn(), replies: 'none' })).toEqual(['3 turn'])
  expect(problems(spawn, { ...call(), kind: 'refusal' }, turn(1))).toEqual([])
  const neighbour: EntryBody = { kind: 'spawn', run: 'r1', pid: 8, policy }
  expect(problems(neighbour, ...begun.slice(0, 1), call(), outcome(2), { ...turn(3), pid: 8 })).toEqual([
    '4 turn',
  ])
})

test('a turn of a run that goes on from another one brings what that had not been given, each once', () => {
  const fork = (seq: number): EntryBody => ({ ...spawn, run: 'r2', fork: { run: 'r1', seq } })
  const next = (...replies: readonly number[]): EntryBody => ({ ...turn(...replies), run: 'r2' })
  const begun = [spawn, call(), outcome(1)]
  expect(problems(...begun, fork(2), next(2))).toEqual([])
  expect(problems(...begun, fork(2), next(2, 2))).toEqual(['4 turn'])
  expect(problems(...begun, fork(2), next(1))).toEqual(['4 turn'])
  expect(problems(...begun, fork(1), next(2))).toEqual(['4 turn'])
  expect(problems(...begun, fork(9), call(2), outcome(4), next(5))).toEqual(['6 turn'])
  expect(problems(...begun, fork(2), turn(2), turn(2))).toEqual(['5 turn'])
})

test('the end of a call is that of the process that made it', () => {
  expect(problems(spawn, call(), outcome(1, { pid: 8 }))).toEqual(['2 outcome-without-intent'])
  expect(problems(spawn, call(), outcome(1, { run: 'r2' }))).toEqual(['2 outcome-without-intent'])
})

test.each(['open', 'spawn', 'reload'] as const)(
  'the text of a policy that an entry of kind %s names has its hash',
  (kind) => {
    const log = inMemory()
    const documents = log.payload('[{"name":"one"}]')
    log.append({ kind, ...whose, policy: sha256('[{"name":"one"}]'), documents })
    log.append({ kind: 'host' })
    log.append({
      kind,
      ...whose,
      policy: sha256('[{"name":"two"}]'),
      documents: log.payload('[{"name":"one"}]'),
    })
    log.append({ kind, ...whose, policy: sha256('[{"name":"three"}]'), documents })
    expect(log.verify().problems.map(({ entry, kind: found }) => `${entry} ${found}`)).toEqual([
      '3 policy',
      '2 policy',
    ])
  },
)

/** A call that was approved, whose texts are as they are given. */
function approved(
  asked: string,
  used: string,
  bound: string,
  kept: readonly string[] = ['asked', 'used', 'bound'],
) {
  const store = new MemoryStore()
  const log = EvidenceLog.open({ store, clock: tickingClock(), durability: 'process' })
  const put = (name: string, text: string) => (kept.includes(name) ? log.payload(text) : log.digest(text))
  const binding = canonicalText({ v: 1, args: sha256(bound) })
  const decision = { effect: 'ask', policy, rules: [] }
  const request = { ...call(1, { decision }), kind: 'ask', id: 'x', labels: [], expires: 1e15 } as EntryBody
  log.append({
    ...request,
    args: put('asked', asked),
    binding: put('bound', binding),
    digest: sha256(binding),
  })
  log.append({ ...{ kind: 'answer', ...whose, ask: 0, id: 'x', answer: 'approved', by: 'Anna' } })
  log.append(call(1, { decision, ask: 0, args: put('used', used) }))
  log.commit()
  return verifyEntries(store.lines('log'), store.lines('pack')).problems.map(
    ({ entry, kind }) => `${entry} ${kind}`,
  )
}

test('a call has the arguments that a person approved, as far as their texts are kept', () => {
  const [one, two] = ['{"to":"a"}', '{"to":"b"}']
  expect(approved(one, one, one)).toEqual([])
  expect(approved(one, two, one)).toEqual(['2 approved-text'])
  expect(approved(two, one, one)).toEqual(['2 approved-text'])
  expect(approved(one, one, two)).toEqual(['2 approved-text'])
  expect(approved(one, two, one, ['used', 'bound'])).toEqual(['2 approved-text'])
  expect(approved(one, two, one, ['asked', 'used'])).toEqual(['2 approved-text'])
  expect(approved(one, two, one, ['used'])).toEqual([])
})

test('what an approval holds for is what its digest says', () => {
  const store = new MemoryStore()
  const log = EvidenceLog.open({ store, clock: tickingClock(), durability: 'process' })
  const decision = { effect: 'ask', policy, rules: [] }
  const request = { ...call(1, { decision }), kind: 'ask', id: 'x', labels: [], expires: 1e15 } as EntryBody
  log.append({ ...request, binding: log.payload('not even JSON'), digest: sha256('something else') })
  log.append({ ...{ kind: 'answer', ...whose, ask: 0, id: 'x', answer: 'approved', by: 'Anna' } })
  log.append(call(1, { decision, ask: 0 }))
  expect(log.verify().problems).toMatchObject([{ entry: 2, kind: 'approved-text' }])
})

test('what a kernel records of reloads, approvals and processes of all kinds is in order', async () => {
  const rules = policyOf([
    { id: 'mem', effect: 'permit', action: ['fs.read', 'fs.write', 'proc.spawn'] },
    { id: 'ask', effect: 'ask', action: ['tool.call'], resource: '*' },
  ])
  const own = policyOf([{ id: 'own', effect: 'permit', action: ['fs.read', 'fs.write', 'proc.spawn'] }], {
    name: 'own',
  })
  const kernel = boot({
    policy: rules,
    tools: { mail: { description: 'mails', parameters: { type: 'object' }, execute: () => 'sent' } },
    approvals: { ask: async () => 'approve' as const },
  })
  expect(await ask(kernel, `return await tools.mail({ to: 'a' })`)).toBe('sent')
  const source = main(`await sys('clock.sleep', { ms: 100 }); await fs.write('/mem/a', 'a')
    return (await proc.wait((await proc.spawn("export default async () => fs.read('/mem/a')")).pid)).value`)
  const both = [{}, { policy: own }].map((more) => kernel.spawn({ source }, more))
  await until(() => both.every(({ state }) => state === 'waiting'), 'they sleep')
  await kernel.reload({ ...rules, name: 'after' })
  for (const { exit } of both) expect(await exit).toMatchObject({ status: 'exited' })
  expect(entriesOf(kernel, 'reload').map(({ pid }) => pid)).toEqual([undefined, both[1]?.pid])
  expect(kernel.evidence.verify()).toMatchObject({ ok: true, problems: [], unsettled: 0 })
})
