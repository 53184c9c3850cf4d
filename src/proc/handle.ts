/** A process as the application holds it. */

import { byApplication } from '../actors.ts'
import { KernelError, SyscallError } from '../errors.ts'
import type { Exit, ProcessState } from './exit.ts'
import type { Process } from './process.ts'
import { type SignalName, signalName } from './signals.ts'

export class ProcessHandle {
  readonly #process: Process

  constructor(process: Process) {
    this.#process = process
  }

  get pid(): number {
    return this.#process.pid
  }

  get name(): string {
    return this.#process.name
  }

  get state(): ProcessState {
    return this.#process.state
  }

  /** Resolves when the process has ended and its end is on record. Never rejects. */
  get exit(): Promise<Exit> {
    return this.#process.exit
  }

  /**
   * @param signal a number of `AgentSignal`, or a name such as `SIGTERM`
   * @returns what it did, in words
   * @throws KernelError ESRCH when the process has ended, EINVAL for what is no signal
   */
  signal(signal: number | string): string {
    return signalAs(this.#process, signal, `by ${byApplication}`)
  }
}

/** @throws KernelError ESRCH when the process has ended, EINVAL for what is no signal */
export function signalAs(process: Process, signal: number | string, by: string): string {
  const effect = process.signal(readSignal(signal), by)
  if (effect === undefined)
    throw new KernelError('ESRCH', `process ${process.pid} (\`${process.name}\`) has ended`)
  return effect
}

function readSignal(signal: number | string): SignalName {
  try {
    return signalName(signal)
  } catch (error) {
    if (error instanceof SyscallError) throw new KernelError(error.code, error.message)
    throw error
  }
}
