/** What the language of conditions leaves out of CEL, and how much an evaluation can cost: seen from the syntax tree. */
import type { ASTNode } from '@marcbachmann/cel-js'
import { metered, variables } from './cel-environment.ts'
import { historyExample, isHistoryCall, queryOf } from './cel-history.ts'
import type { HistoryQuery } from './history.ts'
import { origins } from './origin.ts'
import { didYouMean } from './suggest.ts'

/** A problem, and where it begins in the condition's text. */
export interface ConditionFlaw {
  readonly offset: number
  readonly message: string
}

export interface Bounds {
  readonly flaws: readonly ConditionFlaw[]
  /** Steps that an evaluation takes, where each list has one element. */
  readonly steps: number
  /** Where each `has(` begins. */
  readonly presences: readonly number[]
  readonly names: ReadonlySet<string>
  /** What it asks about history, by the key of the question. */
  readonly queries: ReadonlyMap<string, HistoryQuery>
  readonly asksOrigin: boolean
}

/** Methods whose first argument names each element in turn. */
const comprehensions = new Set(['exists', 'all', 'exists_one', 'filter', 'map'])
const methods = new Set([...comprehensions, 'contains', 'startsWith', 'endsWith', 'lowerAscii', 'size'])
const functions = new Set(['has', 'size', 'origin', 'words', 'links'])

const linear =
  'takes a regular expression, which can be slow; write `startsWith`, `endsWith`, `contains`, or a pattern in `resource`'

/** What people look for here, and what to say. */
const absent: Readonly<Record<string, string>> = {
  history: `is asked as in \`${historyExample}\``,
  matches: linear,
}

/** @param root a condition that was parsed and not yet checked; the names of metered functions are put into it */
export function boundsOf(root: ASTNode): Bounds {
  const walk = new Walk()
  const steps = walk.visit(root, [])
  return {
    flaws: walk.flaws,
    steps,
    presences: walk.presences,
    names: walk.names,
    queries: walk.queries,
    asksOrigin: walk.asksOrigin,
  }
}

class Walk {
  readonly flaws: ConditionFlaw[] = []
  readonly presences: number[] = []
  readonly names = new Set<string>()
  readonly queries = new Map<string, HistoryQuery>()
  asksOrigin = false

  /**
   * @param elements names of the elements of the lists that are gone through here, the outermost first
   * @returns the steps that the node takes, at least one
   */
  visit(node: ASTNode, elements: readonly string[]): number {
    switch (node.op) {
      case 'value':
        if (typeof node.args === 'object' && node.args !== null)
          this.#flaw(node, 'bytes and unsigned numbers are not taken; write a text or a number')
        return 1
      case 'id':
        return this.#name(node, node.args, elements)
      case '.':
        return 1 + this.visit(node.args[0], elements)
      case 'call':
        return this.#call(node, elements)
      case 'rcall':
        return this.#method(node, elements)
      case '!_':
      case '-_':
        return 1 + this.visit(node.args, elements)
      case 'map':
        this.#flaw(node, 'a map is not taken here; compare fields one by one')
        return 1
      case '.?':
      case '[?]':
        this.#flaw(node, 'optional values are not taken; write `has(…)` first')
        return 1
      case '==':
      case '!=':
      case 'in':
        this.#compared(node.args)
    }
    return this.#all(node.args, elements)
  }

  #all(nodes: readonly ASTNode[], elements: readonly string[]): number {
    return nodes.reduce((sum, each) => sum + this.visit(each, elements), 1)
  }

  /** What is compared with `origin(…)` has to be one of the answers. */
  #compared(sides: readonly ASTNode[]): void {
    if (!sides.some(({ op, args }) => op === 'call' && Array.isArray(args) && args[0] === 'origin')) return
    for (const side of sides.flatMap((it) => (it.op === 'list' ? it.args : [it]))) {
      if (side.op !== 'value' || typeof side.args !== 'string') continue
      if ((origins as readonly string[]).includes(side.args)) continue
      const guess = didYouMean(side.args, origins) || `; origins are ${origins.join(', ')}`
      this.#flaw(side, `\`${side.args}\` is no origin${guess}`)
    }
  }

  #name(node: ASTNode, name: string, elements: readonly string[]): number {
    if (elements.includes(name)) return 1
    this.names.add(name)
    if ((variables as readonly string[]).includes(name)) return 1
    const why = Object.hasOwn(absent, name) ? absent[name] : undefined
    const guess = didYouMean(name, [...variables, ...elements])
    const names = guess === '' ? `; names here are ${variables.join(', ')}` : guess
    this.#flaw(node, why === undefined ? `unknown name \`${name}\`${names}` : `\`${name}\` ${why}`)
    return 1
  }

  #call(node: ASTNode & { readonly op: 'call' }, elements: readonly string[]): number {
    const [name, args] = node.args
    if (!functions.has(name)) this.#unknown(node, name, functions)
    if (name === 'has') this.presences.push(node.start)
    if (name === 'origin') this.asksOrigin = true
    return this.#all(args, elements)
  }

  #method(node: ASTNode & { readonly op: 'rcall' }, elements: readonly string[]): number {
    const [name, receiver, args] = node.args
    if (isHistoryCall(node)) return this.#history(node)
    if (!methods.has(name)) this.#unknown({ start: node.input.indexOf(name, receiver.end) }, name, methods)
    const before = this.visit(receiver, elements)
    if (comprehensions.has(name)) return before + this.#comprehension(node, elements)
    if (Object.hasOwn(metered, name)) node.args[0] = metered[name] ?? name
    return args.reduce((sum, each) => sum + this.visit(each, elements), 1 + before)
  }

  #history(node: ASTNode & { readonly op: 'rcall' }): number {
    const query = queryOf(node)
    if ('key' in query) this.queries.set(query.key, query)
    else this.flaws.push(query)
    return historySteps
  }

  #comprehension(node: ASTNode & { readonly op: 'rcall' }, elements: readonly string[]): number {
    const [name, receiver, [element, ...rest]] = node.args
    if (elements.length >= nestedMax)
      this.#flaw(node, `\`${name}\` stands within two others; at most one may stand within another`)
    if (element?.op !== 'id') {
      this.#flaw(node, `\`${name}\` first names the element, as in \`labels.${name}(l, l == "secret")\``)
      return 1
    }
    if ([...variables, ...elements].some((taken) => taken === element.args))
      this.#flaw(element, `\`${element.args}\` is a name already; call the element something else`)
    const steps = rest.reduce((sum, each) => sum + this.visit(each, [...elements, element.args]), 1)
    return receiver.op === 'list' ? receiver.args.length * steps : steps
  }

  #unknown(node: { readonly start: number }, name: string, there: ReadonlySet<string>): void {
    const why = Object.hasOwn(absent, name) ? absent[name] : undefined
    const guess = didYouMean(name, there)
    const others = guess === '' ? `; there are ${[...there].join(', ')}` : guess
    this.#flaw(node, why === undefined ? `unknown function \`${name}\`${others}` : `\`${name}\` ${why}`)
  }

  #flaw({ start }: { readonly start: number }, message: string): void {
    this.flaws.push({ offset: start, message })
  }
}

/** A window is counted anew each time, in steps. */
const historySteps = 50

/** Lists that may be gone through within each other. */
const nestedMax = 2
