/** A process of isolation `host`: a function of the application itself. Only what it does through the kernel is governed. */
import type { Agent } from '../agents.ts'
import { assert } from '../errors.ts'
import type { Exit } from '../proc/exit.ts'
import { Session, type SessionParts } from './session.ts'

export interface HostRun {
  readonly session: Session
  readonly exit: Promise<Exit>
  /** What the function returned, once the process has exited; need not be JSON. */
  readonly value: () => unknown
}

/**
 * Runs a host function. A signal that ends the process rejects its call; the function itself cannot be stopped
 * from outside, and goes on until it returns.
 * @throws KernelError where the policy does not accept isolation `host`
 */
export function runHost(parts: SessionParts, agent: Agent, self: unknown, args: readonly unknown[]): HostRun {
  const { code } = agent
  assert(code.kind === 'host', 'a host run of an agent with a text')
  const session = new Session(parts, agent)
  let returned: unknown
  const run = async (): Promise<unknown> => Reflect.apply(code.run, self, args)
  session.within(run).then(
    (value) => {
      returned = value
      void session.end(value)
    },
    (error: unknown) => void session.fail(error),
  )
  return { session, exit: session.exit, value: () => returned }
}
