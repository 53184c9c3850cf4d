/** So many tasks at once and no more; the others wait in order. */
import { SyscallError } from '../../errors.ts'

export class Lanes {
  readonly #max: number
  readonly #waiting: (() => void)[] = []
  readonly #emptied = Promise.withResolvers<void>()
  #running = 0
  #closed = false

  constructor(max: number) {
    this.#max = max
  }

  /** @throws SyscallError EIO once it is closed */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) await new Promise<void>((start) => this.#waiting.push(start))
    else this.#running += 1
    try {
      if (this.#closed) throw new SyscallError('EIO', 'the mount is closed')
      return await task()
    } finally {
      this.#leave()
    }
  }

  /** Refuses what has not begun, and resolves when the last running task has ended. */
  close(): Promise<void> {
    this.#closed = true
    if (this.#running === 0) this.#emptied.resolve()
    return this.#emptied.promise
  }

  /** A task that ends hands its lane on, so that one that comes just then cannot overtake. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next !== undefined) return next()
    this.#running -= 1
    if (this.#closed && this.#running === 0) this.#emptied.resolve()
  }
}
