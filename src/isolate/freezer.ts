/**
 * Stops one isolate in the middle of an instruction, and lets it go on, through V8's debugger.
 *
 * Messages are those of the Chrome DevTools Protocol, domain Debugger. The debugger is on only while the guest is to
 * stand still: a `debugger` statement of agent code does nothing otherwise, and code that it compiles is not announced.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type ivm from 'isolated-vm'
import { limits } from '../limits.ts'
import { stackOf } from './frozen-stack.ts'
import type { Frozen } from './guest.ts'

/** Sessions of isolates that died while the debugger was on; never touched again, never collected. */
const abandoned: ivm.InspectorSession[] = []

/** When a guest that was told to stand still is told again, in ms; after that twice as late each time, up to the last. */
const [pauseAgainMs, pauseAgainMaxMs] = [5, 80]
/** How often a guest that was told to go on is told again, in ms: V8 can miss what comes right after a pause. */
const resendMs = 2

const scriptPattern = /^\{"method":"Debugger\.scriptParsed","params":\{"scriptId":"(\d+)","url":"([^"]*)"/

/**
 * Where V8's debugger is with the guest. `leaving`: agent code goes on, and the debugger is being taken off, pauses first:
 * one that was taken off in the moment of a pause would leave the guest standing for ever.
 */
type Phase = 'off' | 'pausing' | 'paused' | 'resuming' | 'leaving'

/**
 * When the debugger's session is made. `needed`: for a stop, and until its turn is over, so that in general none is there when the isolate dies by itself.
 * `start`: V8 14 and later take it only from the thread that is inside the isolate, which is before agent code runs; one
 * that runs out of memory then leaves its heap behind, so only a cell, which can be ended, may do so.
 * `never`: a stop waits for the end of the turn.
 */
export type Attach = 'needed' | 'start' | 'never'

const isLate = Number(process.versions.v8.split('.')[0]) >= 14
export const attachInCell: Attach = isLate ? 'start' : 'needed'
export const attachInline: Attach = isLate ? 'never' : 'needed'

export class Freezer {
  readonly #isolate: ivm.Isolate
  readonly #filename: string
  readonly #attach: Attach
  #session: ivm.InspectorSession | undefined
  #phase: Phase = 'off'
  /** Whether the guest is to stand still. */
  #wanted = false
  /** Whether a turn runs. */
  #busy = false
  /** Whether agent code has begun to run: a pause that is asked for before can get lost, and every later one with it. */
  #begun = false
  #over = false
  /** Whether there has been a session. */
  #wasOpen = false
  /** Resolves when no turn runs. */
  #idle = Promise.withResolvers<void>()
  #proof: PromiseWithResolvers<Frozen | undefined> | undefined
  #gone: PromiseWithResolvers<void> | undefined
  #resend: NodeJS.Timeout | undefined
  #lastMessage = 0
  /** Messages that V8 has not answered: an isolate that goes before takes with it what the answer goes through. */
  #unanswered = 0
  /** V8's number of the program; agent code that it compiles later has a higher one, whatever it calls itself. */
  #script = Number.POSITIVE_INFINITY
  /** What to do when V8 has answered a message. */
  readonly #answers = new Map<number, () => void>()

  /** @param filename how stack frames name the program */
  constructor(isolate: ivm.Isolate, filename: string, attach: Attach) {
    this.#isolate = isolate
    this.#filename = filename
    this.#attach = attach
  }

  get attachesAtStart(): boolean {
    return this.#attach === 'start'
  }

  /** To be called once, before any agent code runs, by a function of the host that is called from inside the isolate. */
  attach(): void {
    this.#session = this.#open()
  }

  /** @returns the proof that agent code stands still; undefined where `thaw` or the end came first */
  freeze(): Promise<Frozen | undefined> {
    if (this.#over) return Promise.resolve(undefined)
    this.#wanted = true
    this.#proof ??= Promise.withResolvers()
    const { promise } = this.#proof
    if (!this.#busy) this.#proof.resolve(stillness)
    // One that is just going on is stopped again as soon as it does.
    else this.#pauseIfPossible()
    return promise
  }

  /** @returns resolves when agent code goes on or has ended */
  thaw(): Promise<void> {
    this.#wanted = false
    this.#proof?.resolve(undefined)
    this.#proof = undefined
    if (this.#over || (this.#phase !== 'paused' && this.#phase !== 'resuming')) return Promise.resolve()
    this.#gone ??= Promise.withResolvers()
    if (this.#phase === 'paused') this.#resume()
    return this.#gone.promise
  }

  /** To be called once, when agent code begins to run. */
  begun(): void {
    this.#begun = true
    if (this.#wanted && !this.#over) this.#pauseIfPossible()
  }

  turnBegan(): void {
    this.#busy = true
    this.#idle = Promise.withResolvers()
  }

  /** A turn has ended by itself: nothing runs until the next one. */
  turnOver(): void {
    this.#busy = false
    this.#idle.resolve()
    this.#proof?.resolve(stillness)
    if (this.#phase === 'pausing') this.#leave()
    else if (this.#phase === 'off') this.#closeEarly()
  }

  /**
   * Takes the debugger off; to be awaited before the isolate is disposed. A guest that stands still goes on for a moment.
   * @returns resolves when that is safe: a thread that does not get its turn, or is inside a builtin, has to answer first
   */
  async end(): Promise<void> {
    if (this.#over) return
    this.#over = true
    this.#proof?.resolve(undefined)
    if (this.#phase === 'paused') this.#resume()
    await Promise.race([this.#quiet(), sleep(limits.turnGraceMs)])
    this.#gone?.resolve()
    if (this.#busy) await this.#endTurn()
    await this.#quiet()
    clearTimeout(this.#resend)
    await this.#reached()
    this.#close()
    await this.#reached()
  }

  /** A session that is left by an idle isolate is left at once; so the turn is ended before, where V8 can do that. */
  async #endTurn(): Promise<void> {
    this.#send('Runtime.terminateExecution')
    if (this.#session !== undefined) await Promise.race([this.#idle.promise, sleep(limits.sessionEndMs)])
  }

  /** The debugger is off, and V8 has answered all that it was sent; or it has given up the isolate by itself. */
  async #quiet(): Promise<void> {
    const isQuiet = (): boolean => this.#phase === 'off' && this.#unanswered === 0
    while (!isQuiet() && !this.#isolate.isDisposed) await sleep(resendMs, undefined, { ref: false })
  }

  /**
   * What the isolate's own thread does is done: it answers, and ends sessions, from in between, and one that is left when
   * the isolate goes is freed after what it uses. An idle isolate tells that it got so far; a busy one looks within a moment.
   */
  async #reached(): Promise<void> {
    if (!this.#wasOpen || this.#isolate.isDisposed) return
    await Promise.race([this.#isolate.getHeapStatistics().catch(() => {}), sleep(limits.sessionEndMs)])
  }

  #pauseIfPossible(): void {
    if (this.#begun && this.#phase === 'off' && this.#attach !== 'never') this.#pause()
  }

  #pause(): void {
    try {
      this.#session ??= this.#open()
    } catch {
      // The isolate has just died by itself, and its turn is about to end for that.
      return
    }
    this.#phase = 'pausing'
    this.#send('Debugger.enable')
    this.#send('Debugger.setSkipAllPauses', { skip: false })
    this.#askToPause(pauseAgainMs)
  }

  /** Asked again until V8 does: what comes before agent code runs waits for a call, which a loop may never make. */
  #askToPause(againMs: number): void {
    clearTimeout(this.#resend)
    this.#send('Debugger.pause')
    this.#resend = setTimeout(() => this.#askToPause(Math.min(2 * againMs, pauseAgainMaxMs)), againMs)
  }

  #open(): ivm.InspectorSession {
    const session = this.#isolate.createInspectorSession()
    this.#wasOpen = true
    session.onResponse = (id) => {
      this.#unanswered -= 1
      const then = this.#answers.get(id)
      this.#answers.delete(id)
      then?.()
    }
    // Agent code decides how many and how long these are: only what matters is read.
    session.onNotification = (text: string) => {
      if (text.startsWith('{"method":"Debugger.paused"')) this.#onPaused(text)
      else if (text.startsWith('{"method":"Debugger.resumed"')) this.#onResumed()
      else this.#onScript(text)
    }
    return session
  }

  #onScript(text: string): void {
    const [, id, url] = scriptPattern.exec(text) ?? []
    if (url === this.#filename) this.#script = Math.min(this.#script, Number(id))
  }

  #onPaused(text: string): void {
    clearTimeout(this.#resend)
    this.#phase = 'paused'
    if (this.#wanted && !this.#over) this.#proof?.resolve({ how: 'paused', ...stackOf(text, this.#script) })
    else this.#resume()
  }

  /** Told again until V8 confirms it: what comes right after a pause can get lost. */
  #resume(): void {
    clearTimeout(this.#resend)
    this.#phase = 'resuming'
    this.#send('Debugger.resume')
    this.#resend = setTimeout(() => this.#resume(), resendMs)
  }

  #onResumed(): void {
    clearTimeout(this.#resend)
    this.#gone?.resolve()
    this.#gone = undefined
    this.#leave()
  }

  #leave(): void {
    clearTimeout(this.#resend)
    this.#phase = 'leaving'
    this.#send('Debugger.setSkipAllPauses', { skip: true }, () => {
      // A pause came first: this begins anew when it is over.
      if (this.#phase !== 'leaving') return
      this.#send('Debugger.disable', undefined, () => {
        if (this.#phase !== 'leaving') return
        this.#phase = 'off'
        if (!this.#busy) this.#closeEarly()
        if (!this.#over && this.#wanted && this.#busy) this.#pause()
      })
    })
  }

  /** Not within a turn: V8 would take one session off and the next one on, on two threads at once. */
  #closeEarly(): void {
    if (this.#attach === 'needed') this.#close()
  }

  /**
   * A session must not outlive its isolate, nor end while the guest stands still: isolated-vm (7.0.1, inspector.cc) takes
   * one lock twice in the one case, so that whoever disposes of the isolate or touches the session waits for ever, and
   * frees what V8 still uses in the other.
   */
  #close(): void {
    if (this.#session === undefined) return
    if (this.#phase === 'off' && !this.#isolate.isDisposed) this.#session.dispose()
    else abandoned.push(this.#session)
    this.#session = undefined
  }

  #send(method: string, params?: object, then?: () => void): void {
    if (this.#session === undefined || this.#isolate.isDisposed) return
    this.#lastMessage += 1
    this.#unanswered += 1
    if (then !== undefined) this.#answers.set(this.#lastMessage, then)
    this.#session.dispatchProtocolMessage(JSON.stringify({ id: this.#lastMessage, method, params }))
  }
}

const stillness: Frozen = { how: 'idle', stack: [], depth: 0 }
