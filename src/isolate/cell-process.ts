/** The kernel's side of one cell: a child process that may lie, hang or die at any time. */
import type { ChildProcess } from 'node:child_process'
import { type Duplex, PassThrough } from 'node:stream'
import { limits } from '../limits.ts'
import { encodeFrame, type Frame, FrameDecoder } from './frames.ts'
import type { Fault, Guest, GuestEvents, GuestSpec } from './guest.ts'
import type { Launched } from './launch.ts'
import { standsStill } from './system-stop.ts'
import { type Host, Tenant } from './tenant.ts'
import { Watchdog } from './watchdog.ts'

/** Starts a cell. */
export type LaunchCell = () => Launched

const besideGuilty: Fault = {
  code: 'EIO',
  reason: 'agent code beside it could not be stopped or ended from inside, so their cell was killed',
}

export class CellProcess implements Host {
  /** Whether it is one guest's alone, and ends with it. */
  own = false
  /** The run for which it was taken. */
  run = ''
  readonly #launched: Launched
  readonly #child: ChildProcess
  readonly #pipe: Duplex
  readonly #tenants = new Map<number, Tenant>()
  readonly #onDeath: (cell: CellProcess) => void
  readonly #watchdog: Watchdog
  /** Time in turns of guests that are gone, in ms. */
  #pastMs = 0
  readonly #startDeadline: NodeJS.Timeout
  #lastGuest = 0
  #ready = false
  #dead = false
  #suspended = false
  #retired = false
  /** Whoever closes it waits for its end, so that the application has to live until then. */
  #closing = false
  /** It may have been taken over: what it said in the name of any guest of it counts for nothing more. */
  #lied = false
  #cause: Fault | undefined
  /** Who made the cell's end necessary. */
  #guilty: Guest | undefined

  constructor(onDeath: (cell: CellProcess) => void, launch: LaunchCell) {
    this.#onDeath = onDeath
    this.#launched = launch()
    this.#child = this.#launched.child
    this.#child.once('exit', (code, signal) => this.#buried(`ended with ${signal ?? `code ${code}`}`))
    this.#child.once('error', (error) =>
      this.#buried(`could not be started (${Reflect.get(error, 'code') ?? error.name})`),
    )
    // Where the system has no descriptor left there is no pipe, and the error event follows.
    this.#pipe = (this.#child.stdio?.[3] as Duplex | undefined) ?? new PassThrough()
    this.#pipe.on('error', () => this.kill({ code: 'EIO', reason: 'the pipe to its cell broke' }))
    const decoder = new FrameDecoder()
    this.#pipe.on('data', (chunk: Buffer) => this.#receive(decoder, chunk))
    this.#startDeadline = setTimeout(
      () =>
        this.kill({ code: 'ETIMEDOUT', reason: `its cell was not ready within ${limits.cellStartMs} ms` }),
      limits.cellStartMs,
    )
    this.#watchdog = new Watchdog({
      pid: this.#launched.pid,
      guests: () => [...this.#tenants.values()],
      activeMs: () => [...this.#tenants.values()].reduce((sum, { activeMs }) => sum + activeMs, this.#pastMs),
      ping: () => this.send({ kind: 'ping', guest: 0, number: 0, name: '', text: '' }),
      kill: (cause) => this.kill(cause),
    })
    this.#hold(false)
  }

  get ready(): boolean {
    return this.#ready
  }

  /** Guests that live here now. */
  get guests(): number {
    return this.#tenants.size
  }

  get alone(): boolean {
    return this.#tenants.size <= 1
  }

  /** Whether it takes another guest. */
  get open(): boolean {
    return (
      !this.#dead &&
      !this.#retired &&
      this.#cause === undefined &&
      !this.#suspended &&
      ![...this.#tenants.values()].some(({ overdue }) => overdue) &&
      (!this.own || this.#lastGuest === 0)
    )
  }

  start(spec: GuestSpec, events: GuestEvents): Guest {
    this.#lastGuest += 1
    this.#hold(true)
    const tenant = new Tenant(this.#lastGuest, this, events)
    this.#tenants.set(this.#lastGuest, tenant)
    tenant.start(spec)
    return tenant
  }

  send(frame: Frame): void {
    if (!this.#dead) this.#pipe.write(encodeFrame(frame))
  }

  kill(cause: Fault, guilty?: Guest): void {
    if (this.#cause === undefined) this.#guilty = guilty
    this.#cause ??= cause
    this.#child.kill('SIGKILL')
  }

  async suspend(): Promise<boolean> {
    const pid = this.#launched.pid()
    // One that stands still cannot see that the kernel is gone: the system has to end it then.
    if (pid === undefined || this.#dead || !this.#launched.protections.parentDeath) return false
    this.#suspended = true
    this.#watchdog.pause()
    return isSent(pid, 'SIGSTOP') && (await standsStill(pid))
  }

  resume(): void {
    const pid = this.#launched.pid()
    this.#suspended = false
    if (pid === undefined || this.#dead) return
    isSent(pid, 'SIGCONT')
    this.#watchdog.resume()
  }

  retire(): void {
    this.#retired = true
  }

  forget(number: number): void {
    this.#pastMs += this.#tenants.get(number)?.activeMs ?? 0
    this.#tenants.delete(number)
    if (this.#retired && this.#tenants.size === 0)
      this.kill({ code: 'ECANCELED', reason: 'its last guest has ended' })
    if (this.#tenants.size === 0 && !this.#closing) this.#hold(false)
  }

  /** Resolves when the child process is gone. */
  async close(): Promise<void> {
    if (this.#dead) return
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    this.#closing = true
    this.#child.ref()
    this.kill({ code: 'ECANCELED', reason: 'the kernel shut down' })
    await gone
  }

  #receive(decoder: FrameDecoder, chunk: Buffer): void {
    // What comes from a cell that is being killed is not heard any more.
    if (this.#cause !== undefined) return
    try {
      for (const frame of decoder.push(chunk)) this.#obey(frame)
    } catch {
      // A cell that does not speak the protocol is broken or taken over. What the kernel makes of it does not throw.
      this.#lied = true
      this.kill({ code: 'EIO', reason: 'its cell sent what is no frame, and was killed' })
    }
  }

  #obey(frame: Frame): void {
    if (frame.kind === 'ready') {
      this.#ready = true
      for (const tenant of this.#tenants.values()) tenant.cellReady()
      return clearTimeout(this.#startDeadline)
    }
    if (frame.kind === 'pong') return this.#watchdog.pong()
    this.#tenants.get(frame.guest)?.obey(frame)
  }

  /** A cell keeps the application alive only while it hosts someone. */
  #hold(busy: boolean): void {
    const pipe = this.#pipe as Duplex & { ref?: () => void; unref?: () => void }
    for (const handle of [this.#child, this.#startDeadline, pipe]) busy ? handle.ref?.() : handle.unref?.()
  }

  #buried(how: string): void {
    if (this.#dead) return
    this.#dead = true
    clearTimeout(this.#startDeadline)
    this.#watchdog.close()
    this.#pipe.destroy()
    const fault = this.#cause ?? { code: 'EIO' as const, reason: `its cell ${how}` }
    const tenants = [...this.#tenants.values()]
    this.#tenants.clear()
    this.#onDeath(this)
    // Whoever only lived beside the guilty one has not used up its own time.
    for (const tenant of tenants) {
      if (this.#guilty === tenant || this.#lied || fault.code === 'ECANCELED') tenant.buried(fault)
      else tenant.buried({ ...(this.#guilty === undefined ? fault : besideGuilty), lost: true })
    }
  }
}

/** In a jail the cell's own process is no child of the kernel: it can be gone before the jail's end is heard of. */
function isSent(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
