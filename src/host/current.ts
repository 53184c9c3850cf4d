/** Which process the calling code of the application belongs to, through whatever it awaits. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Session } from './session.ts'

/** What code of the application can know of the process that it runs as. */
export interface CurrentProcess {
  readonly pid: number
  readonly name: string
  readonly run: string
  /** Aborts when the process is ended by a signal, its budget or the kernel's shutdown. */
  readonly signal: AbortSignal
  /** Whether SIGSTOP was taken: nothing can stop such code from outside, and it should do no more until this is false. */
  readonly isStopped: boolean
}

const current = new AsyncLocalStorage<Session>()

/**
 * @returns the process of isolation `host` that the calling code belongs to, through whatever it awaits; undefined
 *   outside of one
 */
export const currentProcess = (): CurrentProcess | undefined => current.getStore()

/** The same, for the kernel's own code. */
export const currentSession = (): Session | undefined => current.getStore()

/** Runs code that belongs to the process of a session, with all that it awaits. */
export const within = <T>(session: Session, work: () => T): T => current.run(session, work)
