/** The calls of a record in their order: each is decided again, compared, and counted as what it would have been. */
import type { Entry } from '../evidence/entry.ts'
import { deedsOf } from '../gate/past.ts'
import { sentOf } from '../gate/seen.ts'
import type { Json, JsonObject } from '../json.ts'
import { type Labels, noLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { labelsGiven } from '../policy/obligations.ts'
import { untrustedLabel } from '../policy/origin.ts'
import type { PolicySet, RuleRef } from '../policy/types.ts'
import { isLimit } from '../proc/tallies.ts'
import type { Syscall } from '../syscalls/row.ts'
import { syscalls } from '../syscalls.ts'
import { labelsOf, type RecordedCall, readJson } from './call.ts'
import { isExternal } from './choice.ts'
import type { TextOf } from './collect.ts'
import type { Doubt, Doubts } from './doubts.ts'
import type { Change, Flow, Step } from './flow.ts'
import { interestOf } from './interest.ts'
import { Judge, type Verdict } from './judge.ts'
import type { Past } from './past.ts'
import { labelsAbout, labelsGivenBy, type Policies } from './policies.ts'
import type { Rebuilt } from './rebuilt.ts'
import type { Tally } from './result.ts'

export interface CallsParts {
  readonly doubts: Doubts
  readonly policies: Policies
  readonly past: Past
  readonly flow: Flow
  readonly tally: Tally
  readonly tools: ReadonlyMap<string, JsonObject>
}

/** A call that is read, with its arguments where they were wanted and are there. */
export interface Read {
  readonly call: RecordedCall
  readonly text: string | undefined
  /** Whether the result tells of its run. */
  readonly isTold: boolean
}

/** What would be said to it now; where there is a doubt, not for sure. */
interface Decided {
  readonly verdict: Verdict | undefined
  readonly doubt: Doubt | undefined
}

export class Calls {
  readonly #parts: CallsParts
  readonly #judge: Judge
  /** Admitted calls under way whose end matters, by the `seq` of their intent. */
  readonly #steps = new Map<number, Step>()
  /** Calls that wait for a person and have no other entry yet. */
  readonly #waiting = new Map<string, Decided & { readonly read: Read }>()

  constructor(parts: CallsParts) {
    this.#parts = parts
    this.#judge = new Judge(parts.past, parts.doubts, parts.tools)
  }

  /** @param process whose call it is; undefined where its beginning is not on record */
  take(process: Rebuilt | undefined, read: Read): void {
    const { call, isTold } = read
    if (this.#waiting.size > 0) this.#waiting.delete(waitingKey(call))
    if (call.syscall === 'ipc.pipe') this.#parts.flow.piped()
    if (call.kind !== 'ask') process?.charge(call.kind === 'intent' ? costOf(call.syscall) : 1)
    if (call.before === undefined) {
      if (call.kind === 'refusal' && isTold) this.#parts.tally.notJudged += 1
      if (call.kind === 'intent' && process !== undefined) this.#unjudged(process, read)
      return
    }
    const decided = this.#decide(process, read)
    if (call.kind === 'ask') {
      this.#waiting.set(waitingKey(call), { ...decided, read })
      return
    }
    if (isTold) this.#compare(call, decided)
    if (process !== undefined) this.#admit(process, read, decided)
  }

  /** An admitted call has ended. */
  outcome(entry: Entry, textOf: TextOf): void {
    const { past, flow } = this.#parts
    const step = this.#steps.get(Number(entry.intent))
    if (step === undefined) return
    this.#steps.delete(Number(entry.intent))
    const { process, syscall } = step
    const isEcho = isEchoing(syscall)
    const carried = isEcho ? process.carried : noLabels
    const isCommitted = entry.status === 'committed'
    const labels = flow.ended(step, labelsOf(entry), isCommitted)
    if (!isCommitted || process.set === undefined) return
    const released = Array.isArray(entry.released) ? (entry.released as Labels) : noLabels
    if (flow.carried(process, noLabels).maybe.includes(untrustedLabel)) past.unsure(process)
    const all = [...labels, ...released, ...carried]
    if (!all.includes(untrustedLabel) && (isEcho || !isExternal(syscall))) return
    const result = readJson(textOf(entry.result))
    if (result === undefined) past.unsure(process)
    else past.runs.received(process, result, all)
  }

  /** A process has ended, and with it what it waited for. */
  over(process: Rebuilt): void {
    const { run, pid } = process.identity
    for (const [key, waiting] of this.#waiting)
      if (waiting.read.call.run === run && waiting.read.call.pid === pid) this.#unanswered(key)
    for (const [seq, step] of this.#steps) if (step.process === process) this.#steps.delete(seq)
  }

  /** A kernel has ended, or the record has. */
  end(): void {
    for (const key of this.#waiting.keys()) this.#unanswered(key)
    this.#steps.clear()
  }

  #unanswered(key: string): void {
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (waiting?.read.isTold === true) this.#compare(waiting.read.call, waiting)
  }

  #decide(process: Rebuilt | undefined, { call, text }: Read): Decided {
    const { doubts, flow } = this.#parts
    if (process === undefined) return { verdict: undefined, doubt: 'process' }
    if (process.set === undefined) return { verdict: undefined, doubt: 'policy' }
    const carried = flow.carried(process, call.labels)
    doubts.clear()
    process.labels = carried.sure
    const verdict = this.#judge.judge(process, call, text)
    if (verdict !== undefined && carried.maybe.length > 0 && interestOf(process.set).readsLabels)
      this.#tryLabels(process, { call, text, carried, verdict })
    return { verdict, doubt: doubts.found ?? (verdict === undefined ? 'record' : undefined) }
  }

  /** Whether it is all the same which of the labels that it may carry it does. */
  #tryLabels(
    process: Rebuilt,
    {
      call,
      text,
      carried,
      verdict,
    }: { call: RecordedCall; text: string | undefined; carried: Change; verdict: Verdict },
  ): void {
    if (carried.maybe.length > limits.backtestLabelsMax) return this.#parts.doubts.add('labels')
    for (const more of someOf(carried.maybe)) {
      process.labels = [...carried.sure, ...more].sort()
      const other = this.#judge.judge(process, call, text)
      if (other?.answer === verdict.answer && areSame(other.rules, verdict.rules)) continue
      return this.#parts.doubts.add('labels')
    }
    process.labels = carried.sure
  }

  #compare(call: RecordedCall, { verdict, doubt }: Decided): void {
    const { tally } = this.#parts
    const { before } = call
    if (before === undefined) return
    if (doubt !== undefined || verdict === undefined) return tally.undecidable(call, doubt ?? 'record')
    if (verdict.answer === before.answer && areNamed(verdict.rules, before.rules)) tally.same(call)
    else tally.differs(call, before.answer, verdict)
  }

  /** What is let through counts for what comes after; where that cannot be told, as it was then. */
  #admit(process: Rebuilt, { call, text }: Read, { verdict, doubt }: Decided): void {
    const isIntent = call.kind === 'intent'
    const answer = verdict?.answer
    const passes = doubt !== undefined ? isIntent : answer === 'permit' || (answer === 'ask' && isIntent)
    const { set } = process
    if (set === undefined) return
    if (passes) {
      const judged = doubt === undefined ? (verdict?.judged ?? []) : deedsOf(asEntry(call))
      const counted = (verdict?.obligations ?? []).filter(isLimit)
      const { past } = this.#parts
      const { runs } = past
      if (counted.length > 0 && process.identity.sealed !== true) {
        const { tallies, now } = runs.talliesOf(process)
        tallies.count(counted, now)
      }
      if (past.notes) runs.admitted(process, judged, this.#sent(process, call.syscall, verdict?.args, text))
    }
    if (isIntent) this.#follow(call, process, passes, { verdict, doubt }, set)
  }

  /** What is not judged may still send something, or bring labels. */
  #unjudged(process: Rebuilt, { call, text }: Read): void {
    if (process.set !== undefined && this.#parts.past.notes)
      this.#parts.past.runs.admitted(process, [], this.#sent(process, call.syscall, undefined, text))
    const { syscall, resource = '', seq } = call
    const step = { process, syscall, resource, given: noLabels, givenBefore: noLabels, maybeGiven: noLabels }
    if (this.#parts.flow.matters(step)) this.#steps.set(seq, step)
  }

  #follow(
    { seq, syscall, resource = '', before }: RecordedCall,
    process: Rebuilt,
    passes: boolean,
    { verdict, doubt }: Decided,
    set: PolicySet,
  ): void {
    const { flow, past } = this.#parts
    // What would not have been done brings what it brought: whatever comes after is as it was.
    const given = passes && doubt === undefined ? labelsGiven(verdict?.obligations ?? []) : noLabels
    const givenBefore = passes ? this.#givenBefore(process, syscall, before) : noLabels
    const maybeGiven = doubt === undefined ? noLabels : labelsAbout(set.policies, syscall)
    const step: Step = { process, syscall, resource, given, givenBefore, maybeGiven }
    if (past.notes && syscall.startsWith('fs.') && !isInside(resource)) past.unsure(process)
    if (flow.matters(step) || set.needs.origins) this.#steps.set(seq, step)
  }

  #givenBefore(process: Rebuilt, syscall: string, before: RecordedCall['before']): Labels | undefined {
    const policies = this.#parts.policies.before(process.own)
    if (policies === undefined || before === undefined) return undefined
    const given = labelsGivenBy(policies, before.rules)
    // Rules that permit beside one that asks have their say, and are not on record.
    return before.answer === 'ask' ? [...given, ...labelsAbout(policies, syscall)] : given
  }

  /** @returns what leaves the kernel with a call, as the gate says it; anything where it is not at hand */
  #sent(
    process: Rebuilt,
    syscall: string,
    args: Json | undefined,
    text: string | undefined,
  ): Json | undefined {
    if (!isExternal(syscall)) return undefined
    const known = args ?? readJson(text)
    if (isObject(known) && 'bodyStream' in known) this.#parts.past.missed(process)
    if (known !== undefined) return sentOf(known, true)
    this.#parts.past.missed(process)
    return null
  }
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const waitingKey = ({ run, pid, number }: RecordedCall): string => `${run} ${pid} ${number}`

/** Whether what comes back is made of what was sent, and nobody's word. */
const isEchoing = (name: string): boolean => {
  const row: Syscall | undefined = Object.hasOwn(syscalls, name)
    ? syscalls[name as keyof typeof syscalls]
    : undefined
  return row?.echoes ?? false
}

const costOf = (syscall: string): number =>
  Object.hasOwn(syscalls, syscall) ? syscalls[syscall as keyof typeof syscalls].cost : 1

/** As much of it as says what was done. */
const asEntry = ({ kind, agent, syscall, resource, time }: RecordedCall) =>
  ({ kind, agent, syscall, resource, time, decision: { policy: '' } }) as unknown as Entry

/** Folders that no mount of the host can be. */
const isInside = (path: string): boolean => /^\/(tmp|mem|state|proc|policy|audit|tools|ipc)(\/|$)/.test(path)

/** @returns every choice of some of them, at least one */
const someOf = (labels: Labels): readonly Labels[] =>
  Array.from({ length: 2 ** labels.length - 1 }, (_, index) =>
    labels.filter((_label, at) => ((index + 1) >> at) % 2 === 1),
  )

const areSame = (some: readonly RuleRef[], others: readonly RuleRef[]): boolean =>
  some.length === others.length &&
  some.every(({ id, policy }, at) => others[at]?.id === id && others[at]?.policy === policy)

/** By their ids: what a policy is called, and where a rule stands in it, may have changed. */
function areNamed(some: readonly RuleRef[], others: readonly (readonly [string, string])[]): boolean {
  if (some.length !== others.length) return false
  if (some.every(({ id }, at) => others[at]?.[1] === id)) return true
  const ids = others.map(([, id]) => id).sort()
  return some
    .map(({ id }) => id)
    .sort()
    .every((id, at) => ids[at] === id)
}
