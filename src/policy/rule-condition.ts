/** The condition of one rule, compiled once for each type of arguments that it meets. */
import { type Action, argumentsOf } from './actions.ts'
import { type ArgumentType, anyArguments } from './arguments.ts'
import type { ConditionFlaw } from './cel-bounds.ts'
import { environmentFor } from './cel-environment.ts'
import type { Meter } from './cel-values.ts'
import { type Condition, compileCondition } from './condition.ts'
import type { Needs, Request } from './types.ts'

export class RuleCondition {
  readonly text: string
  readonly #compiled = new WeakMap<object, Condition | string>()

  constructor(text: string) {
    this.text = text
  }

  /** @returns whether it holds, or why that cannot be said, as a clause; nothing that a call holds makes it throw */
  judge(action: Action, request: Request, meter: Meter): boolean | string {
    const type = typeOf(action, request.argumentType)
    const condition = this.#compiled.get(type) ?? this.#compile(type)
    return typeof condition === 'string' ? condition : condition.judge(request, meter)
  }

  #compile(type: ArgumentType & object): Condition | string {
    const made = compileCondition(this.text, environmentFor(type))
    const condition = 'judge' in made ? made : (made[0]?.message ?? 'it does not fit these arguments')
    this.#compiled.set(type, condition)
    return condition
  }
}

/** @returns what a sound condition asks of the kernel; it does not depend on what it is about */
export function needsOf(text: string, action: Action): Needs {
  // Most conditions ask nothing, and are compiled when they are first judged.
  if (!/history|origin/.test(text)) return { origins: false, history: [] }
  const made = compileCondition(text, environmentFor(typeOf(action, undefined)))
  return 'judge' in made
    ? { origins: made.asksOrigin, history: made.queries }
    : { origins: false, history: [] }
}

/**
 * @param actions that a rule covers
 * @returns what is wrong with its condition, for the first action for which something is
 */
export function conditionFlaws(text: string, actions: readonly Action[]): readonly ConditionFlaw[] {
  const types = new Set<ArgumentType & object>()
  for (const action of actions) {
    const type = typeOf(action, undefined)
    if (types.has(type)) continue
    types.add(type)
    const made = compileCondition(text, environmentFor(type))
    if ('judge' in made) {
      if (!made.readsArguments) return []
      continue
    }
    if (actions.length === 1) return made
    return made.map(({ offset, message }) => ({ offset, message: `for \`${action}\`: ${message}` }))
  }
  return []
}

/**
 * @param type of a tool's arguments
 * @returns why the condition can never be judged for it, or undefined where it can
 */
export function misfit(text: string, type: ArgumentType & object): string | undefined {
  const made = compileCondition(text, environmentFor(type))
  return 'judge' in made ? undefined : made[0]?.message
}

/** Only tools have arguments that the table does not know. */
function typeOf(action: Action, told: (ArgumentType & object) | undefined): ArgumentType & object {
  const type = action === 'tool.call' ? (told ?? anyArguments) : argumentsOf(action)
  return type
}
