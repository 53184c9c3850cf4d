/** What conditions can name, and of which type it is: one environment of the CEL library for each type of arguments. */
import { Environment } from '@marcbachmann/cel-js'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import type { ArgumentType } from './arguments.ts'
import { registerHistory } from './cel-history.ts'
import { type Convert, fromCel, Message, type Meter, toInt } from './cel-values.ts'
import type { HistoryQuery } from './history.ts'
import { linksIn, wordsIn } from './links.ts'
import type { Request } from './types.ts'

export interface TypedEnvironment {
  readonly environment: Environment
  /** Fields by the name of their type, for “did you mean”. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  readonly args: Convert
  readonly budget: Convert
  /** Set while a condition is evaluated. */
  readonly now: Evaluation
}

/** What functions of ours work with: one evaluation at a time. */
export interface Evaluation {
  /** Pays for what the library's own functions do not. */
  meter: Meter | undefined
  request: Request | undefined
  queries: ReadonlyMap<string, HistoryQuery> | undefined
}

/** The names in a condition, as the type checker has them. */
export const variables = ['principal', 'action', 'resource', 'args', 'labels', 'budget', 'isolation'] as const

/** What is left of each, absent where nothing limits it. */
const budgetType: ArgumentType = {
  fields: { syscalls: 'int', cpuMs: 'double', tokens: 'int', costUsd: 'double', bits: 'int' },
}

/** Functions of ours in place of the library's: by the name in a condition. */
export const metered: Readonly<Record<string, string>> = {
  contains: 'meteredContains',
  lowerAscii: 'meteredLowerAscii',
}

const known = new WeakMap<object, TypedEnvironment>()

/** @param type of the arguments; the same object gives the same environment */
export function environmentFor(type: ArgumentType & object): TypedEnvironment {
  const made = known.get(type) ?? makeEnvironment(type)
  known.set(type, made)
  return made
}

function makeEnvironment(type: ArgumentType): TypedEnvironment {
  const now: Evaluation = { meter: undefined, request: undefined, queries: undefined }
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: true,
    enableOptionalTypes: false,
    limits: {
      maxAstNodes: limits.conditionNodesMax,
      maxDepth: limits.conditionDepthMax,
      maxListElements: limits.conditionNodesMax,
      maxCallArguments: 3,
    },
  })
  const types = new Types(environment)
  const args = types.register('args', type)
  const budget = types.register('budget', budgetType)
  for (const name of ['principal', 'action', 'resource', 'isolation'])
    environment.registerVariable(name, 'string')
  environment.registerVariable('labels', 'list<string>')
  environment.registerVariable('args', args.name).registerVariable('budget', budget.name)
  const pay = (steps: number): void => now.meter?.spend(steps)
  environment.registerFunction(`string.${metered.contains}(string): bool`, (text: string, part: string) => {
    pay(searchSteps(text, part))
    return text.includes(part)
  })
  environment.registerFunction(`string.${metered.lowerAscii}(): string`, (text: string) => {
    if (!beyondAscii.test(text)) return text.toLowerCase()
    pay(text.length / lettersPerStep)
    return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
  })
  environment.registerFunction('origin(dyn): string', (value: unknown): string => {
    const { meter, request } = now
    if (meter === undefined || request?.origin === undefined)
      throw new Error('where values have been seen is not known here')
    const held = fromCel(value)
    meter.weigh(held)
    return request.origin(held, pay)
  })
  for (const [name, read] of Object.entries(textReaders))
    environment.registerFunction(`${name}(string): list<string>`, (text: string) => {
      pay(text.length / unitsPerStep)
      const found = read(text)
      now.meter?.weigh(found)
      return found
    })
  registerHistory(environment, (key, what) => {
    const { request, queries } = now
    const query = queries?.get(key)
    if (query === undefined || request?.history === undefined)
      throw new Error('what has been done before is not known here')
    if (what === 'count') return BigInt(request.history.count(query))
    const agents = request.history.agents(query)
    pay(agents.length)
    return [...agents]
  })
  return { environment, fields: types.fields, args: args.convert, budget: budget.convert, now }
}

/** Functions that make a list of a text. */
const textReaders = { words: wordsIn, links: linksIn }
/** UTF-16 units that they read in about one step. */
const unitsPerStep = 4

/** `toLowerCase` folds letters beyond ASCII into it, such as the Kelvin sign. */
const beyondAscii = /[^\0-\x7f]/
/** Runs of letters that are replaced in about one step, where each is a run of its own. */
const lettersPerStep = 2

/** Looking for a text may compare at every place, at most that many characters of it. */
const compared = 256
const searchSteps = (text: string, part: string): number =>
  (text.length * Math.min(part.length, compared)) / compared

interface Registered {
  /** As the library names the type. */
  readonly name: string
  readonly convert: Convert
}

const asIs: Convert = (value) => value

class Types {
  readonly fields = new Map<string, readonly string[]>()
  readonly #environment: Environment

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** @param hint the name of an object's type; one that is taken gets a number */
  register(hint: string, type: ArgumentType): Registered {
    if (type === 'int') return { name: 'int', convert: toInt }
    if (typeof type === 'string') return { name: type, convert: asIs }
    if ('fields' in type) return this.#message(hint, type.fields)
    if ('list' in type) {
      const item = this.register(hint, type.list)
      return { name: `list<${item.name}>`, convert: each(item.convert) }
    }
    const value = this.register(hint, type.map)
    return { name: `map<string, ${value.name}>`, convert: eachValue(value.convert) }
  }

  #message(hint: string, fields: Readonly<Record<string, ArgumentType>>): Registered {
    const name = this.fields.has(`${hint}Fields`) ? `${hint}Fields${this.fields.size}` : `${hint}Fields`
    this.fields.set(name, Object.keys(fields))
    const registered = Object.entries(fields).map(
      ([field, type]) => [field, this.register(hint, type)] as const,
    )
    const converts = new Map(registered.map(([field, { convert }]) => [field, convert]))
    const Own = class extends Message {}
    this.#environment.registerType(name, {
      ctor: Own,
      fields: Object.fromEntries(registered.map(([field, it]) => [field, it.name])),
    })
    return {
      name,
      convert: (value, meter) => (isObject(value) ? new Own(value, converts, meter) : value),
    }
  }
}

const each = (convert: Convert): Convert =>
  convert === asIs
    ? asIs
    : (value, meter) => (Array.isArray(value) ? value.map((item: Json) => convert(item, meter)) : value)

/** A map is read whole, so it is weighed whole. */
const eachValue =
  (convert: Convert): Convert =>
  (value, meter) => {
    meter.weigh(value)
    if (convert === asIs || !isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, convert(item, meter)]))
  }

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
