/** How one process takes each signal: default, ignored, handled or masked, with a queue of those that wait. */
import { SyscallError } from '../errors.ts'
import { limits } from '../limits.ts'
import { type SignalName, signals } from './signals.ts'

export const dispositionNames = ['default', 'ignore', 'handler'] as const
export type Disposition = (typeof dispositionNames)[number]

export interface SignalOverview {
  /** Those that wait, the oldest first. */
  readonly pending: readonly SignalName[]
  readonly masked: readonly SignalName[]
  readonly handled: readonly SignalName[]
  readonly ignored: readonly SignalName[]
}

export class Dispositions {
  readonly #by = new Map<SignalName, Disposition>()
  readonly #masked = new Set<SignalName>()
  readonly #pending: SignalName[] = []
  /** How many handlers of each signal run. */
  readonly #running = new Map<SignalName, number>()

  /** @throws SyscallError EINVAL for a signal that cannot be caught */
  set(signal: SignalName, disposition: Disposition): void {
    assertCatchable(signal)
    this.#by.set(signal, disposition)
  }

  /** @throws SyscallError EINVAL for a signal that cannot be masked */
  mask(masked: readonly SignalName[]): void {
    masked.forEach(assertCatchable)
    this.#masked.clear()
    for (const signal of masked) this.#masked.add(signal)
  }

  of(signal: SignalName): Disposition {
    return this.#by.get(signal) ?? 'default'
  }

  isMasked(signal: SignalName): boolean {
    return this.#masked.has(signal)
  }

  get handlesAny(): boolean {
    return [...this.#by.values()].includes('handler')
  }

  /** How it takes signals now, for people who look. */
  overview(): SignalOverview {
    const taken = (how: Disposition) => [...this.#by].flatMap(([signal, by]) => (by === how ? [signal] : []))
    return {
      pending: [...this.#pending],
      masked: [...this.#masked],
      handled: taken('handler'),
      ignored: taken('ignore'),
    }
  }

  handlerBegan(signal: SignalName): void {
    this.#running.set(signal, (this.#running.get(signal) ?? 0) + 1)
  }

  handlerReturned(signal: SignalName): void {
    this.#running.set(signal, (this.#running.get(signal) ?? 0) - 1)
  }

  handlerRuns(signal: SignalName): boolean {
    return (this.#running.get(signal) ?? 0) > 0
  }

  /** @returns false when the queue is full and the signal is lost, as it is said to the sender */
  queue(signal: SignalName): boolean {
    if (this.#pending.length >= limits.signalsPendingMax) return false
    this.#pending.push(signal)
    return true
  }

  /** Takes the oldest waiting signal that is not masked. */
  next(): SignalName | undefined {
    const index = this.#pending.findIndex((signal) => !this.#masked.has(signal))
    return index < 0 ? undefined : this.#pending.splice(index, 1)[0]
  }
}

function assertCatchable(signal: SignalName): void {
  if (!signals[signal].catchable)
    throw new SyscallError('EINVAL', `\`${signal}\` cannot be caught, ignored or masked`)
}
