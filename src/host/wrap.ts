/** What an application says of an object that it wraps or a session that it begins, read and checked. */
import type { Agent, AgentOptions } from '../agents.ts'
import type { ToolOptions } from '../drivers/tool-definition.ts'
import { KernelError } from '../errors.ts'
import { didYouMean } from '../policy/suggest.ts'
import { Session, type SessionParts } from './session.ts'
import { Wrapping } from './wrapping.ts'

export interface SessionOptions extends Omit<AgentOptions, 'isolation'> {
  /** What it is asked to do; JSON, for `origin()`: values that are seen in it are trusted as those of the task. */
  readonly task?: unknown
  /** The framework whose object it stands for, for the record. */
  readonly framework?: Framework
}

export interface WrapOptions extends Omit<SessionOptions, 'task'> {
  /** A session that all calls belong to; without it each outermost run, or call, has a process of its own. */
  readonly session?: Session
  /** What is said of tools, by their names: labels of their results, and how long a call may take. */
  readonly tools?: Readonly<Record<string, ToolOptions>>
}

export interface Framework {
  readonly name: string
  readonly version?: string | undefined
}

/** What a kernel reads wrapped objects with. */
export interface Wrapper {
  readonly host: SessionParts
  /** Reads the options that agents have. @throws KernelError for those that are not sound */
  readonly agent: (options: AgentOptions, fallback: string) => Agent
}

const wrapKeys = ['name', 'policy', 'budget', 'labels', 'framework', 'session', 'tools']

/**
 * @param fallback the name, where the options give none
 * @throws KernelError EINVAL for options that are not sound
 */
export function makeWrapping({ host, agent }: Wrapper, options: WrapOptions, fallback: string): Wrapping {
  const unknown = Object.keys(options).find((key) => !wrapKeys.includes(key))
  if (unknown !== undefined)
    throw new KernelError(
      'EINVAL',
      `\`${unknown.slice(0, 80)}\` is no option of what is wrapped${didYouMean(unknown.slice(0, 80), wrapKeys)}; there are ${wrapKeys.join(', ')}`,
    )
  const { framework, session, tools = {}, ...own } = options
  const isNarrowing = own.policy !== undefined || own.budget !== undefined || (own.labels ?? []).length > 0
  if (session !== undefined) assertFits(session, host, own)
  return new Wrapping({
    ...{ host, session, tools, framework: shown(framework) },
    agent: agent(own, fallback),
    narrows: isNarrowing,
  })
}

/**
 * @throws KernelError EINVAL for options that are not sound, EPERM where the policy does not accept isolation `host`
 */
export function beginSession({ host, agent }: Wrapper, options: SessionOptions): Session {
  const { task, framework, ...own } = options
  const wrapping = new Wrapping({
    ...{ host, session: undefined, tools: {}, framework: shown(framework), narrows: true },
    agent: agent(own, 'session'),
  })
  return wrapping.begin(task).session
}

function assertFits(session: Session, host: SessionParts, own: AgentOptions): void {
  if (!(session instanceof Session) || !session.isOf(host))
    throw new KernelError(
      'EINVAL',
      'the option `session` is a session of this kernel, made with `kernel.attach`',
    )
  const [doubled] = Object.keys(own)
  if (doubled !== undefined)
    throw new KernelError(
      'EINVAL',
      `the option \`${doubled}\` is said where the session is begun: what is wrapped has that of its session`,
    )
}

const shown = (framework: Framework | undefined): string | undefined =>
  framework === undefined
    ? undefined
    : [framework.name, framework.version].filter(Boolean).join(' ').slice(0, 200)
