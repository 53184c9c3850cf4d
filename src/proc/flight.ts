/** One admitted call between its intent and its outcome, as something that can be aborted. */
export class Flight {
  #controller: AbortController | undefined
  #aborted = false

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
  }
}
