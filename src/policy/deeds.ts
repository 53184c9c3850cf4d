/** What has been done, counted for the questions that policies ask: exactly, in bounded memory, or not at all. */
import { limits } from '../limits.ts'
import type { Deed, History, HistoryFunction, HistoryQuery } from './history.ts'
import { readResource } from './match.ts'
import { Room } from './room.ts'

/** The answer to one question, as far as it is known. */
export class Counter {
  readonly #what: HistoryFunction
  readonly #windowMs: number | undefined
  /** In ms: what was done before is not known; undefined where all of it is. */
  readonly #since: number | undefined
  readonly #room: Room
  #total = 0
  /** Of deeds within the window, the oldest first. */
  readonly #times: number[] = []
  /** When the newest deed was done that is in the window and not in `#times`. */
  #lost = Number.NEGATIVE_INFINITY
  /** By name: when last. */
  readonly #agents = new Map<string, number>()
  #lostAgent = Number.NEGATIVE_INFINITY

  /**
   * @param room for times and names
   * @param since in ms, from when on it is told of deeds; undefined where it is told of all
   */
  constructor({ what, windowMs }: HistoryQuery, room: Room, since?: number) {
    this.#what = what
    this.#windowMs = windowMs
    this.#room = room
    this.#since = since
  }

  add(agent: string, at: number): void {
    this.#total += 1
    if (this.#what === 'agents') this.#keepAgent(agent, at)
    else if (this.#windowMs !== undefined) this.#keepTime(at, at - this.#windowMs)
  }

  /** @throws Error where it is not known */
  count(now: number): number {
    const from = this.#from(now)
    if (this.#windowMs === undefined) return this.#total
    if (this.#lost > from) throw new Error('it happened more often than can be kept')
    return this.#times.reduce((sum, at) => (at > from ? sum + 1 : sum), 0)
  }

  /** @throws Error where they are not known */
  agents(now: number): readonly string[] {
    const from = this.#from(now)
    if (this.#lostAgent > from) throw new Error('more agents did it than can be kept')
    return [...this.#agents].flatMap(([agent, at]) => (at > from ? [agent] : []))
  }

  /** Lets go of what it keeps; it is not asked any more. */
  close(): void {
    this.#room.give(this.#times.length + this.#agents.size)
  }

  /** Whether nothing of it is within the window any more. */
  isOver(now: number): boolean {
    const from = this.#windowMs === undefined ? Number.NEGATIVE_INFINITY : now - this.#windowMs
    return this.#lost <= from && this.#times.every((at) => at <= from)
  }

  /** @returns after which time deeds count */
  #from(now: number): number {
    const from = this.#windowMs === undefined ? Number.NEGATIVE_INFINITY : now - this.#windowMs
    if (this.#since !== undefined && this.#since > from)
      throw new Error('what was done before this policy was in force was not counted')
    return from
  }

  #keepTime(at: number, from: number): void {
    while (this.#times.length > 0 && (this.#times[0] ?? 0) <= from) this.#dropTime()
    if (this.#times.length >= limits.historyTimesMax) this.#lost = Math.max(this.#lost, this.#dropTime())
    if (this.#room.take(1)) this.#times.push(at)
    else this.#lost = Math.max(this.#lost, at)
  }

  #dropTime(): number {
    this.#room.give(1)
    return this.#times.shift() ?? Number.NEGATIVE_INFINITY
  }

  #keepAgent(agent: string, at: number): void {
    const last = this.#agents.get(agent)
    if (last === undefined && this.#agents.size >= limits.historyAgentsMax) this.#forgetAgents(at)
    const hasRoom = last !== undefined || (this.#agents.size < limits.historyAgentsMax && this.#room.take(1))
    if (!hasRoom) this.#lostAgent = Math.max(this.#lostAgent, at)
    else this.#agents.set(agent, Math.max(at, last ?? at))
  }

  #forgetAgents(now: number): void {
    if (this.#windowMs === undefined) return
    for (const [agent, at] of this.#agents) {
      if (at > now - this.#windowMs) continue
      this.#agents.delete(agent)
      this.#room.give(1)
    }
  }
}

/** Deeds of one process with all below it, or of one run. */
export class Deeds {
  readonly #counters = new Map<string, { readonly query: HistoryQuery; readonly counter: Counter }>()
  /** All that was done, as long as that is not much: for questions that come later. */
  #first: Deed[] | undefined = []
  readonly #room: Room

  /** @param room that all deeds of a run share */
  constructor(room: Room = new Room(limits.historyRunMax)) {
    this.#room = room
  }

  /** Takes note of a call that was admitted. */
  note(deed: Deed): void {
    if (this.#first !== undefined && this.#first.length < limits.historyFirstMax) this.#first.push(deed)
    else this.#first = undefined
    const isCovered = coverageOf(deed)
    for (const { query, counter } of this.#counters.values())
      if (isCovered(query)) counter.add(deed.agent, deed.at)
  }

  /**
   * Counts for a question from now on, and what was done before where that is still known.
   * @throws Error where too many questions are asked
   */
  counter(query: HistoryQuery, now: number): Counter {
    const known = this.#counters.get(query.key)
    if (known !== undefined) return known.counter
    if (this.#counters.size >= limits.historyQueriesMax)
      throw new Error(`more than ${limits.historyQueriesMax} questions about its history are asked`)
    const counter = new Counter(query, this.#room, this.#first === undefined ? now : undefined)
    for (const deed of this.#first ?? []) if (coverageOf(deed)(query)) counter.add(deed.agent, deed.at)
    this.#counters.set(query.key, { query, counter })
    return counter
  }
}

/** @returns what says of a question whether a deed is one of those that it is about; the resource is read once */
export function coverageOf({ action, resource }: Deed): (query: HistoryQuery) => boolean {
  let readings: ReturnType<typeof readResource> | undefined
  return (query) => {
    if (!query.isAbout(action)) return false
    readings ??= readResource(action, resource)
    return typeof readings !== 'string' && query.covers(readings)
  }
}

/**
 * Answers from a list of deeds: what a case says was done.
 * @param deedsOf those that count for a question
 */
export const historyOf = (deedsOf: (query: HistoryQuery) => readonly Deed[], now: number): History => {
  const counterOf = (query: HistoryQuery): Counter => {
    const counter = new Counter(query, new Room(limits.historyRunMax))
    for (const deed of deedsOf(query)) if (coverageOf(deed)(query)) counter.add(deed.agent, deed.at)
    return counter
  }
  return {
    count: (query) => counterOf(query).count(now),
    agents: (query) => counterOf(query).agents(now),
  }
}
