/** The conditions of rules: CEL that is bounded, checked against the types of what it names, and never trusted to come to an end by itself. */
import type { ParseResult } from '@marcbachmann/cel-js'
import { limits } from '../limits.ts'
import { type Bounds, boundsOf, type ConditionFlaw } from './cel-bounds.ts'
import { metered, type TypedEnvironment } from './cel-environment.ts'
import { type Meter, Scope } from './cel-values.ts'
import type { HistoryQuery } from './history.ts'
import { didYouMean } from './suggest.ts'
import type { Request } from './types.ts'

/** A condition for one type of arguments. */
export interface Condition {
  /** Whether it means something else for other arguments. */
  readonly readsArguments: boolean
  readonly queries: readonly HistoryQuery[]
  readonly asksOrigin: boolean
  /** @returns whether it holds, or why that cannot be said, as a clause */
  judge(request: Request, meter: Meter): boolean | string
}

/**
 * @param text CEL
 * @param typed what it may name
 * @returns the condition, or what is wrong with it, at least one thing
 */
export function compileCondition(
  text: string,
  typed: TypedEnvironment,
): Condition | readonly ConditionFlaw[] {
  if (text.length > limits.conditionMax)
    return [flaw(0, `a condition of ${text.length} characters, at most ${limits.conditionMax} fit`)]
  const parsed = parse(text, typed)
  if ('flaws' in parsed) return parsed.flaws
  const { expression, bounds } = parsed
  const flaws = bounds.flaws.length > 0 ? bounds.flaws : typeFlaws(text, expression, bounds, typed)
  if (flaws.length > 0) return flaws
  const readsArguments = bounds.names.has('args')
  return {
    readsArguments,
    queries: [...bounds.queries.values()],
    asksOrigin: bounds.asksOrigin,
    judge: (request, meter) => evaluate(expression, bounds, typed, request, meter),
  }
}

interface Parsed {
  readonly expression: ParseResult
  readonly bounds: Bounds
}

function parse(
  text: string,
  { environment }: TypedEnvironment,
): Parsed | { readonly flaws: readonly ConditionFlaw[] } {
  try {
    const expression = environment.parse(text)
    return { expression, bounds: boundsOf(expression.ast) }
  } catch (error) {
    return { flaws: [flaw(offsetOf(error), `not sound CEL: ${summaryOf(error)}`)] }
  }
}

/** `has(args.x)` is true or false whatever `x` is, so the checker looks at `dyn(args.x)` in its place, which is as long. */
function typeFlaws(
  text: string,
  expression: ParseResult,
  { presences }: Bounds,
  typed: TypedEnvironment,
): readonly ConditionFlaw[] {
  const { valid, type, error } = expression.check()
  if (!valid) return [typeFlaw(error, typed)]
  if (type !== 'bool' && type !== 'dyn')
    return [flaw(0, `the condition is of type \`${type}\`; it has to be true or false`)]
  if (presences.length === 0) return []
  const read = presences.reduce((it, at) => `${it.slice(0, at)}dyn${it.slice(at + 'has'.length)}`, text)
  const again = typed.environment.parse(read)
  boundsOf(again.ast)
  const present = again.check()
  return present.valid ? [] : [typeFlaw(present.error, typed)]
}

function typeFlaw(error: unknown, { fields }: TypedEnvironment): ConditionFlaw {
  const offset = offsetOf(error)
  const key = /^No such key: (.*)$/s.exec(summaryOf(error, false))?.[1]
  if (key === undefined)
    return flaw(offset, `not of the right type: ${summaryOf(error)}${numberHint(summaryOf(error))}`)
  const there = fields.get(typeNameOf(error) ?? '') ?? []
  const guess = didYouMean(key, there)
  const names = there.length === 0 ? '; there is none here' : `; keys here are ${there.join(', ')}`
  return flaw(offset, `unknown key \`${key}\`${guess === '' ? names : guess}`)
}

function evaluate(
  expression: ParseResult,
  { steps, queries }: Bounds,
  typed: TypedEnvironment,
  request: Request,
  meter: Meter,
): boolean | string {
  if (meter.exhausted !== undefined) return meter.exhausted
  meter.factor = steps
  typed.now.meter = meter
  typed.now.request = request
  typed.now.queries = queries
  try {
    meter.spend(steps)
    const result: unknown = expression(new Scope(request, meter, typed.args, typed.budget))
    if (meter.exhausted !== undefined) return meter.exhausted
    return typeof result === 'boolean' ? result : 'it gives neither true nor false'
  } catch (error) {
    return meter.exhausted ?? summaryOf(error)
  } finally {
    typed.now.meter = undefined
    typed.now.request = undefined
    typed.now.queries = undefined
  }
}

/** The one thing about numbers that surprises. */
const numberHint = (summary: string): string =>
  /\bdouble\b.*\bint\b|\bint\b.*\bdouble\b/.test(summary)
    ? '; write numbers with a point where the other side has one, as in 2.0'
    : ''

const flaw = (offset: number, message: string): ConditionFlaw => ({ offset, message })

/** As much of the library's words is shown. */
const summaryMax = 200

/** The library's own sentence, in the form of ours. */
function summaryOf(error: unknown, form = true): string {
  const summary: unknown = error instanceof Error ? Reflect.get(error, 'summary') : undefined
  const text = typeof summary === 'string' ? summary : error instanceof Error ? error.message : String(error)
  if (!form) return text
  const ours = Object.entries(metered).reduce((it, [name, own]) => it.replaceAll(own, name), text)
  return `${ours.charAt(0).toLowerCase()}${ours.slice(1)}`
    .replaceAll(/[a-zA-Z]+Fields\d*/g, 'object')
    .slice(0, summaryMax)
    .toWellFormed()
}

function offsetOf(error: unknown): number {
  const range: unknown = error instanceof Error ? Reflect.get(error, 'range') : undefined
  if (range === null || typeof range !== 'object') return 0
  const start: unknown = Reflect.get(range, 'start')
  return typeof start === 'number' ? start : 0
}

/** The name of the type whose field is missing: that of what stands before the dot. */
function typeNameOf(error: unknown): string | undefined {
  const node: unknown = error instanceof Error ? Reflect.get(error, 'node') : undefined
  const args: unknown = get(node, 'args')
  const type = get(get(Array.isArray(args) ? args[0] : undefined, 'checkedType'), 'name')
  return typeof type === 'string' ? type : undefined
}

const get = (value: unknown, key: string): unknown =>
  value !== null && typeof value === 'object' ? Reflect.get(value, key) : undefined
