/** A function's own source, parsed; its text is all that can travel. */
import {
  type ArrowFunctionExpression,
  type Expression,
  type FunctionExpression,
  type Program,
  parse,
} from 'acorn'
import type { KernelError } from '../errors.ts'
import { type AnyFunction, cannotTravel } from './refusal.ts'

export interface ParsedFunction {
  /** How people call the function, such as `Desk.triage`. */
  readonly name: string
  /** The source as the engine keeps it: what a compiler left of what the author wrote. */
  readonly text: string
  /** The whole tree, in which `node` is the function. */
  readonly tree: Program
  readonly node: ArrowFunctionExpression | FunctionExpression
  /** Where a method's key stands in `text`; absent where the text is an expression. */
  readonly key?: { readonly start: number; readonly end: number; readonly identifier: string | undefined }
  /** Columns by which the tree is ahead of `text` on its first line. */
  readonly shift: number
}

/**
 * Parses what a function's `toString` gives.
 * @param fn an arrow function, a function or a method; async or not
 * @param name how messages call it
 * @throws KernelError EINVAL for what has no source, and for classes, accessors and generators
 */
export function parseFunction(fn: AnyFunction, name: string): ParsedFunction {
  const text = Function.prototype.toString.call(fn)
  // A native function's text is not JavaScript on purpose (ECMA-262, NativeFunction).
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text))
    throw cannotTravel(name, 'its source is hidden, because it is native, bound or a proxy', [
      'govern the function it was made from',
      "use `isolation: 'host'`",
    ])
  if (isClass(fn))
    throw cannotTravel(name, 'it is a class', ['govern its methods', 'govern a function that uses it'])
  const parsed = parseText(text, name)
  if (parsed.node.generator)
    throw cannotTravel(name, 'it is a generator, and a governed call has one result', [
      'return an array or a promise',
    ])
  return parsed
}

/** Whether a function is a class, which cannot be called. */
export const isClass = (fn: AnyFunction): boolean => /^class\b/.test(Function.prototype.toString.call(fn))

/** The function and class around it lend `arguments`, `new.target` and `super` a meaning, so that their use is found. */
const expressionPrefix = '(function(){return('
const methodPrefix = '(class extends Object{'

function parseText(text: string, name: string): ParsedFunction {
  const expression = tryParse(`${expressionPrefix}${text}\n)})`)
  const method = tryParse(`${methodPrefix}${text}\n})`)
  if (!(expression instanceof SyntaxError)) return fromExpression(expression, text, name)
  if (!(method instanceof SyntaxError)) return fromMethod(method, text, name)
  const reachOf = (error: SyntaxError, prefix: string): number =>
    ('raisedAt' in error ? Number(error.raisedAt) : 0) - prefix.length
  // Whichever form got further into the text is the one that the author wrote.
  const isMethod = reachOf(method, methodPrefix) > reachOf(expression, expressionPrefix)
  const why = (isMethod ? method : expression).message.replace(/ \(\d+:\d+\)$/, '')
  throw cannotTravel(
    name,
    `agent code is an ES module, and its source is not fit for one: ${lowerFirst(why)}`,
    ['write it as an ES module would have it', "use `isolation: 'host'`"],
  )
}

function fromExpression(tree: Program, text: string, name: string): ParsedFunction {
  const wrapper = onlyExpression(tree)
  const statement = wrapper?.type === 'FunctionExpression' ? wrapper.body.body[0] : undefined
  const node = statement?.type === 'ReturnStatement' ? statement.argument : undefined
  if (node?.type !== 'ArrowFunctionExpression' && node?.type !== 'FunctionExpression')
    throw notAFunction(name)
  return { name, text, tree, node, shift: expressionPrefix.length }
}

/** Methods, static ones and private ones: an object literal takes no private name, a class takes all. */
function fromMethod(tree: Program, text: string, name: string): ParsedFunction {
  const wrapper = onlyExpression(tree)
  const member = wrapper?.type === 'ClassExpression' ? wrapper.body.body[0] : undefined
  if (member?.type !== 'MethodDefinition') throw notAFunction(name)
  if (member.kind === 'get' || member.kind === 'set')
    throw cannotTravel(name, `it is a ${member.kind}ter`, ['write it as a method'])
  const shift = methodPrefix.length
  const head = text.slice(0, member.value.start - shift)
  // The brackets of a computed key belong to it; before them stand at most `async` and comments.
  const key = member.computed
    ? { start: head.indexOf('['), end: head.lastIndexOf(']') + 1 }
    : { start: member.key.start - shift, end: member.key.end - shift }
  const identifier = !member.computed && member.key.type === 'Identifier' ? member.key.name : undefined
  return { name, text, tree, node: member.value, shift, key: { ...key, identifier } }
}

const notAFunction = (name: string): KernelError =>
  cannotTravel(name, 'its source is neither a function nor a method', ['write it as a function'])

/** Agent code is an ES module. Private names are checked with the other free names, for a better message. */
const parseOptions = {
  ecmaVersion: 'latest',
  sourceType: 'module',
  locations: true,
  ranges: true,
  checkPrivateFields: false,
  allowSuperOutsideMethod: true,
} as const

function tryParse(source: string): Program | SyntaxError {
  try {
    return parse(source, parseOptions)
  } catch (error) {
    if (error instanceof SyntaxError) return error
    throw error
  }
}

function onlyExpression(tree: Program): Expression | undefined {
  const [statement] = tree.body
  return statement?.type === 'ExpressionStatement' ? statement.expression : undefined
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1)
