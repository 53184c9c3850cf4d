/** Which names of a compiled script were imported, and from where. */
import type { Node, Program } from 'acorn'
import { everyNode, isNode } from './tree.ts'

export interface Import {
  /** As the author wrote it: `node:path`, `./db.ts`. */
  readonly module: string
  /** What is taken from the module; `*` for all of it. */
  readonly name: string
}

/**
 * Reads `import … from`, and what compilers make of it: `const x = require('…')`, with or without a helper around
 * it, and `const x = await __vite_ssr_import__('…')`.
 */
export function importsOf(script: Program): ReadonlyMap<string, Import> {
  const found = new Map<string, Import>()
  for (const node of everyNode(script)) noteImports(node, found)
  return found
}

function noteImports(node: Node, found: Map<string, Import>): void {
  if (isNode(node, 'ImportDeclaration') && typeof node.source.value === 'string') {
    for (const one of node.specifiers)
      found.set(one.local.name, { module: node.source.value, name: takenBy(one) })
  }
  if (!isNode(node, 'VariableDeclarator') || !node.init) return
  const module = requiredModule(node.init)
  if (module === undefined) return
  if (node.id.type === 'Identifier') found.set(node.id.name, { module, name: '*' })
  if (node.id.type !== 'ObjectPattern') return
  for (const property of node.id.properties) {
    if (property.type !== 'Property' || property.value.type !== 'Identifier') continue
    found.set(property.value.name, { module, name: nameOfKey(property.key) })
  }
}

function takenBy(specifier: Node): string {
  if (isNode(specifier, 'ImportSpecifier')) return nameOfKey(specifier.imported)
  return isNode(specifier, 'ImportDefaultSpecifier') ? 'default' : '*'
}

const nameOfKey = (key: Node): string => (isNode(key, 'Identifier') ? key.name : '*')

/** The module of `require('…')`, `await import('…')` and the like, through one helper around it at most. */
function requiredModule(init: Node): string | undefined {
  if (isNode(init, 'AwaitExpression')) return requiredModule(init.argument)
  if (isNode(init, 'ImportExpression')) return literal(init.source)
  if (!isNode(init, 'CallExpression')) return undefined
  const [first] = init.arguments
  if (first === undefined) return undefined
  const callee = init.callee.type === 'Identifier' ? init.callee.name : ''
  if (callee === 'require' || callee === '__vite_ssr_import__') return literal(first)
  return first.type === 'CallExpression' ? requiredModule(first) : undefined
}

const literal = (node: Node): string | undefined =>
  isNode(node, 'Literal') && typeof node.value === 'string' ? node.value : undefined
