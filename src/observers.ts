/** Who watches a kernel: listeners that are told what happened. Nothing waits for them or depends on them. */

import process from 'node:process'
import { EventEmitter } from 'eventemitter3'
import { closest } from 'fastest-levenshtein'
import type { ApprovalNews } from './approvals/request.ts'
import { type Errno, KernelError, type SyscallError } from './errors.ts'
import type { Labels } from './labels.ts'
import type { Decision } from './policy/types.ts'
import type { ProcessState } from './proc/exit.ts'
import type { Process } from './proc/process.ts'
import type { SignalName } from './proc/signals.ts'

interface Who {
  readonly pid: number
  readonly run: string
  readonly name: string
}

export interface SyscallEvent extends Who {
  readonly syscall: string
  readonly resource: string | undefined
  /** `refused`: nothing was touched. */
  readonly status: 'committed' | 'failed' | 'refused'
  readonly code?: Errno
  readonly reason?: string
  readonly decision?: Decision
  /** What its result carried; absent where that is nothing. */
  readonly labels?: Labels
}

/** What `kernel.on` offers. */
export interface KernelEvents {
  /** A call is over. */
  syscall: SyscallEvent
  /** The policy has decided about a call. */
  decision: Who & {
    readonly syscall: string
    readonly resource: string | undefined
    readonly decision: Decision
  }
  signal: Who & { readonly signal: SignalName; readonly by: string }
  state: Who & { readonly from: ProcessState; readonly to: ProcessState }
  /** A call waits for a person, or that has ended. */
  approval: Who & ApprovalNews
  output: Who & { readonly stream: 'stdout' | 'stderr'; readonly text: string }
  /** A tool threw, a model failed, a secret could not be read, or the kernel itself has a defect. Only the application sees the error. */
  error: { readonly where: string; readonly error: unknown }
}

const eventNames: readonly string[] = [
  'syscall',
  'decision',
  'signal',
  'state',
  'approval',
  'output',
  'error',
] satisfies (keyof KernelEvents)[]

export type Listener<Name extends keyof KernelEvents> = (event: KernelEvents[Name]) => void

/** A call that was admitted and is over. */
interface Settled {
  readonly syscall: string
  readonly resource: string
  readonly cause: SyscallError | undefined
  readonly decision: Decision | undefined
  readonly labels: Labels
}

const who = ({ pid, name, identity }: Process): Who => ({ pid, name, run: identity.run })

export class Observers {
  readonly #emitter = new EventEmitter()

  /**
   * @returns a function that takes the listener off
   * @throws KernelError EINVAL for an event that there is not
   */
  on<Name extends keyof KernelEvents>(event: Name, listener: Listener<Name>): () => void {
    if (!eventNames.includes(event))
      throw new KernelError(
        'EINVAL',
        `there is no event \`${event}\`; did you mean \`${closest(String(event), eventNames)}\`?`,
      )
    this.#emitter.on(event, listener)
    return () => void this.#emitter.off(event, listener)
  }

  refused(
    proc: Process,
    syscall: string,
    resource: string | undefined,
    cause: SyscallError,
    decision: Decision | undefined,
  ): void {
    if (decision !== undefined) this.#tell('decision', () => ({ ...who(proc), syscall, resource, decision }))
    this.#tell('syscall', () => ({
      ...who(proc),
      syscall,
      resource,
      status: 'refused',
      code: cause.code,
      reason: cause.message,
      ...(decision !== undefined && { decision }),
    }))
  }

  settled(proc: Process, { syscall, resource, cause, decision, labels }: Settled): void {
    if (decision !== undefined) this.#tell('decision', () => ({ ...who(proc), syscall, resource, decision }))
    this.#tell('syscall', () => ({
      ...who(proc),
      syscall,
      resource,
      ...(cause === undefined
        ? { status: 'committed' }
        : { status: 'failed', code: cause.code, reason: cause.message }),
      ...(decision !== undefined && { decision }),
      ...(labels.length > 0 && { labels }),
    }))
  }

  signalled(proc: Process, signal: SignalName, by: string): void {
    this.#tell('signal', () => ({ ...who(proc), signal, by }))
  }

  changed(proc: Process, from: ProcessState, to: ProcessState): void {
    this.#tell('state', () => ({ ...who(proc), from, to }))
  }

  printed(proc: Process, stream: 'stdout' | 'stderr', text: string): void {
    this.#tell('output', () => ({ ...who(proc), stream, text }))
  }

  approval(proc: Process, news: ApprovalNews): void {
    this.#tell('approval', () => ({ ...who(proc), ...news }))
  }

  /** The application's hook threw, or gave what is no answer. */
  approvalFailed(error: unknown): void {
    this.#tell('error', () => ({ where: 'approvals', error }))
  }

  toolFailed(tool: string, error: unknown): void {
    this.#tell('error', () => ({ where: `tool ${tool}`, error }))
  }

  modelFailed(model: string, error: unknown): void {
    this.#tell('error', () => ({ where: `model ${model}`, error }))
  }

  secretFailed(name: string, error: unknown): void {
    this.#tell('error', () => ({ where: `secret ${name}`, error }))
  }

  /** Other terminals cannot reach the kernel, or not in order; the kernel itself runs. */
  controlFailed(error: unknown): void {
    this.#tell('error', () => ({ where: 'control', error }))
  }

  /** Code of the application that runs for a session threw, and nobody waits for it. */
  hostFailed(error: unknown): void {
    this.#tell('error', () => ({ where: 'session', error }))
  }

  defect(error: unknown): void {
    this.#tell('error', () => ({ where: 'kernel', error }))
  }

  /** A listener that throws harms neither the kernel nor the next listener; its error becomes a warning of Node.js. */
  #tell<Name extends keyof KernelEvents>(event: Name, make: () => KernelEvents[Name]): void {
    const listeners = this.#emitter.listeners(event)
    if (listeners.length === 0) return
    const told = Object.freeze(make())
    for (const listener of listeners) {
      try {
        listener(told)
      } catch (error) {
        process.emitWarning(
          `a listener of '${event}' threw: ${error instanceof Error ? error.message : String(error)}`,
          'GatehouseListener',
        )
      }
    }
  }
}
