/** Signals to the command go on to the process: the first as it is, a second as SIGKILL. */
import { KernelError } from '../errors.ts'
import type { ProcessState } from '../proc/exit.ts'
import type { ProcessHandle } from '../proc/handle.ts'
import type { Output } from './output.ts'

/** What a process gets for what the command gets; a closed terminal asks it to end. */
const forwarded = { SIGINT: 'SIGINT', SIGTERM: 'SIGTERM', SIGHUP: 'SIGTERM' } as const
const received = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** There is nothing to add to how the run ends. */
const ended: readonly ProcessState[] = ['exited', 'killed', 'failed']

/** @returns stops forwarding */
export function forwardSignals(process: ProcessHandle, out: Output): () => void {
  let count = 0
  const forward = (signal: NodeJS.Signals): void => {
    count += 1
    const known = received.find((each) => each === signal)
    const sent = count > 1 || known === undefined ? 'SIGKILL' : forwarded[known]
    const effect = send(process, sent)
    if (effect === undefined || ended.includes(process.state)) return
    out.note(`${sent}: ${effect} (once more for SIGKILL)`)
  }
  for (const signal of received) globalThis.process.on(signal, forward)
  return () => {
    for (const signal of received) globalThis.process.off(signal, forward)
  }
}

/** @returns what it did; undefined where the process had ended before */
function send(process: ProcessHandle, signal: string): string | undefined {
  try {
    return process.signal(signal)
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ESRCH') return undefined
    throw error
  }
}
