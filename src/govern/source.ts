/** A function becomes a program: the text of an ES module whose default export it is. */
import { freeUses } from './free-names.ts'
import { guestGlobals } from './guest-globals.ts'
import { supplyHelpers } from './helpers.ts'
import { usesWhatAgentsLack } from './missing.ts'
import { type ParsedFunction, parseFunction } from './parse.ts'
import type { AnyFunction } from './refusal.ts'

export interface Program {
  /** An ES module without imports. Its first line is the first line of the function. */
  readonly text: string
  /** What the function is called; empty for one without a name. */
  readonly name: string
}

/**
 * Makes a program of a function, if the function's own source is all that it needs.
 * @param fn an arrow function, a function or a method (instance, static, private), async or not
 * @param name how messages call it, such as `Desk.triage`; its own name by default
 * @returns the program; nothing has been run
 * @throws KernelError EINVAL that names what the function uses beyond itself, with its line and what to do instead;
 *   or why it has no source that could travel (native, bound, class, accessor, generator)
 */
export function programOf(fn: AnyFunction, name: string = nameOf(fn)): Program {
  const parsed = parseFunction(fn, name)
  const { definitions, missing } = supplyHelpers(freeUses(parsed, guestGlobals))
  if (missing.length > 0) throw usesWhatAgentsLack(fn, parsed, missing)
  return { name, text: `export default ${expressionOf(parsed)}\n${definitions}\n` }
}

/** A function's own name, where nobody has put something else in its place. */
export const nameOf = (fn: AnyFunction): string => (typeof fn.name === 'string' ? fn.name : '')

/** A method exists only in an object; a key that is computed or private is replaced, since nothing calls it by name. */
function expressionOf({ text, key }: ParsedFunction): string {
  if (key === undefined) return `(${text}\n)`
  if (key.identifier !== undefined) return `({ ${text}\n}).${key.identifier}`
  // A minifier leaves no space in `async[key](){}`.
  return `({ ${text.slice(0, key.start)} governed${text.slice(key.end)}\n}).governed`
}
