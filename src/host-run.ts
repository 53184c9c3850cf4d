/** A process of isolation `host`: a function of the application itself. Only what it does through the kernel is governed. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Agent } from './agents.ts'
import { assert } from './errors.ts'
import { asJson } from './json.ts'
import { limits } from './limits.ts'
import { Flight } from './proc/flight.ts'
import type { Process } from './proc/process.ts'
import type { Spawner } from './spawner.ts'

export interface HostRun {
  readonly process: Process
  /** What the function returned, once the process has exited; need not be JSON. */
  readonly value: () => unknown
}

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

const current = new AsyncLocalStorage<CurrentProcess>()

/**
 * @returns the process of isolation `host` that the calling code belongs to, through whatever it awaits; undefined
 *   outside of one
 */
export const currentProcess = (): CurrentProcess | undefined => current.getStore()

/**
 * Runs a host function. A signal that ends the process rejects its call; the function itself cannot be stopped
 * from outside, and goes on until it returns.
 * @throws KernelError where the policy does not accept isolation `host`
 */
export function runHost(spawner: Spawner, agent: Agent, self: unknown, args: readonly unknown[]): HostRun {
  const { code } = agent
  assert(code.kind === 'host', 'a host run of an agent with a text')
  const process = spawner.spawn(agent, [])
  spawner.record(process, undefined)
  process.begin()
  let returned: unknown
  const end = new Flight()
  process.inFlight.add(end)
  const here: CurrentProcess = {
    pid: process.pid,
    name: process.name,
    run: process.identity.run,
    signal: end.signal,
    get isStopped() {
      return process.held
    },
  }
  const run = async (): Promise<unknown> => Reflect.apply(code.run, self, args)
  current.run(here, run).then(
    (value) => {
      returned = value
      process.end({ status: 'exited', ...recordable(value) })
    },
    (error: unknown) => process.end({ status: 'failed', ...describe(error) }),
  )
  return { process, value: () => returned }
}

/** A result that is JSON goes on record; another is the application's own affair. */
function recordable(value: unknown): { value?: ReturnType<typeof asJson> } {
  try {
    return value === undefined ? {} : { value: asJson(value, 'result') }
  } catch {
    return {}
  }
}

function describe(error: unknown): {
  reason: string
  error: { code: 'EFAULT'; message: string; name: string }
} {
  const name = textOf(error instanceof Error ? error.name : 'Error')
  const message = `${name}: ${textOf(error instanceof Error ? error.message : error)}`
  return { reason: message, error: { code: 'EFAULT', message, name } }
}

/** What a function threw may be anything, and may not be text that UTF-8 carries. */
function textOf(value: unknown): string {
  try {
    return String(value).toWellFormed().slice(0, limits.errorTextMax)
  } catch {
    return 'a value that has no text'
  }
}
