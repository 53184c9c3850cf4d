/** What the kernel makes of how a process behaves: it goes round in circles, or goes on asking for what is refused. */
import { hash } from 'node:crypto'
import { limits } from '../limits.ts'
import { Loops } from './loops.ts'

export class Conduct {
  readonly #loops = new Loops()
  #refusals = 0

  /**
   * Takes note of one judged call.
   * @param call its name and its arguments; what is kept of it is a hash
   * @param wasForbidden whether the policy refused it
   * @param repeats how often a cycle of calls has to follow itself to be a loop
   * @returns the signal that this is worth, and why
   */
  called(
    call: string,
    wasForbidden: boolean,
    repeats: number = limits.loopRepeats,
  ): readonly [signal: 'SIGPOLICY' | 'SIGLOOP', reason: string] | undefined {
    const cycle = this.#loops.seen(hash('sha256', call), repeats)
    if (wasForbidden) this.#refusals += 1
    if (wasForbidden && this.#refusals % limits.refusalsMax === 0)
      return ['SIGPOLICY', `its policy has refused it ${this.#refusals} calls`]
    if (cycle === undefined) return undefined
    const what = cycle === 1 ? 'call' : `${cycle} calls`
    return ['SIGLOOP', `it has made the same ${what} ${repeats} times in a row`]
  }
}
