/** How a process takes signals, as POSIX says: one ends, stops or wakes it, runs a handler, waits or is lost. */
import type { Clock } from '../clock.ts'
import type { Frozen } from '../isolate/guest.ts'
import { limits } from '../limits.ts'
import type { Isolation } from '../policy/types.ts'
import { Dispositions } from './dispositions.ts'
import type { Exit, ProcessState } from './exit.ts'
import { type SignalName, signals } from './signals.ts'
import type { Turns } from './turns.ts'

/** What signals do to a process. */
export interface Receiver {
  readonly over: boolean
  readonly isolation: Isolation
  change(to: Exclude<ProcessState, 'created' | 'waiting'>): void
  end(exit: Omit<Exit, 'usage' | 'labels'>): void
  /** It goes on after SIGSTOP. */
  resumed(): void
}

export class Reception {
  readonly dispositions = new Dispositions()
  readonly #receiver: Receiver
  readonly #turns: Turns
  readonly #clock: Clock
  /** Whether SIGSTOP was taken: no call is admitted and nothing is delivered. */
  #held = false
  #frozen: Frozen | undefined
  /** Counts SIGSTOP and SIGCONT, so that the proof of an earlier stop is not taken for that of a later one. */
  #stops = 0
  #cancelHandler: (() => void) | undefined

  constructor(receiver: Receiver, turns: Turns, clock: Clock) {
    this.#receiver = receiver
    this.#turns = turns
    this.#clock = clock
  }

  get held(): boolean {
    return this.#held
  }

  /** The proof that agent code stands still, while it does. */
  get frozen(): Frozen | undefined {
    return this.#frozen
  }

  /** @returns what the signal did, in words */
  take(signal: SignalName, reason: string): string {
    const { action, catchable } = signals[signal]
    if (action === 'continue') return this.#continue()
    if (action === 'stop') return this.stop()
    if (catchable) {
      const waits = this.#held || this.dispositions.isMasked(signal)
      if (waits) return this.dispositions.queue(signal) ? 'queued' : 'lost: too many signals wait'
      const disposition = this.dispositions.of(signal)
      if (disposition === 'ignore') return 'ignored'
      if (disposition === 'handler') return this.#handle(signal)
    }
    this.#receiver.end({ status: 'killed', signal, reason })
    return 'ended the process'
  }

  /** Takes signals that waited and are no longer masked. */
  takePending(): void {
    const next = this.#receiver.over || this.#held ? undefined : this.dispositions.next()
    if (next === undefined) return
    this.take(next, `${next}, which had waited`)
    this.takePending()
  }

  /**
   * The handler of a signal has returned. After SIGINT or SIGTERM the process ends, as it would without a handler;
   * one that ended itself within the handler has a value.
   */
  handlerDone(signal: SignalName): void {
    this.dispositions.handlerReturned(signal)
    if (this.#receiver.over || !signals[signal].deadline) return
    this.#receiver.end({ status: 'killed', signal, reason: `${signal}, after its handler` })
  }

  /** Agent code stands still from now on, or as soon as V8 can: the state tells which. */
  stop(): string {
    if (this.#held) return this.#frozen === undefined ? 'is stopping already' : 'was stopped already'
    this.#held = true
    this.#stops += 1
    const stop = this.#stops
    const proof = this.#turns.hold()
    if (this.#receiver.isolation === 'host') {
      this.#receiver.change('stopping')
      return 'stopping: code of the application cannot be stopped, and goes on until it returns'
    }
    if (!(proof instanceof Promise)) return this.#proved(proof)
    this.#receiver.change('stopping')
    void proof.then((frozen) => {
      if (frozen !== undefined && this.#held && this.#stops === stop) this.#proved(frozen)
    })
    return 'stopping: no call is admitted any more, and agent code stands still in a moment'
  }

  /** The process is over. */
  close(): void {
    this.#cancelHandler?.()
  }

  #proved(frozen: Frozen): string {
    this.#frozen = frozen
    this.#receiver.change('stopped')
    return 'stopped'
  }

  #continue(): string {
    if (!this.#held) return 'was not stopped'
    this.#held = false
    this.#frozen = undefined
    this.#turns.release()
    this.#receiver.change('running')
    this.takePending()
    // Who was told may have stopped it again.
    if (!this.#receiver.over && !this.#held) this.#receiver.resumed()
    return 'goes on'
  }

  #handle(signal: SignalName): string {
    this.dispositions.handlerBegan(signal)
    this.#turns.post(signals[signal].number, JSON.stringify({ signal }), signal)
    if (!signals[signal].deadline) return 'handler called'
    this.#cancelHandler ??= this.#killLater(signal)
    return `handler called; SIGKILL in ${limits.handlerMs} ms`
  }

  /** The time counts while the process is not stopped; however often it is, there is no more of it. */
  #killLater(signal: SignalName, until = this.#turns.time + limits.handlerMs): () => void {
    const waitMs = Math.max(until - this.#turns.time, this.#held ? limits.stoppedPollMs : 1)
    return this.#clock.after(waitMs, () => {
      if (this.#held || this.#turns.time < until) {
        this.#cancelHandler = this.#killLater(signal, until)
        return
      }
      const reason = `its handler of ${signal} did not end within ${limits.handlerMs} ms`
      this.#receiver.end({ status: 'killed', signal: 'SIGKILL', reason })
    })
  }
}
