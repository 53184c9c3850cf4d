/** Which calls a person has approved, read from a record: each approval holds for one call of one process, once. */
import type { Entry } from './entry.ts'

/** An approval that a call used, by what is on record of their texts. */
export interface ApprovedCall {
  /** Hashes of the payloads: the arguments as they were asked about, and as they were used. */
  readonly asked: unknown
  readonly used: unknown
  /** Hash of the payload of what the approval holds for, and the digest of that text. */
  readonly binding: unknown
  readonly digest: unknown
}

/** A request that may still be used: by whose call, and whether it was approved. */
interface Open {
  readonly texts: Omit<ApprovedCall, 'used'>
  readonly whose: string
  /** Until when it can be approved, ms since 1970. */
  readonly expires: number
  answered: boolean
  approved: boolean
}

/** An answer is on record a moment after it was taken. */
const writtenWithinMs = 1_000

export class Approved {
  /** By the `seq` of the entry that asked. */
  readonly #open = new Map<number, Open>()

  /**
   * Takes note of what is asked and answered.
   * @returns false for an answer to what was not asked, or was answered already
   */
  read(entry: Entry): boolean {
    if (entry.kind === 'ask') {
      const expires = typeof entry.expires === 'number' ? entry.expires : Number.NEGATIVE_INFINITY
      const { args, binding, digest } = entry
      const texts = { asked: partsOf(args).hash, binding: partsOf(binding).hash, digest }
      this.#open.set(entry.seq, {
        ...{ whose: whoseOf(entry), texts, expires, answered: false, approved: false },
      })
    }
    if (entry.kind !== 'answer') return true
    const open = this.#open.get(Number(entry.ask))
    if (open === undefined || open.answered) return false
    open.answered = true
    const inTime = entry.time <= open.expires + writtenWithinMs
    // With other arguments in place of the agent's it is a request of its own, which follows.
    if (entry.answer === 'approved' && entry.args === undefined && inTime) open.approved = true
    else this.#open.delete(Number(entry.ask))
    return true
  }

  /** @returns the approval of an admitted call, where it was approved before and is not used yet; it is used by this */
  use(intent: Entry): ApprovedCall | undefined {
    const open = this.#open.get(Number(intent.ask))
    if (open?.approved !== true || open.whose !== whoseOf(intent)) return undefined
    this.#open.delete(Number(intent.ask))
    return { ...open.texts, used: partsOf(intent.args).hash }
  }
}

/** What is the same in the entry that asks and in that of the call: who does what, carrying what, and which rules ask. */
function whoseOf({ run, pid, call, syscall, resource, labels = [], args, decision }: Entry): string {
  const { bytes } = partsOf(args)
  const { policy, rules } = partsOf(decision)
  return JSON.stringify([run, pid, call, syscall, resource, labels, bytes, policy, rules])
}

const partsOf = (value: Entry[string]): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}
