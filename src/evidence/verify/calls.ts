/** Whether calls are in order: every end has its beginning, every effect its permit, every reply its call. */
import { Approved, type ApprovedCall } from '../approved.ts'
import type { Entry, EntryBody } from '../entry.ts'
import { isObject } from './line.ts'
import type { Find } from './problems.ts'

/** A process as far as it is on record. */
interface Life {
  /** Hash of the policies in force for it. */
  policy: unknown
  /** The `seq` of entries that ended a call of it, until they are given to it. */
  readonly ended: Set<number>
  /** Where it goes on from another run's process: the last entry of that one that it can have been given. */
  readonly from: number
  /** What of that one it was given. */
  readonly given: Set<number>
}

export class Calls {
  readonly #find: Find
  /** Is told which call used which approval. */
  readonly #wasApproved: (call: ApprovedCall, position: number) => void
  readonly #approved = new Approved()
  /** Intents without an outcome, and whose they are. */
  readonly #open = new Map<number, string>()
  readonly #settled = new Bits()
  /** Entries that ended a call. */
  readonly #ends = new Bits()
  /** Intents whose outcome released a value, until the entry about that. */
  readonly #releasing = new Set<number>()
  /** Processes that have begun and not ended. */
  readonly #lives = new Map<string, Life>()
  #position = 0

  constructor(find: Find, wasApproved: (call: ApprovedCall, position: number) => void) {
    this.#find = find
    this.#wasApproved = wasApproved
  }

  /** Calls whose end is not on record. */
  get unsettled(): number {
    return this.#open.size
  }

  /** @param isCounted whether the entry's number can be believed */
  read(entry: Entry, position: number, isCounted: boolean): void {
    this.#position = position
    if (!this.#approved.read(entry))
      this.#find(position, 'answer-without-ask', `no open request is on record for it before`)
    const life = this.#lives.get(whoseOf(entry))
    switch (entry.kind) {
      case 'spawn':
        this.#lives.set(whoseOf(entry), lifeOf(entry))
        break
      case 'exit':
        this.#lives.delete(whoseOf(entry))
        break
      case 'reload':
        this.#reload(entry, life)
        break
      case 'declassify':
        this.#declassified(entry)
        break
      case 'intent':
        this.#judged(entry, life)
        this.#intent(entry, isCounted)
        break
      case 'ask':
        this.#judged(entry, life)
        break
      case 'refusal':
        this.#judged(entry, life)
        this.#end(entry, life)
        break
      case 'outcome':
        this.#outcome(entry)
        this.#end(entry, life)
        break
      case 'turn':
        this.#turn(entry, life)
        break
      default:
    }
  }

  /** Of the kernel it is in force for all; of one process, for that one, which has policies of its own. */
  #reload(entry: Entry, life: Life | undefined): void {
    if (entry.pid === undefined) for (const each of this.#lives.values()) each.policy = entry.policy
    else if (life !== undefined) life.policy = entry.policy
  }

  #judged({ decision }: Entry, life: Life | undefined): void {
    if (life === undefined || !isObject(decision) || decision.policy === undefined) return
    if (decision.policy === life.policy) return
    this.#find(
      this.#position,
      'policy',
      `it was judged under ${short(decision.policy)}, and ${short(life.policy)} was in force for its process`,
    )
  }

  #intent(entry: Entry, isCounted: boolean): void {
    if (isCounted && !this.#settled.has(entry.seq)) this.#open.set(entry.seq, whoseOf(entry))
    const effect = decisionOf(entry)
    if (effect === 'permit' || (effect === 'unjudged' && !isJudged(entry.syscall))) return
    const approved = effect === 'ask' ? this.#approved.use(entry) : undefined
    if (approved !== undefined) return this.#wasApproved(approved, this.#position)
    const why =
      typeof effect === 'string' ? `the decision on it is \`${effect}\`` : 'no decision is on record'
    this.#find(this.#position, 'effect-without-permit', `${why}, and yet it was admitted`)
  }

  /** What a person releases is of no call. */
  #declassified({ intent }: Entry): void {
    if (intent === undefined || this.#releasing.delete(Number(intent))) return
    this.#find(this.#position, 'release-without-outcome', `call ${intent} is not on record as releasing it`)
  }

  #outcome(entry: Entry): void {
    const intent = Number(entry.intent)
    if (entry.released !== undefined) this.#releasing.add(intent)
    const whose = this.#open.get(intent)
    if (whose !== undefined) {
      this.#open.delete(intent)
      this.#settled.add(intent)
      if (whose === whoseOf(entry)) return
      return this.#find(this.#position, 'outcome-without-intent', `call ${intent} is that of another process`)
    }
    if (this.#settled.has(intent))
      return this.#find(this.#position, 'duplicate-outcome', `call ${intent} has ended already`)
    this.#find(this.#position, 'outcome-without-intent', `no intent is on record for it before`)
  }

  #end({ seq }: Entry, life: Life | undefined): void {
    life?.ended.add(seq)
    if (Number.isSafeInteger(seq) && seq >= 0 && seq <= this.#position) this.#ends.add(seq)
  }

  #turn({ replies }: Entry, life: Life | undefined): void {
    if (life === undefined) return
    for (const reply of Array.isArray(replies) ? replies : [undefined]) {
      if (typeof reply === 'string' || life.ended.delete(Number(reply))) continue
      if (this.#isFromBefore(Number(reply), life)) continue
      const why = `it is given entry ${reply}, which did not end a call of this process, or was given already`
      this.#find(this.#position, 'turn', why)
    }
  }

  /** What ended a call of the process that it goes on from, given to it once. */
  #isFromBefore(reply: number, { from, given }: Life): boolean {
    if (!(reply <= from) || given.has(reply) || !this.#ends.has(reply)) return false
    given.add(reply)
    return true
  }
}

const lifeOf = ({ seq, policy, fork }: Entry): Life => ({
  ...{ policy, ended: new Set(), given: new Set() },
  from: isObject(fork) && typeof fork.seq === 'number' ? Math.min(fork.seq, seq - 1) : noneBefore,
})

const noneBefore = -1

/** A pid alone begins anew with every kernel. */
const whoseOf = ({ run, pid }: EntryBody): string => `${pid} ${run}`

const short = (hash: unknown): string => `policy ${String(hash).slice(0, 16)}…`

function decisionOf(entry: EntryBody): unknown {
  return isObject(entry.decision) ? entry.decision.effect : undefined
}

/** Actions on which a policy has the say; the rest (clock, randomness, output, a process about itself) need no permit. */
const judged = /^(fs|net|tool|llm|ipc)\.|^proc\.(spawn|extract|signal)$/
const isJudged = (syscall: unknown): boolean => typeof syscall !== 'string' || judged.test(syscall)

/** A set of numbers, in one bit each. */
class Bits {
  #words = new Uint8Array(512)

  has(number: number): boolean {
    return (((this.#words[Math.floor(number / 8)] ?? 0) >> (number % 8)) & 1) === 1
  }

  add(number: number): void {
    const index = Math.floor(number / 8)
    if (index >= this.#words.length) {
      const words = new Uint8Array(Math.max(index + 1, this.#words.length * 2))
      words.set(this.#words)
      this.#words = words
    }
    this.#words[index] = (this.#words[index] ?? 0) | (1 << (number % 8))
  }
}
