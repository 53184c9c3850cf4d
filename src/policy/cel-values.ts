/** What a condition reads: values are handed out one by one, and each is weighed first, so that no call can make a decision slow. */
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { historyValue } from './cel-history.ts'
import type { Request } from './types.ts'

/** Characters that take about as long as one step of an evaluation, where each is looked at by itself. */
const charactersPerStep = 16

/** Steps that one decision may take; what is past them is not evaluated, and forbids. */
export class Meter {
  #left: number = limits.conditionStepsMax
  #spent: string | undefined
  /** Steps that the condition under evaluation takes for one element of a list. */
  factor = 1

  /** Why nothing more may be evaluated. */
  get exhausted(): string | undefined {
    return this.#spent
  }

  /** @throws Exhausted; what swallows it finds `exhausted` set */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) this.refuse(`it takes more than ${limits.conditionStepsMax} steps`)
  }

  /** Pays for looking at a value, and at each of its elements as often as the condition could. */
  weigh(value: Json): void {
    if (typeof value === 'string') return this.spend(1 + value.length / charactersPerStep)
    if (value === null || typeof value !== 'object') return this.spend(1)
    const waiting: Json[] = [value]
    let elements = 0
    let characters = 0
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      elements += 1
      if (typeof next === 'string') characters += next.length
      if (next === null || typeof next !== 'object') continue
      const within: readonly Json[] = Array.isArray(next) ? next : Object.values(next)
      if (elements + waiting.length + within.length > limits.conditionListMax)
        this.refuse(`it looks at a value of more than ${limits.conditionListMax} elements`)
      waiting.push(...within)
    }
    this.spend(elements * this.factor + characters / charactersPerStep)
  }

  refuse(why: string): never {
    this.#spent ??= why
    throw new Exhausted(why)
  }
}

class Exhausted extends Error {
  override readonly name = 'Exhausted'
}

/** Turns what a call holds into what CEL computes with: a whole number is a BigInt there. */
export type Convert = (value: Json, meter: Meter) => unknown

/** An object with declared fields. CEL reads it by `get`, and knows its type by its class, so each type is a class of its own. */
export class Message extends Map<string, unknown> {
  readonly #raw: Readonly<Record<string, Json | undefined>>
  readonly #fields: ReadonlyMap<string, Convert>
  readonly #meter: Meter

  constructor(
    raw: Readonly<Record<string, Json | undefined>>,
    fields: ReadonlyMap<string, Convert>,
    meter: Meter,
  ) {
    super()
    this.#raw = raw
    this.#fields = fields
    this.#meter = meter
  }

  /** As the call holds it. */
  get raw(): Json {
    return this.#raw as Json
  }

  override get(name: string): unknown {
    const convert = this.#fields.get(name)
    const value = Object.hasOwn(this.#raw, name) ? this.#raw[name] : undefined
    if (convert === undefined || value === undefined) return undefined
    this.#meter.weigh(value)
    return convert(value, this.#meter)
  }
}

/** Not exact where JSON wrote it beyond 2^53, as no consumer of JSON is. */
export const toInt: Convert = (value) =>
  typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value

/** Back from what CEL computes with; what no call can hold is null. */
export function fromCel(value: unknown): Json {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Message) return value.raw
  if (Array.isArray(value)) return value.map(fromCel)
  if (value === null || typeof value !== 'object') return value as Json
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromCel(item)]))
}

/** The variables of one request. */
export class Scope extends Map<string, unknown> {
  readonly #request: Request
  readonly #meter: Meter
  readonly #args: Convert
  readonly #budget: Convert

  constructor(request: Request, meter: Meter, args: Convert, budget: Convert) {
    super()
    this.#request = request
    this.#meter = meter
    this.#args = args
    this.#budget = budget
  }

  override get(name: string): unknown {
    const { principal, action, resource, isolation, args, labels, budget } = this.#request
    switch (name) {
      case 'principal':
        return this.#text(principal)
      case 'action':
        return action
      case 'resource':
        return this.#text(resource)
      case 'isolation':
        return isolation
      case 'args':
        return this.#args(args, this.#meter)
      case 'labels':
        if (labels !== undefined) this.#meter.weigh(labels)
        return labels
      case 'history':
        return historyValue
      case 'budget':
        return budget === undefined ? undefined : this.#budget({ ...budget() }, this.#meter)
      default:
        return undefined
    }
  }

  #text(text: string): string {
    this.#meter.weigh(text)
    return text
  }
}
