/** The refusal of a function that uses what agent code does not have: each thing, where it stands, and what to do. */
import type { KernelError } from '../errors.ts'
import type { FreeUse } from './free-names.ts'
import { isOldTargetHelper } from './helpers.ts'
import { type Place, placesOf } from './location.ts'
import type { ParsedFunction } from './parse.ts'
import { type AnyFunction, cannotTravel, inWords } from './refusal.ts'

/** Uses that one message names; a function with more has met its reader already. */
const namedMax = 6

/**
 * @param fn the function, asked where it stands in its author's file
 * @param missing what it uses; at least one
 */
export function usesWhatAgentsLack(
  fn: AnyFunction,
  parsed: ParsedFunction,
  missing: readonly FreeUse[],
): KernelError {
  const named = missing.slice(0, namedMax)
  const places = placesOf(
    fn,
    parsed.text,
    named.map(({ what, at, members }) => ({ at, name: what, members })),
  )
  const parts = named.flatMap((use, index) => describe(use, places[index], parsed))
  const more = missing.length > named.length ? [`${missing.length - named.length} more`] : []
  // A standard decorator is not told its class, so the script is asked.
  const name = parsed.name.includes('.') ? parsed.name : (places[0]?.method ?? parsed.name)
  return cannotTravel(name, `it uses ${inWords([...parts, ...more])}, which agent code does not have`, [
    ...(missing.every(({ what }) => isOldTargetHelper(what)) ? ['compile for ES2022 or later'] : []),
    'pass values as arguments',
    'put the code into a file and use `spawn({ file })`',
    'register what it needs as a tool',
    "use `isolation: 'host'`",
  ])
}

function describe(use: FreeUse, place: Place | undefined, parsed: ParsedFunction): string[] {
  const where = place?.where ?? `line ${use.at.line} of the function`
  if (place?.module === undefined) return [`\`${shown(use)}\` (${remark(use, parsed)}${where})`]
  const names =
    place.imported === '*' && isMadeUp(use.what) && use.members.length > 0 ? use.members : [use.what]
  return names.map((name) => `\`${name}\` (imported from \`${place.module}\`, ${where})`)
}

/** Where the module cannot be known, a test runner's `__vite_ssr_import_0__.join` is still somebody's `join`. */
function shown({ what, members }: FreeUse): string {
  const syntax = rewritten.get(what)
  if (syntax !== undefined) return syntax
  return what.startsWith('__vi') && members.length > 0 ? members.join('`, `') : what
}

/** Names by which compilers call a whole module; the author's own is read from it: `(0, node_path_1.join)(…)`. */
const isMadeUp = (name: string): boolean => /^(__vi(te_ssr)?_import_|import_\w)|_\d+$/.test(name)

/** What compilers put in the place of syntax. */
const rewritten: ReadonlyMap<string, string> = new Map([
  ['__vite_ssr_dynamic_import__', 'import()'],
  ['__vite_ssr_import_meta__', 'import.meta'],
  ['__superGet', 'super'],
  ['__superSet', 'super'],
])

function remark({ what }: FreeUse, { node, name }: ParsedFunction): string {
  if (isOldTargetHelper(what)) return 'added by the compiler for a target before ES2022, '
  const ownName = name.slice(name.lastIndexOf('.') + 1)
  if (what === ownName && node.type === 'ArrowFunctionExpression')
    return `its own name, which \`async function ${what}(…)\` would have, `
  return ''
}
