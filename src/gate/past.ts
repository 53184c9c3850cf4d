/** What agents have done in earlier runs and in those beside: counted since the policy came, and before that from the record. */
import type { Clock } from '../clock.ts'
import type { Entry } from '../evidence/entry.ts'
import { EvidenceError } from '../evidence/store.ts'
import { readEntry } from '../evidence/verify.ts'
import { limits } from '../limits.ts'
import { isAction } from '../policy/actions.ts'
import { Counter, coverageOf } from '../policy/deeds.ts'
import { type Deed, type HistoryQuery, isLasting } from '../policy/history.ts'
import { Room } from '../policy/room.ts'

/** One question, and its answers: for everyone under one name, else by agent. */
interface Remembered {
  readonly query: HistoryQuery
  /** In ms since 1970: what was done before is not known; undefined where all of it is. */
  since: number | undefined
  readonly counters: Map<string, Counter>
  /** When somebody did it who is not counted for. */
  lost: number
}

/** A record that can be read from its end. */
export interface Newest {
  newest(bytes: number): Iterable<string>
}

export class Past {
  readonly #clock: Pick<Clock, 'now'>
  readonly #log: Newest
  readonly #remembered = new Map<string, Remembered>()
  readonly #room = new Room(limits.historyLastingMax)

  constructor(clock: Pick<Clock, 'now'>, log: Newest) {
    this.#clock = clock
    this.#log = log
  }

  /**
   * Counts for questions about lasting history from now on, and reads on record what was done before: as far back as
   * the newest `limits.historyReadBytes` of it go. What is older is not known.
   */
  remember(queries: readonly HistoryQuery[]): void {
    const fresh = queries.filter(({ scope, key }) => isLasting(scope) && !this.#remembered.has(key))
    if (fresh.length === 0) return
    const asked = fresh.map(
      (query): Remembered => ({ query, since: undefined, counters: new Map(), lost: never }),
    )
    for (const entry of this.#entries()) {
      if (typeof entry !== 'number') for (const deed of deedsOf(entry)) this.#note(asked, deed)
      else
        for (const each of asked) {
          close(each.counters)
          Object.assign(each, { since: entry, lost: never })
        }
    }
    for (const each of asked) this.#remembered.set(each.query.key, each)
    this.#forget(new Set(queries.map(({ key }) => key)))
  }

  /** Policies that came and went leave questions behind. */
  #forget(needed: ReadonlySet<string>): void {
    for (const [key, { counters }] of this.#remembered) {
      if (this.#remembered.size <= limits.historyLastingQueriesMax) return
      if (needed.has(key)) continue
      close(counters)
      this.#remembered.delete(key)
    }
  }

  /** What is on record, the oldest first; a time, in ms since 1970, where what is before it is not known. */
  *#entries(): Generator<Entry | number, void, undefined> {
    let isKnown = true
    let isFirst = true
    try {
      for (const line of this.#log.newest(limits.historyReadBytes)) {
        // Most entries are about something else.
        if (!isFirst && isKnown && !line.includes('"kind":"intent"')) continue
        const { entry } = readEntry(line)
        if (entry !== undefined && (!isKnown || (isFirst && entry.seq > 0))) yield entry.time
        if (entry !== undefined) yield entry
        isKnown = entry !== undefined
        isFirst = false
      }
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error
      isKnown = false
    }
    if (!isKnown) yield this.#clock.now()
  }

  /** Takes note of a call that was admitted. */
  note(agent: string, action: Deed['action'], resource: string): void {
    if (this.#remembered.size > 0)
      this.#note(this.#remembered.values(), { agent, action, resource, at: this.#clock.now() })
  }

  /** @throws Error where it is not known */
  count(query: HistoryQuery, agent: string): number {
    return this.#counter(query, agent).count(this.#clock.now())
  }

  /** @throws Error where they are not known */
  agents(query: HistoryQuery): readonly string[] {
    return this.#counter(query, '').agents(this.#clock.now())
  }

  #counter(query: HistoryQuery, agent: string): Counter {
    const known = this.#remembered.get(query.key)
    if (known === undefined)
      throw new Error(
        `what \`${query.scope}\` did is counted for policies of the application, and not for those of agents for their children`,
      )
    const counter = known.counters.get(keyOf(query, agent))
    if (counter !== undefined) return counter
    if (known.lost > this.#clock.now() - (query.windowMs ?? Number.POSITIVE_INFINITY))
      throw new Error('more agents did it than can be kept')
    return new Counter(query, this.#room, known.since)
  }

  #note(asked: Iterable<Remembered>, deed: Deed): void {
    const isCovered = coverageOf(deed)
    for (const each of asked) {
      if (!isCovered(each.query)) continue
      const key = keyOf(each.query, deed.agent)
      const counter = each.counters.get(key) ?? this.#newCounter(each, key, deed.at)
      counter?.add(deed.agent, deed.at)
    }
  }

  #newCounter(each: Remembered, key: string, now: number): Counter | undefined {
    if (each.counters.size >= limits.historyNamesMax)
      for (const [name, counter] of each.counters) {
        if (!counter.isOver(now)) continue
        counter.close()
        each.counters.delete(name)
      }
    if (each.counters.size >= limits.historyNamesMax) {
      each.lost = Math.max(each.lost, now)
      return undefined
    }
    const counter = new Counter(each.query, this.#room, each.since)
    each.counters.set(key, counter)
    return counter
  }
}

function close(counters: Map<string, Counter>): void {
  for (const counter of counters.values()) counter.close()
  counters.clear()
}

const never = Number.NEGATIVE_INFINITY

const keyOf = ({ scope }: HistoryQuery, agent: string): string => (scope === 'everyone' ? '' : agent)

/** @returns what an admitted call that is on record did; nothing for one that was not judged, or of an extraction */
export function deedsOf(entry: Entry): readonly Deed[] {
  const { kind, agent, syscall, resource, time: at, decision, extraction } = entry
  if (kind !== 'intent' || extraction === true || typeof agent !== 'string' || typeof resource !== 'string')
    return []
  if (typeof decision !== 'object' || decision === null || !('policy' in decision)) return []
  if (syscall === 'fs.move') return movesOf(resource).map((each) => ({ agent, at, ...each }))
  return typeof syscall === 'string' && isAction(syscall) ? [{ agent, at, action: syscall, resource }] : []
}

/** A path can hold what stands between the two; then each way to read it counts. */
function movesOf(resource: string): readonly Pick<Deed, 'action' | 'resource'>[] {
  const parts = resource.split(arrow)
  const splits =
    parts.length === 1
      ? [[resource, resource]]
      : parts
          .slice(1)
          .map((_, index) => [parts.slice(0, index + 1).join(arrow), parts.slice(index + 1).join(arrow)])
  return splits.flatMap(([from = '', to = '']) => [
    { action: 'fs.remove' as const, resource: from },
    { action: 'fs.read' as const, resource: from },
    { action: 'fs.write' as const, resource: to },
  ])
}

const arrow = ' → '
