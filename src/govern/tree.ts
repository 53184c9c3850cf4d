/** Walking a syntax tree without knowing every kind of node. */
import { type AnyNode, type Node, type Options, type Program, parse } from 'acorn'

/** Narrows a node by its type. */
export function isNode<T extends AnyNode['type']>(
  node: Node,
  type: T,
): node is Extract<AnyNode, { type: T }> {
  return node.type === type
}

/** The nodes right below a node, in the order of the source wherever acorn has them so. */
export function children(node: Node): readonly Node[] {
  return Object.values(node).flat().filter(looksLikeNode)
}

const looksLikeNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

/** A node and all below it, each before its children. */
export function* everyNode(node: Node): Generator<Node, void> {
  yield node
  for (const child of children(node)) yield* everyNode(child)
}

const asModule: Options = { ecmaVersion: 'latest', sourceType: 'module', checkPrivateFields: false }
const asScript: Options = { ...asModule, sourceType: 'script', allowReturnOutsideFunction: true }

/** Parses what an engine has compiled, as a module or as a script; nothing where it is neither. */
export function parseScript(source: string): Program | undefined {
  for (const options of [asModule, asScript]) {
    try {
      return parse(source, options)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return undefined
}
