/** Parts that one side gives and another takes, one at a time: who gives waits until it is taken. */

interface Offer<Part> {
  readonly part: Part
  /** Told whether it was taken. */
  readonly taken: (isTaken: boolean) => void
}

export class Channel<Part> {
  #offer: Offer<Part> | undefined
  #wake: () => void = () => {}
  #isClosed = false
  #isOver = false
  #failed: { readonly error: unknown } | undefined

  /** Why nothing more comes, where that is no end in order. */
  get failed(): { readonly error: unknown } | undefined {
    return this.#failed
  }

  /** @returns whether more is wanted */
  give(part: Part): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false)
    return new Promise((taken) => {
      this.#offer = { part, taken }
      this.#wake()
    })
  }

  /** Nothing more comes. */
  end(...[error]: readonly [] | readonly [unknown]): void {
    this.#isOver = true
    if (error !== undefined) this.#failed = { error }
    this.#wake()
  }

  /**
   * @param over resolves when the other side is done
   * @throws what the other side ended with
   */
  async *read(over: Promise<unknown>): AsyncGenerator<Part, void, void> {
    try {
      for (;;) {
        const offer = this.#offer
        if (offer !== undefined) {
          yield offer.part
          this.#offer = undefined
          offer.taken(true)
          continue
        }
        if (this.#isOver) break
        await new Promise<void>((wake) => {
          this.#wake = wake
        })
      }
      if (this.#failed !== undefined) throw this.#failed.error
    } finally {
      this.#isClosed = true
      this.#offer?.taken(false)
      this.#offer = undefined
      if (!this.#isOver) await over
    }
  }
}
