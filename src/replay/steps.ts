/** A recorded process turn by turn, with the texts that each turn needs, read a window at a time. */
import type { Payload } from '../evidence/verify.ts'
import { limits } from '../limits.ts'
import type { Gap, RecordedCall, RecordedProcess, RecordedReply, RecordedTurn } from './recorded-process.ts'
import type { RunSource } from './source.ts'

/** One turn: what was delivered, and the calls that agent code made until it had run to its end. */
export interface Step {
  /** From 1: the start. */
  readonly turn: number
  /** Undefined for the start. */
  readonly delivery: RecordedTurn | undefined
  readonly calls: readonly RecordedCall[]
  /** Whether the record ends with it: it may have been cut off anywhere. */
  readonly isLast: boolean
}

/** What a step needs, as text; or the entry for which it cannot be had. */
export interface StepTexts {
  readonly step: Step
  /** A JSON array of [number, reply], as it was delivered; empty for the start. */
  readonly batch: string | Gap
  /** Arguments of its calls by hash, as far as they, or what they were hashed with, are kept. */
  readonly args: ReadonlyMap<string, Payload>
}

/** @returns every turn of the process, the first one being its start */
export function stepsOf({ calls, turns }: RecordedProcess): readonly Step[] {
  let next = 0
  const until = (number: number): readonly RecordedCall[] => {
    const from = next
    while (next < calls.length && (calls[next]?.number ?? 0) <= number) next += 1
    return calls.slice(from, next)
  }
  return [undefined, ...turns].map((delivery, index) => {
    const following = turns[index]
    return {
      ...{ turn: index + 1, delivery, isLast: following === undefined },
      calls: until(following?.after ?? Number.POSITIVE_INFINITY),
    }
  })
}

/** @returns the steps with their texts; not more than a window of them is held at once @throws EvidenceError */
export function* readSteps(source: RunSource, steps: readonly Step[]): Generator<StepTexts, void, undefined> {
  for (let from = 0; from < steps.length; ) {
    const window = windowOf(steps, from)
    from += window.length
    const texts = source.payloads(new Set(window.flatMap((step) => refsOf(step).map(({ hash }) => hash))))
    for (const step of window)
      yield { step, batch: batchOf(step.delivery?.replies ?? [], texts), args: texts }
  }
}

function windowOf(steps: readonly Step[], from: number): readonly Step[] {
  let bytes = 0
  let to = from
  while (to < steps.length) {
    bytes += refsOf(steps[to] as Step).reduce((sum, ref) => sum + ref.bytes, 0)
    if (to > from && bytes > limits.replayWindowBytes) break
    to += 1
  }
  return steps.slice(from, to)
}

const refsOf = ({ delivery, calls }: Step) => [
  ...calls.map(({ args }) => args),
  ...(delivery?.replies ?? []).flatMap((reply) => (reply.kind === 'result' ? [reply.result] : [])),
]

function batchOf(replies: readonly RecordedReply[], texts: ReadonlyMap<string, Payload>): string | Gap {
  const messages: string[] = []
  for (const reply of replies) {
    const text = replyText(reply, texts)
    if (typeof text !== 'string') return text
    messages.push(`[${reply.number},${text}]`)
  }
  return `[${messages.join(',')}]`
}

/** @returns a reply as the guest got it; where that is not on record, why */
export function replyText(reply: RecordedReply, texts: ReadonlyMap<string, Payload>): string | Gap {
  if (reply.kind === 'text') return reply.text
  if (reply.kind === 'lost') return { seq: reply.seq, why: reply.why }
  const kept = texts.get(reply.result.hash)
  if (kept?.text !== undefined) return `{"ok":${kept.text}}`
  const why = kept === undefined ? 'its result was deleted' : 'a rule keeps only a digest of its result'
  return { seq: reply.seq, why }
}
