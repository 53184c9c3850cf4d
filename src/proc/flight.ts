/** One admitted call between its intent and its outcome, as something that can be aborted. */

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
  #isCanceled = false

  constructor(call?: FlightCall) {
    this.call = call
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

  /** Whether its own process wanted it to end, and not a signal. */
  get isCanceled(): boolean {
    return this.#isCanceled
  }

  /** Its own process wants it to end. */
  cancel(): void {
    this.#isCanceled = true
    this.abort()
  }

  abort(): void {
    this.#aborted = true
    this.#controller?.abort()
  }
}
