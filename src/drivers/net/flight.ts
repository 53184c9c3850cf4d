/** One fetch under way: what may end it, and what it holds. */
import { SyscallError } from '../../errors.ts'

export class Flight {
  readonly pid: number
  /** From here on a byte of the request may have left. */
  sent = false
  heldBytes = 0
  readonly landed: Promise<void>
  readonly #stop = new AbortController()
  readonly #granted: AbortSignal
  readonly #interrupt: () => void
  #land: () => void = () => {}

  constructor(pid: number, granted: AbortSignal) {
    this.pid = pid
    this.landed = new Promise((resolve) => {
      this.#land = resolve
    })
    this.#granted = granted
    this.#interrupt = () => this.end(interruption(granted.reason))
    if (granted.aborted) this.#interrupt()
    else granted.addEventListener('abort', this.#interrupt, { once: true })
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  end(why: SyscallError): void {
    this.#stop.abort(why)
  }

  over(): void {
    this.#granted.removeEventListener('abort', this.#interrupt)
    this.#land()
  }
}

const interruption = (reason: unknown): SyscallError =>
  reason instanceof SyscallError
    ? reason
    : new SyscallError('EINTR', 'ended by a signal before the answer was complete')
