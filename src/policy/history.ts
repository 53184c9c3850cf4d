/** Questions about what has been done before: what counts, whose, and in which time. They are known when a policy loads. */
import { KernelError } from '../errors.ts'
import { type Action, actionProblem, actions, expandAction } from './actions.ts'
import { compileMatcher, type Reading } from './match.ts'
import { didYouMean } from './suggest.ts'
import { parseDuration } from './units.ts'

/**
 * Whose deeds: those of the process and all below it, of the run, of all agents of that name in any run, of every
 * agent of the kernel.
 */
export const historyScopes = ['process', 'run', 'agent', 'everyone'] as const
export type HistoryScope = (typeof historyScopes)[number]

/** What outlives a run, and is remembered for a time only. */
export const isLasting = (scope: HistoryScope): boolean => scope === 'agent' || scope === 'everyone'

/** `count`: how often it was done; `agents`: the names of those who did it. */
export const historyFunctions = ['count', 'agents'] as const
export type HistoryFunction = (typeof historyFunctions)[number]

/** An admitted call, as far as questions tell calls apart. */
export interface Deed {
  readonly agent: string
  readonly action: Action
  readonly resource: string
  /** In ms, on the clock of whoever keeps it. */
  readonly at: number
}

export interface HistoryQuery {
  /** The same for two questions that are the same. */
  readonly key: string
  readonly what: HistoryFunction
  readonly scope: HistoryScope
  /** Only deeds younger than this, in ms; undefined for all. */
  readonly windowMs: number | undefined
  isAbout(action: Action): boolean
  /** @param readings of the resource; it counts where any of them matches */
  covers(readings: readonly Reading[]): boolean
}

/** What answers questions. Both throw an Error, whose message is a clause, where the answer is not known for sure. */
export interface History {
  count(query: HistoryQuery): number
  agents(query: HistoryQuery): readonly string[]
}

/** What is wrong with a question, and with which of its arguments; undefined where it is the question itself. */
export class HistoryProblem extends Error {
  readonly argument: number | undefined
  constructor(message: string, argument?: number) {
    super(message)
    this.argument = argument
  }
}

/** Any resource, of whatever kind. */
const any = '*'

export const keyOfQuery = (what: string, scope: string, args: readonly string[]): string =>
  JSON.stringify([what, scope, ...args])

/**
 * @param args an action or a family of them, a pattern as in a rule's `resource`, a duration
 * @throws HistoryProblem
 */
export function readQuery(what: HistoryFunction, scope: HistoryScope, args: readonly string[]): HistoryQuery {
  const [action = '', resource = any, window] = args
  if (what === 'agents' && scope === 'agent')
    throw new HistoryProblem(
      '`agent` is one agent by itself; names are asked for of `process`, `run` or `everyone`',
    )
  const problem = actionProblem(action)
  if (problem !== undefined) throw new HistoryProblem(problem, 0)
  const covered = new Set(expandAction(action))
  const covers = resource === any ? () => true : matcherFor(action, covered, resource)
  if (window === undefined && isLasting(scope))
    throw new HistoryProblem(
      `what \`${scope}\` did is remembered for a time only; say how long, as in \`history.${scope}.${what}("${action}", "${resource}", "24h")\``,
    )
  return Object.freeze({
    key: keyOfQuery(what, scope, args),
    what,
    scope,
    windowMs: window === undefined ? undefined : windowOf(window),
    isAbout: (each: Action) => covered.has(each),
    covers,
  })
}

function matcherFor(
  action: string,
  covered: ReadonlySet<Action>,
  pattern: string,
): (readings: readonly Reading[]) => boolean {
  const kinds = new Set([...covered].map((each) => actions[each].resource))
  const [kind] = kinds
  if (kind === undefined || kinds.size > 1)
    throw new HistoryProblem(
      `\`${action}\` acts on several kinds of resources; of them only \`*\` can be asked`,
      1,
    )
  const { mismatch } = naming(1, () => compileMatcher(kind, pattern))
  return (readings) => readings.some((reading) => mismatch(reading) === undefined)
}

function windowOf(text: string): number {
  const ms = naming(2, () => parseDuration(text))
  if (ms === 0)
    throw new HistoryProblem(`\`${text}\` is no time at all, in which nothing can have been done`, 2)
  return ms
}

function naming<T>(argument: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof KernelError) throw new HistoryProblem(error.message, argument)
    throw error
  }
}

/** @throws HistoryProblem for a scope that there is not */
export function readScope(name: string): HistoryScope {
  const scope = historyScopes.find((each) => each === name)
  if (scope !== undefined) return scope
  const guess = didYouMean(name, historyScopes) || `; there are ${historyScopes.join(', ')}`
  throw new HistoryProblem(`\`${name}\` is nobody’s history${guess}`)
}
