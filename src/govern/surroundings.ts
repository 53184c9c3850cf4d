/** What a function takes from where it stands other than names: `this`, `super`, `new.target`, modules, private fields. */
import type { ArrowFunctionExpression, CallExpression, FunctionExpression, Node } from 'acorn'
import { children, isNode } from './tree.ts'

export interface Surroundings {
  /** What is used, as it is written, with its first use. */
  readonly syntax: ReadonlyMap<string, Node>
  /** Identifiers that are only asked for, by `typeof`. */
  readonly askedFor: ReadonlySet<Node>
  /** Identifiers that are called without arguments. */
  readonly bareCalls: ReadonlySet<Node>
  /** Identifier → the property read from it. */
  readonly members: ReadonlyMap<Node, string>
}

/** @param root the function; whatever is nested in it and has a `this` of its own is told apart */
export function surroundingsOf(root: ArrowFunctionExpression | FunctionExpression): Surroundings {
  const walk = new Walk()
  for (const node of [...root.params, root.body]) walk.visit(node, { nested: false, privateNames: new Set() })
  return walk
}

interface Place {
  /** Inside a function or class member with its own `this`. */
  readonly nested: boolean
  /** Private names that the classes around declare. */
  readonly privateNames: ReadonlySet<string>
}

/** Compilers wrap an async body in a generator for old targets and hand `this` on, used or not. */
const asyncHelpers = new Set(['__awaiter', '__async'])

class Walk implements Surroundings {
  readonly syntax = new Map<string, Node>()
  readonly askedFor = new Set<Node>()
  readonly bareCalls = new Set<Node>()
  readonly members = new Map<Node, string>()

  visit(node: Node, place: Place): void {
    this.#note(node, place)
    const inner = { ...place, nested: true }
    if (isNode(node, 'FunctionExpression') || isNode(node, 'FunctionDeclaration')) {
      for (const child of children(node)) this.visit(child, inner)
    } else if (isNode(node, 'PropertyDefinition')) {
      this.visit(node.key, place)
      if (node.value) this.visit(node.value, inner)
    } else if (isNode(node, 'StaticBlock')) {
      for (const child of node.body) this.visit(child, inner)
    } else if (isNode(node, 'ClassBody')) {
      const declared = node.body.flatMap((member) => ('key' in member ? privateName(member.key) : []))
      for (const child of node.body)
        this.visit(child, { ...place, privateNames: new Set([...place.privateNames, ...declared]) })
    } else if (isNode(node, 'CallExpression') && isAsyncHelper(node)) {
      this.#visitAsyncBody(node, place)
    } else {
      for (const child of children(node)) this.visit(child, place)
    }
  }

  #visitAsyncBody(call: CallExpression, place: Place): void {
    this.visit(call.callee, place)
    for (const argument of call.arguments) {
      if (argument.type === 'ThisExpression') continue
      if (argument.type !== 'FunctionExpression') this.visit(argument, place)
      else for (const node of [...argument.params, argument.body]) this.visit(node, place)
    }
  }

  #note(node: Node, { nested, privateNames }: Place): void {
    if (isNode(node, 'ThisExpression') && !nested) this.#use('this', node)
    else if (isNode(node, 'Super') && !nested) this.#use('super', node)
    else if (isNode(node, 'ImportExpression')) this.#use('import()', node)
    else if (isNode(node, 'MetaProperty')) {
      if (node.meta.name === 'import') this.#use('import.meta', node)
      else if (!nested) this.#use('new.target', node)
    } else if (isNode(node, 'PrivateIdentifier')) {
      if (!privateNames.has(node.name)) this.#use(`#${node.name}`, node)
    } else if (isNode(node, 'UnaryExpression')) {
      if (node.operator === 'typeof') this.askedFor.add(node.argument)
    } else if (isNode(node, 'MemberExpression')) {
      if (!node.computed && node.property.type === 'Identifier')
        this.members.set(node.object, node.property.name)
    } else if (isNode(node, 'CallExpression') && node.arguments.length === 0) this.bareCalls.add(node.callee)
  }

  #use(what: string, node: Node): void {
    if (!this.syntax.has(what)) this.syntax.set(what, node)
  }
}

const isAsyncHelper = ({ callee }: CallExpression): boolean =>
  callee.type === 'Identifier' && asyncHelpers.has(callee.name)

const privateName = (key: Node): string[] => (isNode(key, 'PrivateIdentifier') ? [key.name] : [])
