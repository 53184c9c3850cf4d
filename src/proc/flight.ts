/** One admitted call between its intent and its outcome, as something that can be aborted. */

import type { Meter } from './meter.ts'

/** What it is, for people who look. */
export interface FlightCall {
  /** The process's own number for the call. */
  readonly number: number
  readonly syscall: string
  readonly resource: string
  /** When it began, in ms since its process did. */
  readonly beganMs: number
}

export class Flight {
  /** Undefined for an act of the application itself. */
  readonly call: FlightCall | undefined
  /** The request for approval that it waits with. */
  approval: string | undefined
  #controller: AbortController | undefined
  #aborted = false
  readonly #meter: Meter | undefined

  constructor(call?: FlightCall, meter?: Meter) {
    this.call = call
    this.#meter = meter
  }

  /** Made only for drivers that wait; most calls are over before anyone could abort them. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#aborted) this.#controller.abort()
    return this.#controller.signal
  }

  get aborted(): boolean {
    return this.#aborted
  }

  abort(): void {
    this.#aborted = true
    this.#controller?.abort()
    // Whoever it belongs to has said by now what was used.
    this.#meter?.close()
  }
}
