/** Calls that wait for SIGCONT: what stopped processes had asked for, bounded. */
import { limits } from './limits.ts'
import type { Process } from './proc/process.ts'

/** One call as it arrived: everything in it is the guest's word. */
export interface Arrival {
  readonly process: Process
  readonly number: number
  readonly name: string
  readonly text: string
}

export class HeldCalls {
  readonly #by = new Map<Process, Arrival[]>()

  /** @returns false when too many wait already; then it is not kept */
  hold(arrival: Arrival): boolean {
    const held = this.#by.get(arrival.process) ?? []
    const length = held.reduce((sum, { text }) => sum + text.length, arrival.text.length)
    if (held.length >= limits.callsInFlightMax || length > limits.outboxMax) return false
    held.push(arrival)
    this.#by.set(arrival.process, held)
    return true
  }

  of(process: Process): readonly Arrival[] {
    return this.#by.get(process) ?? []
  }

  /** Lets go of those of a process. @returns them, in the order in which they came */
  take(process: Process): readonly Arrival[] {
    const held = this.of(process)
    this.#by.delete(process)
    return held
  }
}
