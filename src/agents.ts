/** Agents: a program with its name, policy and limits, read and checked once, run many times. */

import { readAgentName, readBudget, readSpawnOptions } from './config/options.ts'
import { combine, loadNarrowing, type PolicyRef } from './config/policy.ts'
import { bundleProgram, type ProgramText, textProgram } from './config/program.ts'
import { KernelError } from './errors.ts'
import type { AnyFunction } from './govern/refusal.ts'
import { nameOf, programOf } from './govern/source.ts'
import { leastBudget } from './policy/budget.ts'
import {
  type Budget,
  type BudgetDocument,
  type Isolation,
  isolations,
  type PolicySet,
} from './policy/types.ts'

/** What a process can be made of. */
export type Program = Agent | AnyFunction | { readonly file: string } | { readonly source: string }

export interface AgentOptions {
  /** How it is called in policies, in the process table and in evidence. */
  readonly name?: string
  /** Narrows the kernel's policy. */
  readonly policy?: PolicyRef
  readonly budget?: BudgetDocument
  readonly isolation?: Isolation
  readonly labels?: readonly string[]
}

/** A registered agent; made by `kernel.register`, run by `kernel.execute` and `kernel.spawn`. */
export class Agent {
  readonly name: string
  /** @internal */
  readonly code: Code
  /** What it adds to the kernel's policy. @internal */
  readonly policy: PolicySet | undefined
  readonly budget: Budget
  readonly isolation: Isolation | undefined
  readonly labels: readonly string[]

  /** @internal */
  constructor(parts: Omit<Agent, never>) {
    this.name = parts.name
    this.code = parts.code
    this.policy = parts.policy
    this.budget = parts.budget
    this.isolation = parts.isolation
    this.labels = parts.labels
    Object.freeze(this)
  }
}

/** How the program comes: as text for an isolate, or as a function of the application itself. */
export type Code =
  | { readonly kind: 'text'; readonly load: () => ProgramText | Promise<ProgramText> }
  | { readonly kind: 'host'; readonly run: (...args: never[]) => unknown }

/**
 * Reads a program and its options; functions are checked to be able to travel.
 * @param fallback the kernel's isolation, for a program that names none
 * @param shown how messages call a function, such as `Desk.triage`; an agent's name is the function's own
 * @throws KernelError for options, policies and functions that are not sound
 */
export function makeAgent(
  program: Program,
  options: AgentOptions,
  fallback: Isolation,
  shown?: string,
): Agent {
  if (program instanceof Agent) return narrowAgent(program, options)
  const { name, policy, budget, isolation, labels = [] } = readSpawnOptions(options)
  const code = codeOf(program, isolation ?? fallback, shown ?? name)
  return new Agent({
    name: readAgentName(name ?? defaultName(program)),
    code,
    policy: policy === undefined ? undefined : loadNarrowing(policy as PolicyRef),
    budget: readBudget(budget),
    isolation,
    labels,
  })
}

/** Options given at a spawn narrow those of the agent; its code stays as it was read. */
function narrowAgent(agent: Agent, options: AgentOptions): Agent {
  const { name, policy, budget, isolation, labels = [] } = readSpawnOptions(options)
  if (
    policy === undefined &&
    budget === undefined &&
    isolation === undefined &&
    name === undefined &&
    labels.length === 0
  )
    return agent
  if (isolation === 'host' || agent.code.kind === 'host') assertSameSide(agent, isolation)
  const own =
    policy === undefined
      ? agent.policy
      : agent.policy === undefined
        ? loadNarrowing(policy as PolicyRef)
        : combine(agent.policy, policy as PolicyRef)
  const stronger = isolations.find((each) => each === isolation || each === agent.isolation)
  return new Agent({
    name: name ?? agent.name,
    code: agent.code,
    policy: own,
    budget: leastBudget([agent.budget, readBudget(budget)]),
    isolation: stronger,
    labels: [...new Set([...agent.labels, ...labels])],
  })
}

function assertSameSide(agent: Agent, isolation: Isolation | undefined): void {
  if ((isolation === 'host') === (agent.code.kind === 'host') || isolation === undefined) return
  throw new KernelError(
    'EINVAL',
    `agent \`${agent.name}\` was registered for ${agent.code.kind === 'host' ? 'isolation `host`' : 'an isolate'}; register it again for \`${isolation}\``,
  )
}

function codeOf(program: Exclude<Program, Agent>, isolation: Isolation, name: string | undefined): Code {
  if (typeof program === 'function') {
    if (isolation === 'host') return { kind: 'host', run: program }
    const { text } = programOf(program, name ?? nameOf(program))
    return { kind: 'text', load: () => ({ text, filename: `${nameOf(program) || 'function'}.js` }) }
  }
  if (isolation === 'host')
    throw new KernelError(
      'EINVAL',
      'only a function can run with isolation `host`; a file or source text runs in an isolate',
    )
  if (isShape(program, 'source')) {
    const read = textProgram(program.source)
    return { kind: 'text', load: () => read }
  }
  if (isShape(program, 'file')) return { kind: 'text', load: () => bundleProgram(program.file) }
  throw new KernelError('EINVAL', 'a program is a function, an agent, `{ file }` or `{ source }`')
}

const isShape = <Key extends string>(value: unknown, key: Key): value is Record<Key, string> =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, key) === 'string'

function defaultName(program: Exclude<Program, Agent>): string {
  if (typeof program === 'function') return nameOf(program).replace(/^(#|bound )/, '') || 'function'
  if (!isShape(program, 'file')) return 'program'
  const base = program.file.split(/[\\/]/).at(-1) ?? ''
  return base.replace(/\.[^.]*$/, '') || 'program'
}
