/** `history` in conditions: found in the syntax tree with its literal arguments, and answered by the request. */
import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import type { ConditionFlaw } from './cel-bounds.ts'
import {
  type HistoryFunction,
  HistoryProblem,
  type HistoryQuery,
  type HistoryScope,
  historyFunctions,
  historyScopes,
  keyOfQuery,
  readQuery,
  readScope,
} from './history.ts'
import { didYouMean } from './suggest.ts'

/** What a condition's functions ask: the question by its key. */
export type Ask = (key: string, what: HistoryFunction) => bigint | string[]

/** How it is written, for messages. */
export const historyExample = 'history.run.count("tool.call", "send_*") >= 3'

/** @returns whether a method is called on a part of `history` */
export const isHistoryCall = (node: ASTNode & { readonly op: 'rcall' }): boolean => {
  const [, receiver] = node.args
  return receiver.op === '.' && receiver.args[0].op === 'id' && receiver.args[0].args === 'history'
}

/** @param node one of which `isHistoryCall` is true */
export function queryOf(node: ASTNode & { readonly op: 'rcall' }): HistoryQuery | ConditionFlaw {
  const [name, receiver, args] = node.args
  const scope = receiver.op === '.' ? receiver.args[1] : ''
  const what = historyFunctions.find((each) => each === name)
  if (what === undefined) {
    const guess = didYouMean(name, historyFunctions) || `; there are ${historyFunctions.join(', ')}`
    return {
      offset: node.input.indexOf(name, receiver.end),
      message: `unknown function \`${name}\` of a history${guess}`,
    }
  }
  const texts: string[] = []
  for (const arg of args) {
    if (arg.op !== 'value' || typeof arg.args !== 'string')
      return {
        offset: arg.start,
        message: 'what is counted has to be known when the policy loads; write a text in quotation marks',
      }
    texts.push(arg.args)
  }
  try {
    return readQuery(what, readScope(scope), texts)
  } catch (error) {
    if (!(error instanceof HistoryProblem)) throw error
    const at = error.argument === undefined ? undefined : args[error.argument]
    return { offset: at?.start ?? node.start, message: error.message }
  }
}

class Fields extends Map<string, Scope> {}

class Scope {
  readonly name: HistoryScope
  constructor(name: HistoryScope) {
    this.name = name
  }
}

/** The value of `history`: the same in every condition, since what answers is the request. */
export const historyValue: ReadonlyMap<string, unknown> = new Fields(
  historyScopes.map((name) => [name, new Scope(name)]),
)

/** Makes `history` known to an environment. */
export function registerHistory(environment: Environment, ask: Ask): void {
  environment.registerType('HistoryScopeFields', { ctor: Scope, fields: {} })
  environment.registerType('HistoryFields', {
    ctor: Fields,
    fields: Object.fromEntries(historyScopes.map((name) => [name, 'HistoryScopeFields'])),
  })
  environment.registerVariable('history', 'HistoryFields')
  for (const parameters of ['string', 'string, string', 'string, string, string'])
    for (const what of historyFunctions) {
      const type = what === 'count' ? 'int' : 'list<string>'
      environment.registerFunction(
        `HistoryScopeFields.${what}(${parameters}): ${type}`,
        (scope: Scope, ...args: string[]) => ask(keyOfQuery(what, scope.name, args), what),
      )
    }
}
