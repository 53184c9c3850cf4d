/** Which calls a person has approved, read from a record: each approval holds for one call of one process, once. */
import type { Entry } from './entry.ts'

/** A request that may still be used: by whose call, and whether it was approved. */
interface Open {
  readonly whose: string
  approved: boolean
}

export class Approved {
  /** By the `seq` of the entry that asked. */
  readonly #open = new Map<number, Open>()

  /** Takes note of what is asked and answered. */
  read(entry: Entry): void {
    if (entry.kind === 'ask') this.#open.set(entry.seq, { whose: whoseOf(entry), approved: false })
    if (entry.kind !== 'answer') return
    const open = this.#open.get(Number(entry.ask))
    // With other arguments in place of the agent's it is a request of its own, which follows.
    if (open !== undefined && entry.answer === 'approved' && entry.args === undefined) open.approved = true
    else this.#open.delete(Number(entry.ask))
  }

  /** @returns whether an admitted call was approved before, and not used yet; it is used by this */
  use(intent: Entry): boolean {
    const open = this.#open.get(Number(intent.ask))
    if (open?.approved !== true || open.whose !== whoseOf(intent)) return false
    return this.#open.delete(Number(intent.ask))
  }
}

const whoseOf = ({ run, pid, call, syscall, resource }: Entry): string =>
  JSON.stringify([run, pid, call, syscall, resource])
