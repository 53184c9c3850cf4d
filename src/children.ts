/** Children that agents start: their names, policies and budgets come from user space, and only narrow. */
import { Agent, makeAgent } from './agents.ts'
import { namedFiles, type PolicyRef } from './config/policy.ts'
import type { ChildRequest } from './drivers/proc.ts'
import { KernelError, SyscallError } from './errors.ts'
import type { Json, JsonObject } from './json.ts'
import { limits } from './limits.ts'
import { extractionPolicy } from './policy/extraction.ts'
import type { BudgetDocument, PolicySet } from './policy/types.ts'
import type { Process } from './proc/process.ts'

type Start = (agent: Agent, args: readonly Json[], parent: Process, how?: 'sealed') => Process

/** What a child is under beside its parent's policies. */
function policyFor(policy: Json | undefined, how: 'sealed' | undefined): { policy?: never } {
  const own = policy === undefined ? [] : [ownName(policy)].flat()
  const policies = how === 'sealed' ? [...own, extractionPolicy] : own
  return policy === undefined && how === undefined ? {} : { policy: policies as never }
}

export class Children {
  readonly #start: Start
  readonly #isTaken: (name: string) => boolean
  /** Names that agents gave to their children, and the run in which. */
  readonly #namedBy = new Map<string, string>()
  /** The same the other way round, to be dropped with the run. */
  readonly #namesOf = new Map<string, Set<string>>()

  /** @param isTaken whether a name is registered, lives, or has files */
  constructor(start: Start, isTaken: (name: string) => boolean) {
    this.#start = start
    this.#isTaken = isTaken
  }

  /**
   * @param how `sealed` for an extraction
   * @throws SyscallError EPERM, EINVAL, EDQUOT or EAGAIN where the child cannot be started
   */
  spawn(parent: Process, request: ChildRequest, how?: 'sealed'): Process {
    const { source, args, name, policy, budget } = request
    if (namedFiles(policy as PolicyRef).length > 0) {
      throw new SyscallError(
        'EINVAL',
        'a policy for a child is a preset’s name or a document; paths of the host are not read for agents',
      )
    }
    const length = policy === undefined ? 0 : JSON.stringify(policy).length
    if (length > limits.childPolicyMax)
      throw new SyscallError(
        'EINVAL',
        `a child’s policy of ${length} characters; at most ${limits.childPolicyMax} are read for agents`,
      )
    assertOnlyRefuses(policy)
    this.#claimName(parent, name)
    try {
      const options = {
        name,
        ...policyFor(policy, how),
        ...(budget !== undefined && { budget: budget as BudgetDocument }),
      }
      const agent = broughtByAgent(makeAgent({ source }, options, parent.identity.isolation))
      assertAsksNothing(agent.policy, parent.policy)
      return this.#start(agent, args, parent, how)
    } catch (error) {
      if (error instanceof KernelError) throw new SyscallError(error.code, error.message)
      throw error
    }
  }

  /** A name that a run has given already, before this kernel. */
  keepName(run: string, name: string): void {
    this.#namedBy.set(name, run)
    this.#namesOf.set(run, (this.#namesOf.get(run) ?? new Set()).add(name))
  }

  /** A run is over: what its children were called is free again, but for names that have files. */
  forget(run: string): void {
    for (const name of this.#namesOf.get(run) ?? [])
      if (this.#namedBy.get(name) === run) this.#namedBy.delete(name)
    this.#namesOf.delete(run)
  }

  /** Names that are kept for runs. */
  get named(): number {
    return this.#namedBy.size
  }

  /**
   * An agent's files, mailbox and rules go by its name, so a child may not take the name of another.
   * @throws SyscallError EPERM for a name that is registered, or that lives or has files outside this run
   */
  #claimName(parent: Process, name: string): void {
    const { run } = parent.identity
    if (name === parent.name || this.#namedBy.get(name) === run) return
    if (this.#isTaken(name))
      throw new SyscallError('EPERM', `\`${name}\` is the name of another agent; choose one that is free`)
    this.keepName(run, name)
  }
}

/**
 * What is kept of calls, and which labels there are, is the application's: whoever gave a neighbour data with more
 * labels than anybody may carry would end it, and whoever kept calls out of the record would hide them.
 */
function assertOnlyRefuses(policy: Json | undefined): void {
  if (policy === undefined) return
  const rules = [policy]
    .flat()
    .flatMap((each) => (isMap(each) && Array.isArray(each.rules) ? each.rules : []))
    .filter(isMap)
  const key = ['label', 'log'].find((each) => rules.some((rule) => each in rule))
  if (key !== undefined)
    throw new SyscallError(
      'EINVAL',
      `a policy for a child has no \`${key}\`: what results carry and what is kept of them is for the policies of the application to say`,
    )
  if (rules.some(({ effect, contains }) => effect === 'ask' && contains !== undefined))
    throw new SyscallError(
      'EINVAL',
      'in a policy for a child no rule with `contains` asks, since of such calls only a digest is kept; let it forbid',
    )
}

/** Presets too: whatever an agent chooses narrows its child, and has no say in what is kept of it. */
function broughtByAgent(agent: Agent): Agent {
  if (agent.policy === undefined) return agent
  const policies = agent.policy.policies.map((policy) => ({ ...policy, byAgent: true as const }))
  // It is never asked by itself: `narrow` compiles it with what is above it.
  return new Agent({ ...agent, policy: { ...agent.policy, policies } })
}

/**
 * What its run has seen and done tells a policy what its process has not taken on; whoever writes both could have it
 * tell everything, one answer after another.
 */
function assertAsksNothing(own: PolicySet | undefined, above: PolicySet): void {
  if (
    own === undefined ||
    own.policies.every(({ name }) => above.policies.some((each) => each.name === name))
  )
    return
  const { origins, history } = own.needs
  if (origins || history.some(({ scope }) => scope !== 'process'))
    throw new SyscallError(
      'EINVAL',
      'a policy for a child asks for no `origin` and for no `history` but `history.process`: what others have seen and done is for the policies of the application to ask',
    )
}

const isMap = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A guest's policy is told apart from those of the host, whatever it calls itself. */
const ownName = (policy: Json): Json =>
  Array.isArray(policy)
    ? policy.map(ownName)
    : isNamed(policy)
      ? { ...policy, name: `guest.${policy.name}` }
      : policy

const isNamed = (policy: Json): policy is JsonObject & { name: string } =>
  typeof policy === 'object' && policy !== null && 'name' in policy && typeof policy.name === 'string'
