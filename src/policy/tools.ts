/** Whether the conditions of a policy can be judged for a tool: a misspelt argument is found before any call. */
import { KernelError } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import { expandAction } from './actions.ts'
import { argumentsOfSchema } from './arguments.ts'
import { compileName } from './match.ts'
import { misfit } from './rule-condition.ts'
import type { PolicySet, Rule } from './types.ts'

/**
 * @param set what is in force, or is to be
 * @param schema the tool's parameters, as JSON Schema
 * @throws KernelError EINVAL with the rule, what was found in its condition, and what was meant
 */
function assertToolFits({ policies }: PolicySet, tool: string, schema: JsonObject): void {
  const type = argumentsOfSchema(schema)
  for (const { name, rules } of policies) {
    for (const rule of rules) {
      if (rule.when === undefined || !isAbout(rule, tool)) continue
      const why = misfit(rule.when, type)
      if (why !== undefined)
        throw new KernelError(
          'EINVAL',
          `tool \`${tool}\` does not fit rule \`${rule.id}\` (${name}:${rule.line}): ${why}; name the tools that the rule is for in \`resource\`, or correct its \`when\``,
        )
    }
  }
}

/** @returns what says of a tool whether it fits the policy that is in force then */
export const fitting =
  (inForce: () => PolicySet) =>
  (tool: string, schema: JsonObject): void =>
    assertToolFits(inForce(), tool, schema)

/** @throws KernelError EINVAL for the first that does not fit */
export function assertToolsFit(
  set: PolicySet,
  tools: readonly { readonly name: string; readonly parameters: JsonObject }[],
): void {
  for (const { name, parameters } of tools) assertToolFits(set, name, parameters)
}

const isAbout = ({ actions, resources }: Rule, tool: string): boolean =>
  actions.flatMap(expandAction).includes('tool.call') &&
  (resources === undefined || resources.some((pattern) => compileName(pattern)(tool)))
