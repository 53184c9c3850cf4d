/** The guest of a live process, brought to where its record ends: it stands still and ends with its process meanwhile. */
import type { Fault, Guest, GuestEvents, GuestSpec, UserSpace } from '../isolate/guest.ts'
import type { Process } from '../proc/process.ts'
import type { RecordedProcess } from '../replay/recorded-process.ts'
import { type Repeated, type Revived, revive } from '../replay/repetition.ts'
import type { RunSource } from '../replay/source.ts'

export interface RevivalParts {
  readonly process: Process
  readonly recorded: RecordedProcess
  readonly source: RunSource
  /** @param spec what is on record about its beginning */
  readonly start: (spec: GuestSpec, events: GuestEvents) => Guest
  /** What its doings lead to, once it is live. */
  readonly live: GuestEvents
  /** Calls up to this number were taken already, whether or not they are on record. */
  readonly taken?: number
}

/** A guest that stands where its record ends. */
export interface Risen {
  /** Its process goes on with it: what it asked for past the record is taken, and its last turn is over. */
  readonly goOn: () => void
}

/**
 * @returns the guest, or why there is none, as the end of its process; undefined where that has ended meanwhile
 * @throws SyscallError, EvidenceError where it cannot be started or read
 */
export async function raise(parts: RevivalParts): Promise<Risen | Fault | undefined> {
  const { process, recorded, source, live, taken = 0 } = parts
  const stage = new Stage(parts)
  const revived = await Promise.race([
    revive({ source, process: recorded, space: stage }),
    process.exit.then(() => undefined),
  ])
  if (revived === undefined || process.over) return undefined
  if (revived.how !== 'alive') return stage.lost ?? { code: 'EIO', reason: whyNot(revived) }
  if (revived.fault !== undefined) return revived.fault
  return {
    goOn: () => {
      revived.hand(live)
      process.turns.caughtUp()
      for (const { number, name, text } of revived.beyond) if (number > taken) live.call(number, name, text)
      live.turn(stage.usage)
    },
  }
}

/** The place where it is repeated: one guest, which its process can stop and end. */
class Stage implements UserSpace {
  /** What ended it, where that was not its doing. */
  lost: Fault | undefined
  usage = { cpuMs: 0, heapBytes: 0 }
  readonly #parts: RevivalParts
  /** The next delivery, while its process is stopped. */
  #next: (() => void) | undefined

  constructor(parts: RevivalParts) {
    this.#parts = parts
  }

  start(_tenancy: unknown, spec: GuestSpec, events: GuestEvents): Guest {
    const { process, start } = this.#parts
    const guest = start(spec, {
      call: (number, name, text) => events.call(number, name, text),
      turn: (usage) => {
        this.usage = usage
        events.turn(usage)
      },
      fault: (fault) => {
        if (fault.lost) this.lost = fault
        events.fault(fault)
      },
    })
    process.turns.replace(guest, () => this.#goOn())
    return {
      deliver: (time, batch) => {
        this.#next = () => guest.deliver(time, batch, process.turnLimit)
        this.#goOn()
      },
      freeze: () => guest.freeze(),
      thaw: () => guest.thaw(),
      end: () => guest.end(),
    }
  }

  async close(): Promise<void> {}

  #goOn(): void {
    const { process } = this.#parts
    if (process.held || process.over) return
    const next = this.#next
    this.#next = undefined
    next?.()
  }
}

function whyNot(ended: Exclude<Repeated | Revived, { how: 'alive' }>): string {
  if (ended.how === 'gap') return `it could not be made again: entry ${ended.gap.seq}: ${ended.gap.why}`
  if (ended.how === 'equal') return 'it could not be made again: its end is on record'
  const { recorded, replayed, turn } = ended.divergence
  return `it did not do again what is on record: in turn ${turn}, ${recorded.what}; now ${replayed.what}`
}
