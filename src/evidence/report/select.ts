/** Entries that fit a query, as they are: the end of a call is picked with the call. */
import type { Entry } from '../entry.ts'
import { beganAt, begins, processOf, textOf } from './fields.ts'
import { Newest } from './newest.ts'
import { type EntryQuery, fits, isLabelled } from './query.ts'

export class EntryPicker {
  readonly #query: EntryQuery
  readonly #agents = new Newest<string, string>()
  /** Calls that have not ended yet, and whether each was picked. */
  readonly #calls = new Newest<number, boolean>()

  constructor(query: EntryQuery) {
    this.#query = query
  }

  /** @returns whether the entry is asked for; every entry of the record has to be shown to it, in order */
  picks(entry: Entry): boolean {
    const named = textOf(entry.agent)
    const process = processOf(entry)
    if (entry.kind === 'spawn') this.#agents.set(process, named)
    const agent = named || (this.#agents.get(process) ?? '')
    if (entry.kind === 'exit') this.#agents.take(process)
    const isFitting = fits(entry, agent, this.#query) && isLabelled(entry, this.#query)
    if (begins(entry)) this.#calls.set(entry.seq, isFitting)
    const began = beganAt(entry)
    const call = began === undefined ? undefined : this.#calls.take(began)
    return isFitting || (call === true && this.#query.kinds === undefined)
  }
}
