/** What waits while a process is stopped: calls it had sent, and effects that were on record and had not begun. */
import { limits } from '../limits.ts'
import type { Process } from './process.ts'

/** One call as it arrived: everything in it is the guest's word. */
export interface Arrival {
  readonly process: Process
  readonly number: number
  readonly name: string
  readonly text: string
  /** Where it is on record from before, and its end is not. */
  readonly past?: PastCall
}

/** A call that was on its way when its kernel ended, and is made again. */
export interface PastCall {
  /** `seq` of its intent, where it was admitted. */
  readonly again?: number
  /** Whether a person has to say that it is made again. */
  readonly asks?: true
  /** The request that it waited with. */
  readonly request?: { readonly id: string; readonly leftMs: number }
}

export class Held {
  readonly #calls = new Map<Process, Arrival[]>()
  readonly #wakers = new Map<Process, Set<() => void>>()

  /** @returns false where too many wait already */
  keep(call: Arrival): boolean {
    const { process } = call
    const calls = this.#calls.get(process) ?? []
    const length = calls.reduce((sum, { text }) => sum + text.length, call.text.length)
    if (calls.length >= limits.callsInFlightMax || length > limits.outboxMax) return false
    calls.push(call)
    this.#calls.set(process, calls)
    return true
  }

  of(process: Process): readonly Arrival[] {
    return this.#calls.get(process) ?? []
  }

  /** @returns the calls that a process sent while it was stopped, which are kept no longer */
  take(process: Process): readonly Arrival[] {
    const calls = this.of(process)
    this.#calls.delete(process)
    return calls
  }

  /** Resolves when a stopped process has been woken; it may be stopped again since. */
  untilWoken(process: Process): Promise<void> {
    return new Promise((wake) => {
      this.#wakers.set(process, (this.#wakers.get(process) ?? new Set()).add(wake))
    })
  }

  /** The process goes on, or has ended. */
  wake(process: Process): void {
    const wakers = this.#wakers.get(process) ?? []
    this.#wakers.delete(process)
    for (const wake of wakers) wake()
  }
}
