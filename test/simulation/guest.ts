/** A guest that is a random program: it calls, stalls, lies, freezes badly and faults. */
import type { Clock } from '../../src/clock.ts'
import type { Fault, Frozen, Guest, GuestEvents, GuestSpec, TurnLimit } from '../../src/isolate/guest.ts'
import { limits } from '../../src/limits.ts'
import type { Random } from '../support/random.ts'
import { type GuestCall, type Surroundings, someCall } from './calls.ts'
import type { Checker } from './checker.ts'
import type { Tally } from './tally.ts'

export interface SpaceParts {
  readonly random: Random
  readonly clock: Clock
  readonly checker: Checker
  readonly tally: Tally
  readonly around: () => Pick<Surroundings, 'lastPid' | 'agents' | 'nonce'>
}

/** One child process as the kernel would see it: what its guests send comes in order. */
export class Cell {
  readonly guests = new Set<SimulatedGuest>()
  /** What has been sent and not yet been received. */
  readonly sent: (() => void)[] = []
  dead = false
}

export interface GuestParts extends SpaceParts {
  readonly kill: (fault: Fault) => void
}

/** How a turn may end, and how often. */
const endings = {
  turn: 200,
  hang: 2,
  fault: 3,
  'double turn': 2,
  'usage backwards': 2,
  'fault and more': 1,
  'much cpu': 1,
}

export class SimulatedGuest implements Guest {
  readonly #parts: GuestParts
  readonly #random: Random
  readonly #cell: Cell
  readonly #events: GuestEvents
  readonly #pid: number
  /** Goes on sending when it should have ended. */
  readonly #rude: boolean
  #lastCall = 0
  #cpuMs = 0
  #ended = false
  #frozen = false
  /** What it would have done while it was frozen. */
  readonly #still: (() => void)[] = []
  #freezing: ((frozen: Frozen | undefined) => void) | undefined
  #onEnd: (() => void)[] = []
  #deadline:
    | { readonly left: number; readonly since: number | undefined; readonly cancel: () => void }
    | undefined

  constructor(parts: GuestParts, cell: Cell, spec: GuestSpec, events: GuestEvents) {
    this.#parts = parts
    this.#random = parts.random
    this.#cell = cell
    this.#events = events
    this.#rude = parts.random.chance(0.15)
    this.#pid = parts.checker.began()
    this.#arm(spec.limit.wallMs)
    this.#send(() => this.#turn([]))
  }

  deliver(time: number, batch: string, limit: TurnLimit): void {
    const messages = this.#parts.checker.delivered(this.#pid, time, batch)
    if (this.#ended) return
    this.#arm(limit.wallMs)
    this.#send(() => this.#turn(messages))
  }

  freeze(): Promise<Frozen | undefined> {
    const { promise, resolve } = Promise.withResolvers<Frozen | undefined>()
    this.#freezing?.(undefined)
    this.#freezing = resolve
    this.#parts.checker.freezes(this.#pid)
    const stand = (): void => {
      if (this.#freezing !== resolve || this.#ended) return
      this.#freezing = undefined
      this.#frozen = true
      this.#pause()
      this.#parts.checker.frozen(this.#pid)
      resolve({ how: this.#random.pick(['paused', 'idle', 'system']), stack: [], depth: 0 })
    }
    const how = this.#random.weighted({ now: 5, soon: 3, late: 1, never: 1 })
    if (how === 'late') this.#parts.tally.fault('freeze answers late')
    if (how === 'never') this.#parts.tally.fault('freeze never answers')
    else if (how === 'now') this.#cell.sent.push(stand)
    else this.#parts.clock.after(this.#random.between(1, how === 'soon' ? 20 : 5_000), stand)
    if (this.#ended) resolve(undefined)
    return promise
  }

  async thaw(): Promise<void> {
    this.#freezing?.(undefined)
    this.#freezing = undefined
    this.#parts.checker.thaws(this.#pid)
    if (!this.#frozen) return
    this.#frozen = false
    this.#resume()
    for (const act of this.#still.splice(0)) this.#send(act)
  }

  end(): Promise<void> {
    if (this.#ended) return Promise.resolve()
    this.#over()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onEnd.push(resolve)
    const gone = (): void => {
      if (this.#cell.guests.delete(this)) resolve()
    }
    if (this.#random.chance(0.97)) this.#cell.sent.push(gone)
    else {
      // Inside one uninterruptible builtin: only the end of its cell helps.
      this.#parts.tally.fault('end takes the cell')
      this.#parts.clock.after(limits.cellGraceMs, () => {
        if (this.#cell.guests.has(this))
          this.#parts.kill({ code: 'ETIMEDOUT', reason: 'agent code beside it could not be ended' })
      })
    }
    return promise
  }

  /** Its cell is gone. */
  buried(fault: Fault): void {
    const was = this.#ended
    this.#over()
    if (!was) this.#events.fault(fault)
    for (const resolve of this.#onEnd.splice(0)) resolve()
  }

  #over(): void {
    this.#ended = true
    this.#pause()
    this.#deadline = undefined
    this.#freezing?.(undefined)
    this.#freezing = undefined
  }

  /** The guest's next act, as the kernel will come to see it. */
  #send(act: () => void): void {
    this.#cell.sent.push(() => {
      if (this.#frozen) this.#still.push(act)
      else if (!this.#ended || this.#rude) act()
    })
  }

  #turn(messages: readonly (readonly [number, unknown])[]): void {
    for (const [number, reply] of messages) this.#answer(number, reply)
    for (let count = this.#random.chance(0.03) ? 0 : this.#random.between(1, 4); count > 0; count -= 1)
      this.#send(() => this.#call())
    this.#send(() => this.#endTurn())
  }

  /** A handler of a signal mostly says that it has returned. */
  #answer(number: number, reply: unknown): void {
    if (typeof reply !== 'object' || reply === null || !('signal' in reply)) return
    if (this.#random.chance(0.7))
      this.#send(() => this.#post({ name: 'proc.sigreturn', text: JSON.stringify({ signal: number }) }))
  }

  #call(): void {
    this.#post(someCall(this.#random, { ...this.#parts.around(), lastCall: this.#lastCall }))
  }

  #post({ name, text }: GuestCall): void {
    // Some repeat a number, or jump.
    if (!this.#random.chance(0.01)) this.#lastCall += this.#random.chance(0.01) ? 1_000_000 : 1
    if (this.#ended) this.#parts.tally.fault('late call')
    else this.#parts.checker.called(this.#pid, this.#lastCall)
    this.#events.call(this.#lastCall, name, text)
  }

  #endTurn(): void {
    const how = this.#random.weighted(endings)
    if (how !== 'turn') this.#parts.tally.fault(how)
    if (how === 'hang') return
    this.#pause()
    this.#deadline = undefined
    if (how === 'fault' || how === 'fault and more') return this.#fail(how === 'fault and more')
    this.#cpuMs += how === 'much cpu' ? 20_000 : this.#random.between(0, 3)
    const cpuMs = how === 'usage backwards' ? this.#random.between(0, 1) : this.#cpuMs
    this.#parts.checker.turned(this.#pid)
    this.#events.turn({ cpuMs, heapBytes: this.#random.between(0, 2 ** 26) })
    if (how !== 'double turn') return
    this.#parts.checker.turned(this.#pid)
    this.#events.turn({ cpuMs, heapBytes: 1 })
  }

  #fail(more: boolean): void {
    const error = { name: 'TypeError', message: 'x is not a function', stack: '    at main (program.js:1:1)' }
    const fault: Fault = this.#random.pick([
      { code: 'EFAULT', reason: 'uncaught TypeError', error },
      { code: 'ENOMEM', reason: 'agent code ran out of memory' },
      { code: 'ETIMEDOUT', reason: 'one turn of agent code took longer than 1 ms' },
    ])
    this.#over()
    this.#events.fault(fault)
    this.#cell.guests.delete(this)
    if (!more) return
    this.#events.fault(fault)
    this.#events.call(this.#lastCall + 1, 'clock.time', '{}')
    this.#events.turn({ cpuMs: 1, heapBytes: 1 })
  }

  /** What a turn may take; then its cell is killed from outside, as the kernel's watch on a cell does. */
  #arm(turnMs: number): void {
    this.#pause()
    this.#deadline = {
      left: turnMs + limits.turnGraceMs + limits.cellGraceMs,
      since: undefined,
      cancel: () => {},
    }
    if (!this.#frozen) this.#resume()
  }

  #pause(): void {
    if (this.#deadline?.since === undefined) return
    const { left, since, cancel } = this.#deadline
    cancel()
    const spent = this.#parts.clock.monotonic() - since
    this.#deadline = { left: left - spent, since: undefined, cancel: () => {} }
  }

  #resume(): void {
    if (this.#deadline === undefined) return
    const { left } = this.#deadline
    const since = this.#parts.clock.monotonic()
    const cancel = this.#parts.clock.after(left, () =>
      this.#parts.kill({ code: 'ETIMEDOUT', reason: 'one turn of agent code took too long' }),
    )
    this.#deadline = { left, since, cancel }
  }
}
