/** What a function uses beyond itself: names that nothing in it declares, and what belongs to its surroundings. */
import type { Identifier, Node } from 'acorn'
import { analyze } from 'eslint-scope'
import type { Program } from 'estree'
import type { ParsedFunction } from './parse.ts'
import { type Surroundings, surroundingsOf } from './surroundings.ts'

/** A place in a function's own text. */
export interface Position {
  /** From 1. */
  readonly line: number
  /** From 0, in UTF-16 units. */
  readonly column: number
}

export interface FreeUse {
  /** As it is written: `db`, `this`, `import.meta`, `#secret`. */
  readonly what: string
  readonly kind: 'name' | 'syntax'
  /** Where it is used first. */
  readonly at: Position
  /** Properties read from the name (`join` of `node_path_1.join`); tells imports that compilers rewrote. */
  readonly members: readonly string[]
  /** Every use is a call without arguments, as coverage counters are. */
  readonly onlyCalled: boolean
}

/**
 * Finds what a function uses and user space would not have.
 * @param parsed the function
 * @param guestGlobals names that agent code has everywhere
 * @returns each name once, in the order of first use
 */
export function freeUses(parsed: ParsedFunction, guestGlobals: ReadonlySet<string>): readonly FreeUse[] {
  const around = surroundingsOf(parsed.node)
  const uses = [...around.syntax].map(([what, node]) => ({
    what,
    kind: 'syntax' as const,
    at: positionOf(node, parsed),
    members: [],
    onlyCalled: false,
  }))
  const names = Map.groupBy(
    // `typeof x` is safe for a name that nobody declared: it asks.
    freeIdentifiers(parsed).filter(({ name, node }) => !guestGlobals.has(name) && !around.askedFor.has(node)),
    ({ name }) => name,
  )
  return [
    ...uses,
    ...[...names].map(([name, found]) =>
      nameUse(
        name,
        found.map(({ node }) => node),
        around,
        parsed,
      ),
    ),
  ].sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column)
}

function nameUse(
  what: string,
  nodes: readonly Node[],
  around: Surroundings,
  parsed: ParsedFunction,
): FreeUse {
  const members = new Set(nodes.flatMap((node) => around.members.get(node) ?? []))
  const [first] = nodes.toSorted((a, b) => a.start - b.start)
  return {
    what,
    kind: 'name',
    at: first === undefined ? { line: 1, column: 0 } : positionOf(first, parsed),
    members: [...members],
    onlyCalled: nodes.every((node) => around.bareCalls.has(node)),
  }
}

/** References that leave the function's own scope. */
function freeIdentifiers(parsed: ParsedFunction): readonly { name: string; node: Node }[] {
  // acorn's tree is ESTree; only the optional fields of the two type packages differ.
  const scopes = analyze(parsed.tree as unknown as Program, { ecmaVersion: 2026, sourceType: 'module' })
  const own = scopes.acquire(parsed.node as unknown as Program)
  return (own?.through ?? []).flatMap(({ identifier }) =>
    identifier.type === 'Identifier'
      ? [{ name: identifier.name, node: identifier as unknown as Identifier }]
      : [],
  )
}

function positionOf(node: Node, { shift }: ParsedFunction): Position {
  const { line, column } = node.loc?.start ?? { line: 1, column: shift }
  return { line, column: line === 1 ? column - shift : column }
}
