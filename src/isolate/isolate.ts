/** One guest in one V8 isolate of this process. Only this and `freezer.ts` import isolated-vm. */
import ivm from 'isolated-vm'
import { isErrno, SyscallError } from '../errors.ts'
import { limits } from '../limits.ts'
import { bootstrapText } from './bootstrap-text.ts'
import { compiledOwn } from './compiled-own.ts'
import { Deadline } from './deadline.ts'
import { type Attach, Freezer } from './freezer.ts'
import type { Fault, Frozen, Guest, GuestEvents, GuestSpec, TurnLimit, Usage } from './guest.ts'
import { hasGuestZone } from './host-zone.ts'
import { webText } from './web/texts.ts'

const MiB = 1024 * 1024
/** CPU time after which the heap is measured again; measuring costs more than a short turn. */
const heapSampleMs = 5

/**
 * Modules that every program is linked with. `gatehouse:boot` is evaluated before the program and takes
 * the bootstrap's `start` away from the globals; the entry's body runs after the whole program,
 * top-level await included.
 */
const kernelModules = {
  'gatehouse:boot': 'export const start = globalThis.start\ndelete globalThis.start\n',
  'gatehouse/guest': 'export const { sys, fs, llm, ipc, proc, tools, fetch } = globalThis\n',
  'gatehouse:entry': `import { start } from 'gatehouse:boot'\nimport * as program from 'gatehouse:program'\nstart(program)\n`,
} as const

export class IsolateGuest implements Guest {
  readonly #isolate: ivm.Isolate
  readonly #events: GuestEvents
  readonly #freezer: Freezer
  #deliver: ivm.Reference | undefined
  /** Settles with the turn that runs now, or ran last. */
  #running: Promise<void>
  /** Of that turn, while it runs. */
  #stuck: Deadline | undefined
  #cpuTimer: NodeJS.Timeout | undefined
  readonly #onCatastrophe: (message: string) => void
  /** Calls of the turn that runs, and their length in UTF-16 units. */
  #posts = 0
  #postsLength = 0
  /** How often it was seen that V8 has given it up, and it runs. */
  #lostLooks = 0
  #over = false
  #ending: Promise<void> | undefined
  #heapBytes = 0
  #heapSampledAt = -heapSampleMs

  /**
   * @param spec what to run; the first turn begins at once
   * @param events what comes out; never called from within the constructor
   * @param attach when the debugger is made ready, for a stop in the middle of an instruction
   * @param onCatastrophe called when V8 ran out of memory so that only the end of this process helps
   */
  constructor(
    spec: GuestSpec,
    events: GuestEvents,
    onCatastrophe: (message: string) => void,
    attach: Attach,
  ) {
    this.#events = events
    this.#onCatastrophe = onCatastrophe
    this.#isolate = new ivm.Isolate({
      memoryLimit: Math.max(spec.heapBytes, limits.heapBytesMin) / MiB,
      inspector: true,
      onCatastrophicError: onCatastrophe,
    })
    this.#freezer = new Freezer(this.#isolate, spec.filename, attach)
    this.#running = this.#turn(this.#boot(spec), spec.limit)
  }

  deliver(time: number, batch: string, limit: TurnLimit): void {
    if (this.#over || this.#deliver === undefined) return
    const turn = this.#deliver.apply(undefined, [time, batch], { timeout: limit.wallMs })
    this.#running = this.#turn(turn, limit)
  }

  async freeze(): Promise<Frozen | undefined> {
    const frozen = await this.#freezer.freeze()
    if (frozen !== undefined) this.#stuck?.pause()
    return frozen
  }

  async thaw(): Promise<void> {
    await this.#freezer.thaw()
    this.#stuck?.resume()
  }

  end(): Promise<void> {
    this.#over = true
    this.#ending ??= this.#end()
    return this.#ending
  }

  async #end(): Promise<void> {
    await this.#freezer.end()
    if (!this.#isolate.isDisposed) this.#isolate.dispose()
    await this.#running
  }

  async #boot(spec: GuestSpec): Promise<void> {
    const context = this.#isolate.createContextSync({ inspector: true })
    if (this.#freezer.attachesAtStart)
      context.evalClosureSync('$0()', [new ivm.Callback(() => this.#freezer.attach())])
    const post = new ivm.Callback(this.#post, { ignored: true })
    const bootstrap = compiledOwn(this.#isolate, bootstrapText(spec.boot, hasGuestZone()))
    const given = [post, spec.boot, spec.args, spec.trace ?? 0, new ivm.Callback(webText)]
    this.#deliver = bootstrap
      .runSync(context, { reference: true })
      .applySync(undefined, given, { result: { reference: true } })
    const modules = new Map<string, ivm.Module>()
    for (const [name, text] of Object.entries(kernelModules))
      modules.set(name, this.#isolate.compileModuleSync(text))
    const program = await this.#isolate.compileModule(spec.program, { filename: spec.filename })
    modules.set('gatehouse:program', program)
    const entry = modules.get('gatehouse:entry')
    if (entry === undefined) return
    await entry.instantiate(context, (specifier, referrer) => {
      const known =
        referrer === program && specifier !== 'gatehouse/guest' ? undefined : modules.get(specifier)
      if (known === undefined) throw unknownImport(specifier)
      return known
    })
    const evaluated = entry.evaluate({ timeout: spec.limit.wallMs })
    this.#freezer.begun()
    await evaluated
  }

  /** What a guest posts. Whatever it is, it becomes data; a throw here would lose the call. */
  readonly #post = (number: unknown, name: unknown, text: unknown): void => {
    if (this.#over) return
    const args = typeof text === 'string' ? text : ''
    this.#posts += 1
    this.#postsLength += args.length
    // The bootstrap stops before: whoever comes here has got past it.
    if (this.#posts > limits.postsMax || this.#postsLength > limits.postsLengthMax) return this.#fail(flood)
    this.#events.call(Number(number) >>> 0, String(name).slice(0, 2 * limits.syscallNameMax), args)
  }

  /** A guest's promise is never awaited without a deadline: a getter on a thrown value can hang past V8's own time limit. */
  async #turn(work: Promise<unknown>, { wallMs, cpuMs }: TurnLimit): Promise<void> {
    const stuck = new Deadline(wallMs + limits.turnGraceMs, () => this.#fail(overTime(wallMs)))
    this.#stuck = stuck
    this.#posts = 0
    this.#postsLength = 0
    this.#freezer.turnBegan()
    if (cpuMs !== undefined) this.#limitCpu(cpuMs, this.#cpuMs(), process.cpuUsage())
    const lookout = setInterval(() => this.#endIfLost(), limits.memoryLookMs)
    let usage: Usage
    try {
      await work
      if (this.#over) return
      // Measuring fails where the turn used up the memory at its very end.
      usage = this.#usage()
    } catch (error) {
      this.#fail(this.#faultOf(error, stuck.usedMs, wallMs))
      return
    } finally {
      stuck.cancel()
      clearTimeout(this.#cpuTimer)
      clearInterval(lookout)
      this.#stuck = undefined
      this.#freezer.turnOver()
    }
    this.#events.turn(usage)
  }

  /** Past its memory limit V8 ends agent code, but for some loops, which go on taking memory: nothing inside ends them. */
  #endIfLost(): void {
    this.#lostLooks = !this.#over && this.#isolate.isDisposed ? this.#lostLooks + 1 : 0
    if (this.#lostLooks === 2) this.#onCatastrophe('agent code goes on past its memory limit')
  }

  #cpuMs(): number {
    return this.#isolate.isDisposed ? 0 : Number(this.#isolate.cpuTime) / 1e6
  }

  /**
   * Looks when it could be used up at the earliest. While a turn runs, isolated-vm counts its time by the wall, and knows
   * better only afterwards; on a busy machine the CPU time of this whole process is less, and the guest's is part of that.
   * @param fromMs CPU time of the isolate when the turn began
   * @param from that of this process
   */
  #limitCpu(cpuMs: number, fromMs: number, from: NodeJS.CpuUsage): void {
    const { user, system } = process.cpuUsage(from)
    const usedMs = Math.min(this.#cpuMs() - fromMs, (user + system) / 1e3)
    if (usedMs >= cpuMs) return this.#fail({ code: 'EDQUOT', reason: 'its CPU time is used up' })
    const again = (): void => this.#limitCpu(cpuMs, fromMs, from)
    this.#cpuTimer = setTimeout(again, Math.max(1, cpuMs - usedMs))
  }

  #usage(): Usage {
    if (this.#isolate.isDisposed) return { cpuMs: 0, heapBytes: this.#heapBytes }
    const cpuMs = this.#cpuMs()
    if (cpuMs - this.#heapSampledAt >= heapSampleMs) {
      this.#heapSampledAt = cpuMs
      const heap = this.#isolate.getHeapStatisticsSync()
      this.#heapBytes = heap.used_heap_size + heap.externally_allocated_size
    }
    return { cpuMs, heapBytes: this.#heapBytes }
  }

  /** What V8 says about its limits has fixed words, which agent code can say too: they count only where they can be true. */
  #faultOf(error: unknown, tookMs: number, wallMs: number): Fault {
    if (tookMs > wallMs / 2 && isError(error, timedOut)) return overTime(wallMs)
    if (this.#isolate.isDisposed && isError(error, disposed)) return outOfMemory
    return faultOf(error)
  }

  #fail(fault: Fault): void {
    if (this.#over) return
    void this.end()
    this.#events.fault(fault)
  }
}

function unknownImport(specifier: string): SyscallError {
  return new SyscallError(
    'EINVAL',
    `the program imports \`${specifier.slice(0, 200)}\`, which user space does not have; bundle it (spawn({ file }) does), or use the doors of \`gatehouse/guest\``,
  )
}

function overTime(turnMs: number): Fault {
  return { code: 'ETIMEDOUT', reason: `one turn of agent code took longer than ${turnMs} ms` }
}

const flood: Fault = { code: 'EAGAIN', reason: 'agent code made more calls in one turn than a guest can' }

const timedOut = /^Script execution timed out\.$/
const disposed = /^Isolate (was|is) disposed/

const isError = (error: unknown, message: RegExp): boolean =>
  error instanceof Error && message.test(error.message)

const outOfMemory: Fault = { code: 'ENOMEM', reason: 'agent code ran out of memory' }

/** Errors that come out of an isolate are copies. */
function faultOf(error: unknown): Fault {
  if (error instanceof SyscallError) return { code: error.code, reason: error.message }
  // isolated-vm puts an error of its own in place of a thrown object that is none.
  if (!(error instanceof Error) || /^An object was thrown from supplied code/.test(error.message))
    return { code: 'EFAULT', reason: 'agent code threw a value that is not an error' }
  if (/allocation failed/i.test(error.message) && guestFrames(error.stack).length === 0) return outOfMemory
  const code = Reflect.get(error, 'code')
  // Texts of agent code may hold lone surrogates, which the record does not take.
  const name = error.name.slice(0, 100).toWellFormed()
  const message = error.message.slice(0, limits.errorTextMax).toWellFormed()
  return {
    code: isErrno(code) ? code : 'EFAULT',
    reason: `uncaught ${name}: ${message}`,
    error: { name, message, stack: guestFrames(error.stack).join('\n').toWellFormed() },
  }
}

/** The frames of a stack above the boundary: below it stand the kernel's own. */
function guestFrames(stack: string | undefined): readonly string[] {
  const [above = ''] = (stack ?? '').split('at (<isolated-vm boundary>)')
  return above
    .split('\n')
    .filter((line) => line.startsWith('    at ') && !/gatehouse:|<isolated-vm/.test(line))
}
