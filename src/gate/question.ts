/** What the policy is asked about one call: what the syscall says of it, and what is known of who makes it. */
import type { Json, JsonObject } from '../json.ts'
import type { Labels } from '../labels.ts'
import { type ArgumentType, argumentsOfSchema } from '../policy/arguments.ts'
import type { Content } from '../policy/content.ts'
import type { Isolation, Request } from '../policy/types.ts'
import type { Judged } from '../syscalls/row.ts'
import type { Answered } from './around.ts'
import type { Member, Runs } from './runs.ts'

/** Who asks: a process that lives, or one of a record. */
export interface Asker extends Member {
  readonly identity: { readonly isolation: Isolation; readonly sealed?: boolean }
  readonly labels: Labels
  readonly ledger: { remaining(): ReturnType<NonNullable<Request['budget']>> }
}

/** What a policy said to a call, question by question, until it forbade one. */
export interface Answers {
  /** Those that permit or ask. */
  readonly answered: readonly Answered[]
  readonly forbidden?: Answered
}

/**
 * Asks the policy of a process all that a call needs its word for.
 * @param judged what the syscall says of the call, question by question
 * @param content what the call holds
 */
export function askPolicy(
  process: Asker,
  runs: Pick<Runs, 'answersFor'>,
  judged: readonly Judged[],
  content: Content,
): Answers {
  const answered: Answered[] = []
  for (const question of judged) {
    const request = requestOf(process, runs, question, content)
    const decision = process.policy.decide(request)
    if (decision.effect === 'forbid') return { answered, forbidden: { request, decision } }
    answered.push({ request, decision })
  }
  return { answered }
}

/** The question in full: with who asks, what it carries and what is left to it. */
function requestOf(
  process: Asker,
  runs: Pick<Runs, 'answersFor'>,
  { action, resource, args, schema }: Judged,
  content: Content,
): Request {
  return {
    principal: process.name,
    isolation: process.identity.isolation,
    labels: process.labels,
    ...runs.answersFor(process),
    budget: () => process.ledger.remaining(),
    action,
    resource,
    args: args as Json,
    content,
    ...(schema !== undefined && { argumentType: typeOfTool(schema) }),
  }
}

/** By the tool's own schema object: each tool's conditions are checked and compiled once. */
const toolTypes = new WeakMap<object, ArgumentType & object>()

function typeOfTool(schema: JsonObject): ArgumentType & object {
  const type = toolTypes.get(schema) ?? argumentsOfSchema(schema)
  toolTypes.set(schema, type)
  return type
}
