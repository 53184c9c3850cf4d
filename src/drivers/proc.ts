/** What a process may do to processes: look at itself, start children, wait, signal, print, end. */
import { SyscallError } from '../errors.ts'
import { Grant } from '../grant.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Labels } from '../labels.ts'
import { limits } from '../limits.ts'
import type { Disposition } from '../proc/dispositions.ts'
import type { Exit, ExitError } from '../proc/exit.ts'
import type { NarrowSchema } from '../proc/narrow-schema.ts'
import type { Process } from '../proc/process.ts'
import { type SignalName, signalName } from '../proc/signals.ts'
import type { ProcessTable } from '../proc/table.ts'

/** What an agent gives to start a child. A policy here is a preset's name or a document, never a path of the host. */
export interface ChildRequest {
  readonly source: string
  readonly args: readonly Json[]
  readonly name: string
  readonly policy: Json | undefined
  readonly budget: JsonObject | undefined
}

export interface ProcServices {
  readonly table: ProcessTable
  /** Starts a child; its policy and budget only narrow its parent's. */
  readonly spawnChild: (parent: Process, request: ChildRequest, how?: 'sealed') => Process
  readonly signal: (target: Process, signal: SignalName, by: Process) => string | undefined
  /** Hands text to the application; called when it is on record. */
  readonly output: (process: Process, stream: 'stdout' | 'stderr', text: string) => void
}

export class ProcDriver {
  readonly #services: ProcServices
  readonly #extractions = new WeakMap<Process, Map<number, Process>>()

  constructor(services: ProcServices) {
    this.#services = services
  }

  /** An extraction began before this kernel: where its call is made again, it is this one. */
  resumeExtraction(process: Process, number: number, child: Process): void {
    const known = this.#extractions.get(process) ?? new Map<number, Process>()
    this.#extractions.set(process, known.set(number, child))
  }

  self(grant: Grant, process: Process): Json {
    Grant.demand(grant, 'proc.self', '')
    const { pid, ppid, run, name, isolation } = process.identity
    const { labels } = process
    return { pid, ppid, run, name, isolation, labels, budget: process.ledger.remaining() }
  }

  /** @throws SyscallError EAGAIN, EDQUOT or EINVAL where the child cannot be started */
  spawn(grant: Grant, process: Process, request: ChildRequest): Json {
    Grant.demand(grant, 'proc.spawn', request.name)
    assertRoom(process)
    return { pid: this.#services.spawnChild(process, request).pid }
  }

  /**
   * Has a child look, and takes from it one value that fits; of everything else it does nothing comes back.
   * @returns the value, and what the child carried in the end
   * @throws SyscallError EAGAIN, EDQUOT or EINVAL where it cannot be started, EINTR when the caller is ended; EFAULT
   *   for whatever goes wrong in it, always the same
   */
  async extract(
    grant: Grant,
    process: Process,
    request: ChildRequest,
    schema: NarrowSchema,
    number: number,
  ): Promise<{ readonly value: Json; readonly labels: Labels }> {
    Grant.demand(grant, 'proc.extract', request.name)
    assertRoom(process)
    const known = this.#extractions.get(process)?.get(number)
    const child = known ?? this.#services.spawnChild(process, request, 'sealed')
    const { status, value, labels } = await untilAborted(child.exit, grant.signal)
    if (status === 'exited' && value !== undefined && schema.fits(value)) return { value, labels }
    throw new SyscallError('EFAULT', 'the extraction gave no value that fits its schema')
  }

  /** @throws SyscallError ECHILD when the pid is not a child of the caller, EINTR when the caller is ended */
  async wait(grant: Grant, process: Process, pid: number): Promise<Exit> {
    Grant.demand(grant, 'proc.wait', '')
    const child = this.#services.table.get(pid)
    if (child?.parent !== process || child.identity.sealed)
      throw new SyscallError('ECHILD', `process ${pid} is not a child of this process`)
    return untilAborted(child.exit, grant.signal)
  }

  signal(grant: Grant, process: Process, target: Process, signal: SignalName): Json {
    Grant.demand(grant, 'proc.signal', target.name)
    // That it was signalled, and by which signal, is something the target learns.
    target.takeOn(process.labels)
    const effect = this.#services.signal(target, signal, process)
    if (effect === undefined) throw new SyscallError('ESRCH', `process ${target.pid} has ended`)
    return { effect }
  }

  /** Ends a call of the same process that is under way; one that is over, or never was, is left alone. */
  cancel(grant: Grant, process: Process, number: number): null {
    Grant.demand(grant, 'call.cancel', '')
    for (const flight of process.inFlight) if (flight.call?.number === number) flight.cancel()
    return null
  }

  action(grant: Grant, process: Process, signal: SignalName, disposition: Disposition): null {
    Grant.demand(grant, 'proc.sigaction', '')
    process.dispositions.set(signal, disposition)
    return null
  }

  mask(grant: Grant, process: Process, masked: readonly SignalName[]): null {
    Grant.demand(grant, 'proc.sigmask', '')
    process.dispositions.mask(masked)
    // What waits and is no longer masked is taken after this call has been answered.
    queueMicrotask(() => process.reception.takePending())
    return null
  }

  handled(grant: Grant, process: Process, signal: number): null {
    Grant.demand(grant, 'proc.sigreturn', '')
    process.reception.handlerDone(signalName(signal))
    return null
  }

  /** @throws SyscallError EDQUOT when the process has printed as much as it may */
  output(grant: Grant, process: Process, stream: 'stdout' | 'stderr', text: string): null {
    Grant.demand(grant, 'proc.output', '')
    if (process.printed + text.length > limits.outputBytesMax) {
      throw new SyscallError(
        'EDQUOT',
        `a process may print ${limits.outputBytesMax} characters; write the rest to a file`,
      )
    }
    process.printed += text.length
    this.#services.output(process, stream, text)
    return null
  }

  exit(grant: Grant, process: Process, value: Json | undefined, error: ExitError | undefined): null {
    Grant.demand(grant, 'proc.exit', '')
    if (error !== undefined) process.end({ status: 'failed', error, reason: error.message })
    else process.end(value === undefined ? { status: 'exited' } : { status: 'exited', value })
    return null
  }
}

function assertRoom({ children }: Process): void {
  if (children.size >= limits.childrenMax)
    throw new SyscallError('EAGAIN', `${limits.childrenMax} children live already; wait for one`)
}

/** An exit as a parent or a reader of evidence sees it. */
export function exitToJson(exit: Exit): Json {
  const { status, value, error, signal, reason, labels } = exit
  return {
    status,
    ...(value !== undefined && { value }),
    ...(error !== undefined && { error: { code: error.code, message: error.message } }),
    ...(signal !== undefined && { signal }),
    ...(reason !== undefined && { reason }),
    ...(labels.length > 0 && { labels }),
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new SyscallError('EINTR', 'ended by a signal'))
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    void work.then((value) => {
      signal.removeEventListener('abort', abort)
      resolve(value)
    })
  })
}
