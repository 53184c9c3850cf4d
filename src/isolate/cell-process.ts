/** The kernel's side of one cell: a child process that may lie, hang or die at any time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { type Duplex, PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Errno, errnos } from '../errors.ts'
import { limits } from '../limits.ts'
import { encodeFrame, type Frame, FrameDecoder } from './frames.ts'
import type { Fault, Guest, GuestEvents, GuestSpec } from './guest.ts'

// Built code runs from .js, the source tree from .ts.
const cellFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './cell.ts' : './cell.js', import.meta.url),
)

/** More than any process can use; what is beyond is a lie that arithmetic could not carry. */
const usageMax = 2 ** 48
const usageSchema = z.strictObject({
  cpuMs: z.number().min(0).max(usageMax),
  heapBytes: z.number().min(0).max(usageMax),
})
/** What agent code throws may hold lone surrogates, which the record does not take. */
const text = z.string().transform((value) => value.toWellFormed())
const faultSchema = z.strictObject({
  code: z.enum(Object.keys(errnos) as [Errno, ...Errno[]]),
  reason: z
    .string()
    .max(2 * limits.errorTextMax)
    .pipe(text),
  error: z.strictObject({ name: text, message: text, stack: text.optional() }).optional(),
})

const besideGuilty: Fault = {
  code: 'EIO',
  reason: 'agent code beside it could not be ended from inside, so their cell was killed',
}

interface Tenant {
  readonly events: GuestEvents
  deadline: NodeJS.Timeout | undefined
  /** Set once it is over: called when the cell says that none of its code runs any more. */
  ended: (() => void) | undefined
}

export class CellProcess {
  readonly #child: ChildProcess
  readonly #pipe: Duplex
  readonly #tenants = new Map<number, Tenant>()
  readonly #onDeath: (cell: CellProcess) => void
  readonly #startDeadline: NodeJS.Timeout
  #lastGuest = 0
  #dead = false
  /** Whoever closes it waits for its end, so that the application has to live until then. */
  #closing = false
  #cause: Fault | undefined
  /** Who made the cell's end necessary. */
  #guilty: Tenant | undefined

  constructor(onDeath: (cell: CellProcess) => void) {
    this.#onDeath = onDeath
    this.#child = spawn(
      process.execPath,
      ['--no-node-snapshot', '--disable-warning=ExperimentalWarning', cellFile],
      {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
        // Its own session: what a terminal sends to the application's group (Ctrl-C) is not for cells.
        detached: true,
        // Nothing of the application's environment; the guest sees one time zone and one locale everywhere.
        env: { TZ: 'UTC', LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8' },
      },
    )
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
    this.#hold(false)
  }

  /** Guests that live here now. */
  get guests(): number {
    return this.#tenants.size
  }

  /** Gone, or told to go: nobody may move in any more. */
  get dead(): boolean {
    return this.#dead || this.#closing || this.#cause !== undefined
  }

  start(spec: GuestSpec, events: GuestEvents): Guest {
    this.#lastGuest += 1
    const number = this.#lastGuest
    const tenant: Tenant = { events, deadline: undefined, ended: undefined }
    this.#tenants.set(number, tenant)
    this.#hold(true)
    this.#send({ kind: 'start', guest: number, number: 0, name: '', text: JSON.stringify(spec) })
    this.#expectTurn(tenant, spec.turnMs + limits.cellStartMs)
    return {
      deliver: (time, batch, turnMs) => {
        this.#send({ kind: 'deliver', guest: number, number: turnMs, name: String(time), text: batch })
        this.#expectTurn(tenant, turnMs)
      },
      end: () => {
        if (!this.#tenants.has(number) || tenant.ended !== undefined) return Promise.resolve()
        this.#send({ kind: 'end', guest: number, number: 0, name: '', text: '' })
        return this.#expectEnd(tenant)
      },
    }
  }

  /** Ends the cell at once and from outside; its guests get the reason as their fault. */
  kill(cause: Fault): void {
    this.#cause ??= cause
    this.#child.kill('SIGKILL')
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

  /** Guests inside an uninterruptible builtin do not end by V8's own time limit; the cell then ends by this one. */
  #expectTurn(tenant: Tenant, turnMs: number): void {
    const reason = `one turn of agent code took longer than ${turnMs} ms and could not be stopped from inside, so its cell was killed`
    this.#killUnless(tenant, turnMs + limits.turnGraceMs + limits.cellGraceMs, reason)
  }

  /** What is over may still burn CPU, inside such a builtin; then only the end of its cell helps. */
  #expectEnd(tenant: Tenant): Promise<void> {
    this.#killUnless(tenant, limits.cellGraceMs, 'it could not be ended from inside, so its cell was killed')
    return new Promise((resolve) => {
      tenant.ended = resolve
    })
  }

  #killUnless(tenant: Tenant, ms: number, reason: string): void {
    clearTimeout(tenant.deadline)
    tenant.deadline = setTimeout(() => {
      this.#guilty ??= tenant
      this.kill({ code: 'ETIMEDOUT', reason })
    }, ms)
  }

  #receive(decoder: FrameDecoder, chunk: Buffer): void {
    try {
      for (const frame of decoder.push(chunk)) this.#obey(frame)
    } catch {
      // A cell that does not speak the protocol is broken or taken over.
      this.kill({ code: 'EIO', reason: 'its cell sent what is no frame, and was killed' })
    }
  }

  #obey(frame: Frame): void {
    if (frame.kind === 'ready') return clearTimeout(this.#startDeadline)
    const tenant = this.#tenants.get(frame.guest)
    if (tenant === undefined) return
    if (frame.kind === 'ended') return this.#forget(frame.guest, tenant)
    if (tenant.ended !== undefined) return
    if (frame.kind === 'call') return tenant.events.call(frame.number, frame.name, frame.text)
    clearTimeout(tenant.deadline)
    if (frame.kind === 'turn') return tenant.events.turn(usageSchema.parse(JSON.parse(frame.text)))
    if (frame.kind !== 'fault') throw new Error(`a cell sent \`${frame.kind}\``)
    const { error, ...fault } = faultSchema.parse(JSON.parse(frame.text))
    void this.#expectEnd(tenant)
    tenant.events.fault(
      error === undefined ? fault : { ...fault, error: { ...error, stack: error.stack ?? '' } },
    )
  }

  #send(frame: Frame): void {
    if (!this.#dead) this.#pipe.write(encodeFrame(frame))
  }

  #forget(number: number, tenant: Tenant): void {
    clearTimeout(tenant.deadline)
    this.#tenants.delete(number)
    tenant.ended?.()
    if (this.#tenants.size === 0 && !this.#closing) this.#hold(false)
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
    this.#pipe.destroy()
    const fault = this.#cause ?? { code: 'EIO' as const, reason: `its cell ${how}` }
    const tenants = [...this.#tenants.values()]
    this.#tenants.clear()
    this.#onDeath(this)
    // Whoever only lived beside the guilty one has not used up its own time.
    const beside = this.#guilty === undefined ? fault : besideGuilty
    for (const tenant of tenants) {
      clearTimeout(tenant.deadline)
      if (tenant.ended === undefined) tenant.events.fault(tenant === this.#guilty ? fault : beside)
      else tenant.ended()
    }
  }
}
