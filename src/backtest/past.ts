/** What the runs of a record did, for conditions: kept by the gate's own code, fed from entries, with the record's time. */
import { Runs } from '../gate/runs.ts'
import type { Json } from '../json.ts'
import { type HistoryQuery, isLasting } from '../policy/history.ts'
import type { Needs, Request } from '../policy/types.ts'
import type { Doubts } from './doubts.ts'
import type { ReadClock, Rebuilt } from './rebuilt.ts'

export class Past {
  readonly runs: Runs
  readonly clock: ReadClock
  readonly #doubts: Doubts
  /** First processes of runs of which not all is known that came in, or was sent. */
  readonly #unsure = new WeakSet<Rebuilt>()
  /** Questions about other runs that are counted for; undefined until the first policy is known. */
  #prepared: ReadonlySet<string> | undefined
  /** Whether any policy by now asks what was done, or where a value has been seen: until then nothing is noted. */
  #notes = false
  /** First processes of runs of which all is noted. */
  readonly #noted = new WeakSet<Rebuilt>()
  #time = 0
  #firstLine: string | undefined

  constructor(doubts: Doubts) {
    this.#doubts = doubts
    this.clock = { now: () => this.#time, shift: 0 }
    const record = { newest: () => (this.#firstLine === undefined ? [] : [this.#firstLine]) }
    this.runs = new Runs({ now: () => this.#time + this.clock.shift }, record)
  }

  get notes(): boolean {
    return this.#notes
  }

  /** The time of the entry that is read next, in ms since 1970. */
  set time(time: number) {
    this.#time = time
  }

  /** Before anything else: the first line of the record, where it does not begin with its first entry. */
  beginsWith(line: string): void {
    this.#firstLine = line
  }

  /** A policy of the application comes into force. What it asks about other runs is counted for where it is the first. */
  prepare(needs: Needs): void {
    this.#notes ||= asks(needs)
    if (this.#prepared !== undefined) return
    this.#prepared = new Set(needs.history.filter(({ scope }) => isLasting(scope)).map(({ key }) => key))
    this.runs.prepare(needs)
  }

  /** Not all is known of what came into a run, or went out. */
  unsure(process: Rebuilt): void {
    this.#unsure.add(process.first)
  }

  /** What a run has sent is not at hand. */
  missed(process: Rebuilt): void {
    this.unsure(process)
    this.runs.missed(process)
  }

  /** @param task the arguments of a first process; undefined where they are not on record */
  begin(process: Rebuilt, task: readonly Json[] | undefined): void {
    const { set } = process
    this.#notes ||= set !== undefined && asks(set.needs)
    if (process.parent === undefined) {
      if (this.#notes) this.#noted.add(process)
      if (task === undefined) this.unsure(process)
      else this.runs.begin(process, task)
    }
    if (process.identity.sealed === true) this.runs.extraction(process)
  }

  /** As the gate's; whoever asks for what is not sure raises a doubt. */
  answersFor(process: Rebuilt): Pick<Request, 'origin' | 'history'> {
    if (!this.#notes) return nothing
    const { origin, history } = this.runs.answersFor(process)
    return {
      ...(origin !== undefined && {
        origin: (value, pay) => {
          const found = origin(value, pay)
          if (found !== 'task' && (this.#unsure.has(process.first) || !this.#noted.has(process.first)))
            this.#doubts.add('origin')
          return found
        },
      }),
      ...(history !== undefined && {
        history: {
          count: (query) => this.#surely(process, query, () => history.count(query)),
          agents: (query) => this.#surely(process, query, () => history.agents(query)),
        },
      }),
    }
  }

  /** Calls back with the clock moved by so many ms. */
  shifted<T>(ms: number, read: () => T): T {
    this.clock.shift = ms
    try {
      return read()
    } finally {
      this.clock.shift = 0
    }
  }

  #surely<T>(process: Rebuilt, { windowMs, scope, key }: HistoryQuery, read: () => T): T {
    const isNoted = isLasting(scope) ? this.#prepared?.has(key) === true : this.#noted.has(process.first)
    if (!isNoted) this.#doubts.add('history')
    if (windowMs === undefined) return read()
    const early = this.shifted(-1, read)
    const late = this.shifted(1, read)
    if (JSON.stringify(early) !== JSON.stringify(late)) this.#doubts.add('time')
    return late
  }
}

const nothing: Pick<Request, 'origin' | 'history'> = Object.freeze({})

const asks = ({ origins, history }: Needs): boolean => origins || history.length > 0
