/** What the policy is asked about one call: what the syscall says of it, and what the kernel knows of who makes it. */
import type { Json, JsonObject } from '../json.ts'
import { type ArgumentType, argumentsOfSchema } from '../policy/arguments.ts'
import type { Content } from '../policy/content.ts'
import type { Request } from '../policy/types.ts'
import type { Process } from '../proc/process.ts'
import type { Judged } from '../syscalls/row.ts'
import type { Runs } from './runs.ts'

/** The question in full: with who asks, what it carries and what is left to it. */
export function requestOf(
  process: Process,
  runs: Runs,
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
