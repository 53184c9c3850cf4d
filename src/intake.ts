/** Takes what guests send in turns, so that neither another guest nor the kernel's own work waits for one that floods. */
import type { Clock } from './clock.ts'
import type { GuestEvents } from './isolate/guest.ts'
import { limits } from './limits.ts'

/** What one guest has sent and nobody has taken yet. */
interface Queue {
  readonly waiting: (() => void)[]
  /** Length of the calls among them, in UTF-16 units. */
  length: number
}

export class Intake {
  readonly #clock: Clock
  /** Guests whose events wait, in the order in which it is their turn. */
  readonly #turns: Queue[] = []
  #sliceEnds = 0
  #isScheduled = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * @param then who takes the events, one by one and in their order
   * @returns what a guest sends its events to: they are taken at once while there is time, later otherwise
   */
  in(then: GuestEvents): GuestEvents {
    const queue: Queue = { waiting: [], length: 0 }
    let isOver = false
    return {
      call: (number, name, text) => {
        if (isOver) return
        if (this.#now()) return then.call(number, name, text)
        queue.length += text.length
        if (queue.waiting.length < limits.intakeMax && queue.length <= limits.intakeLengthMax)
          return this.#keep(queue, () => {
            queue.length -= text.length
            then.call(number, name, text)
          })
        isOver = true
        queue.waiting.length = 0
        then.fault({
          code: 'EAGAIN',
          reason: 'it went on calling although nothing of what it had asked for was taken',
        })
      },
      turn: (usage) => {
        if (this.#now()) then.turn(usage)
        else this.#keep(queue, () => then.turn(usage))
      },
      fault: (fault) => {
        if (this.#now()) then.fault(fault)
        else this.#keep(queue, () => then.fault(fault))
      },
    }
  }

  /** Whether what has just come may be taken at once. */
  #now(): boolean {
    if (this.#turns.length > 0) return false
    const now = this.#clock.monotonic()
    if (!this.#isScheduled) this.#begin(now)
    return now < this.#sliceEnds
  }

  #keep(queue: Queue, take: () => void): void {
    if (queue.waiting.push(take) === 1) this.#turns.push(queue)
  }

  /** One slice of time; what else the event loop has to do comes before the next one. */
  #begin(now: number): void {
    this.#sliceEnds = now + limits.intakeSliceMs
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.#turns.length > 0) this.#work()
    })
  }

  #work(): void {
    this.#begin(this.#clock.monotonic())
    do {
      const queue = this.#turns.shift()
      if (queue === undefined) return
      const take = queue.waiting.shift()
      if (queue.waiting.length > 0) this.#turns.push(queue)
      take?.()
    } while (this.#clock.monotonic() < this.#sliceEnds)
  }
}
