/** Which lines of a record, and which texts beside it, a backtest needs. */
import type { Entry } from '../evidence/entry.ts'
import { isShownOnly } from './call.ts'
import type { Choice, Item } from './collect.ts'
import { type Interest, interestOf, needsArguments } from './interest.ts'
import type { Policies } from './policies.ts'

/** Always looked at. */
const needed = new Set(['open', 'reload', 'spawn', 'intent', 'refusal', 'ask', 'exit', 'host'])

/** Calls that leave the kernel, whatever they are about. */
export const isExternal = (syscall: string): boolean =>
  syscall === 'net.fetch' ||
  syscall === 'tool.call' ||
  syscall === 'proc.output' ||
  syscall.startsWith('llm.')

const nothing: readonly unknown[] = Object.freeze([])

export const keyOf = ({ run, pid }: Pick<Entry, 'run' | 'pid'>): string => `${run} ${pid}`

export class Choices implements Choice {
  readonly #policies: Policies
  /** By process: what its policy wants to look at; `all` where that policy is not read yet. */
  readonly #interests = new Map<string, Interest | 'all'>()
  /** The hash of the policy of the application, as far as lines have been chosen. */
  #inForce: unknown
  /** Whether what calls bring back has to be followed, also where the record says nothing of labels. */
  #follows = false
  /** Whether any policy by now wants to look at arguments. */
  #isSome = false

  constructor(policies: Policies) {
    this.#policies = policies
  }

  takes(kind: string, line: string): boolean {
    if (needed.has(kind)) return true
    if (kind === 'outcome') return this.#follows || line.includes('"labels":')
    return kind === 'declassify'
  }

  wants({ entry, call }: Item): readonly unknown[] {
    if (call !== undefined) return this.#ofCall(entry, call)
    switch (entry.kind) {
      case 'open':
        this.#interests.clear()
        return this.#ofPolicy(entry)
      case 'reload':
        return entry.pid === undefined ? this.#ofPolicy(entry) : []
      case 'spawn':
        return this.#ofSpawn(entry)
      case 'outcome':
        return this.#asksOrigins(entry) ? [entry.result] : []
      case 'host':
        return entry.syscall === 'tool.register' ? [entry.args] : []
      case 'exit':
        this.#interests.delete(keyOf(entry))
        return []
      default:
        return []
    }
  }

  #ofPolicy({ policy, documents, tools }: Entry): readonly unknown[] {
    this.#inForce = policy
    const isKnown = typeof policy === 'string' && this.#policies.isKnown(policy)
    return [...(isKnown ? [] : [documents]), tools]
  }

  #ofSpawn(entry: Entry): readonly unknown[] {
    const { policy, documents, args, ppid } = entry
    const interest = this.#interestIn(policy)
    this.#interests.set(keyOf(entry), interest)
    this.#isSome ||= interest === 'all' || interest.isSome
    this.#follows ||= interest === 'all' || interest.givesLabels || interest.asksOrigins
    const isKnown = policy === this.#inForce || (typeof policy === 'string' && this.#policies.isKnown(policy))
    return [...(isKnown ? [] : [documents]), ...(ppid === 0 && this.#asksOrigins(entry) ? [args] : [])]
  }

  #interestIn(policy: unknown): Interest | 'all' {
    if (typeof policy !== 'string') return 'all'
    const ceiling = this.#policies.ceiling
    if (policy === this.#inForce && ceiling !== 'recorded') return interestOf(ceiling)
    if (this.#inForce !== this.#policies.recorded) return 'all'
    if (policy !== this.#inForce && !this.#policies.isKnown(policy)) return 'all'
    const set = this.#policies.under(this.#policies.ownOf(policy, undefined))
    return set === undefined ? 'all' : interestOf(set)
  }

  /** Of most calls nothing but their entry is needed. */
  #isPlain(syscall: string, resource: string): boolean {
    return !this.#isSome && !needsArguments(syscall) && !isShownOnly(resource)
  }

  #ofCall(
    entry: Entry,
    { agent, syscall, resource = '', before, kind }: NonNullable<Item['call']>,
  ): readonly unknown[] {
    if (this.#isPlain(syscall, resource)) return nothing
    const interest = this.#interests.get(keyOf(entry))
    if (interest === undefined) return nothing
    const isAsked = before !== undefined
    const isSent = kind === 'intent' && isExternal(syscall) && this.#asksOrigins(entry)
    const isWanted =
      isAsked && (interest === 'all' || isShownOnly(resource) || interest.wants(agent, syscall, resource))
    return isSent || isWanted ? [entry.args] : []
  }

  #asksOrigins(entry: Entry): boolean {
    const interest = this.#interests.get(keyOf(entry))
    return interest === 'all' || interest?.asksOrigins === true
  }
}
