/** How a recorded process ended, and what its last turn therefore has to come to when it is repeated. */
import { z } from 'zod'
import { payloadHash } from '../evidence/verify.ts'
import type { Side } from './divergence.ts'
import type { RecordedExit, RecordedProcess } from './recorded-process.ts'
import type { RunSource } from './source.ts'
import type { Goal } from './watch.ts'

/** @returns what the last turn comes to: where somebody else ended the process, agent code may be anywhere in it */
export function lastGoal({ exit, calls }: RecordedProcess): Goal {
  if (exit === undefined || calls.some(isOwnExit)) return 'seen'
  if (exit.from === 'waiting') return 'over'
  return exit.from === 'running' && isOwnFault(exit) ? 'fault' : 'seen'
}

const isOwnExit = ({ syscall, intent }: RecordedProcess['calls'][number]): boolean =>
  syscall === 'proc.exit' && intent !== undefined

/** An error that agent code did not catch, or a module that it does not have; not a limit that it met. */
function isOwnFault({ status, error, reason }: RecordedExit): boolean {
  if (status !== 'failed' || error === undefined) return false
  return error.message !== reason || error.code === 'EFAULT' || error.code === 'EINVAL'
}

/**
 * @param exitArgs arguments of the `proc.exit` with which the repeated process ended
 * @returns where it ended with another value or error than is on record, both
 */
export function compareEnds(
  exit: RecordedExit,
  exitArgs: string,
  source: RunSource,
): { readonly recorded: Side; readonly replayed: Side } | undefined {
  const { value, error } = readExitArgs(exitArgs)
  if (error !== undefined) {
    const message = `${error.name}: ${error.message}`
    if (exit.status !== 'failed' || exit.error?.message === message) return undefined
    return { recorded: { what: exit.error?.message ?? exit.reason ?? '' }, replayed: { what: message } }
  }
  if (exit.status !== 'exited') return undefined
  const text = value === undefined ? undefined : JSON.stringify(value)
  const kept = exit.value && source.payloads(new Set([exit.value.hash])).get(exit.value.hash)
  if (isRecorded(text, exit, kept?.salt)) return undefined
  return {
    recorded: valueSide(exit.value === undefined ? 'no value' : 'a value', kept?.text),
    replayed: valueSide(text === undefined ? 'no value' : 'a value', text),
  }
}

/** They are those on record, of which nobody knows who wrote it. */
function readExitArgs(text: string): z.infer<typeof exitArguments> {
  try {
    return exitArguments.parse(JSON.parse(text))
  } catch {
    return {}
  }
}

const exitArguments = z.object({
  value: z.unknown().optional(),
  error: z.object({ name: z.string(), message: z.string() }).optional(),
})

function isRecorded(text: string | undefined, { value }: RecordedExit, salt: string | undefined): boolean {
  if (text === undefined || value === undefined) return text === value
  if (salt === undefined) return Buffer.byteLength(text) === value.bytes
  return payloadHash(Buffer.from(salt, 'hex'), text.toWellFormed()) === value.hash
}

const valueSide = (what: string, args: string | undefined): Side => ({
  what: `it exited with ${what}`,
  ...(args !== undefined && { args }),
})
