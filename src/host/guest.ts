/** Code of the application as a guest: it asks by number, and is answered by promises. Nothing of it can be stopped. */
import type { Errno } from '../errors.ts'
import type { Frozen, Guest } from '../isolate/guest.ts'
import type { Json } from '../json.ts'

/** What the gate says to one call. */
export type Reply =
  | { readonly ok: Json }
  | { readonly error: { readonly code: Errno; readonly message: string } }

/** Below are the numbers of signals. */
const firstCall = 100

export interface HostGuestEvents {
  /** The turn before is over as soon as it was taken. */
  over(): void
  /** A signal came that is handled. */
  signalled(number: number): void
}

export class HostGuest implements Guest {
  readonly #events: HostGuestEvents
  readonly #waiting = new Map<number, (reply: Reply | undefined) => void>()
  #last = firstCall

  constructor(events: HostGuestEvents) {
    this.#events = events
  }

  /** The number of the next call. */
  next(): number {
    this.#last += 1
    return this.#last
  }

  /** Resolves when the gate has answered the call of that number, with undefined where the process ends before. */
  answered(number: number): Promise<Reply | undefined> {
    return new Promise((resolve) => this.#waiting.set(number, resolve))
  }

  deliver(_time: number, batch: string): void {
    const messages = JSON.parse(batch) as readonly (readonly [number, Reply])[]
    for (const [number, reply] of messages) {
      const resolve = this.#waiting.get(number)
      this.#waiting.delete(number)
      if (resolve !== undefined) resolve(reply)
      else if (number < firstCall) this.#events.signalled(number)
    }
    this.#events.over()
  }

  async freeze(): Promise<Frozen | undefined> {
    return undefined
  }

  async thaw(): Promise<void> {}

  async end(): Promise<void> {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const resolve of waiting) resolve(undefined)
  }
}
