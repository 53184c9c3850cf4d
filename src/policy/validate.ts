/** Holds a document against the schema, and says in sentences what does not fit. */
import { Ajv, type ErrorObject } from 'ajv'
import { KernelError } from '../errors.ts'
import { labelFlaw } from '../labels.ts'
import { limits } from '../limits.ts'
import { actionProblem } from './actions.ts'
import { parseBudgetEntry } from './budget.ts'
import type { EngineDocument } from './engines/engine.ts'
import { engineSchema, policySchema, saidOtherwise } from './schema.ts'
import { didYouMean } from './suggest.ts'
import type { PolicyDocument } from './types.ts'
import { parseDuration } from './units.ts'
import type { Path } from './yaml.ts'

/** A problem, and the path of the value that has it; with `key`, it is that key of the value. */
export interface Flaw {
  readonly path: Path
  readonly key?: string
  /** Where in a text it begins, in UTF-16 units. */
  readonly offset?: number
  readonly message: string
}

const ajv = new Ajv({ allErrors: true, verbose: true })
const validator = ajv.compile<PolicyDocument>(policySchema)
const engineValidator = ajv.compile<EngineDocument>(engineSchema)

/**
 * @param value any data
 * @returns it as a document, or what is wrong with it, at least one thing
 */
export function validate(
  value: unknown,
): { readonly document: PolicyDocument } | { readonly flaws: readonly Flaw[] } {
  return validator(value) ? { document: value } : { flaws: flawsOf(validator.errors) }
}

/** The same for a document that loads a file of another language. */
export function validateEngine(
  value: unknown,
): { readonly document: EngineDocument } | { readonly flaws: readonly Flaw[] } {
  return engineValidator(value) ? { document: value } : { flaws: flawsOf(engineValidator.errors) }
}

function flawsOf(errors: readonly ErrorObject[] | null | undefined): readonly Flaw[] {
  const flaws = (errors ?? []).map(explain).filter((flaw) => flaw !== undefined)
  const seen = new Set<string>()
  return flaws.filter((flaw) => {
    const mark = JSON.stringify(flaw)
    return !seen.has(mark) && seen.add(mark)
  })
}

/** @returns nothing where a list is no flaw itself: what is wrong in it has an error of its own */
function explain(error: ErrorObject): Flaw | undefined {
  const path = error.instancePath.split('/').slice(1).map(stepOf)
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params.additionalProperty)
    return { path, key, message: unknownKey(key, Object.keys(error.parentSchema?.properties ?? {})) }
  }
  const [place, index, key] = path
  if (place === 'budget' && typeof index === 'string')
    return { path: ['budget', index], message: budgetFlaw(index, error.data, error) }
  if (place === 'rules' && typeof index === 'number' && typeof key === 'string')
    return explainRule(error, ['rules', index, key], key)
  return { path, message: describe(error) }
}

const stepOf = (step: string): string | number => (/^\d+$/.test(step) ? Number(step) : step)

/** Lists are judged by their data: the schema says of each alternative why it is not that one. */
function explainRule(error: ErrorObject, path: Path, key: string): Flaw | undefined {
  const item = error.instancePath.split('/')[4]
  const place = item === undefined ? path : [...path, stepOf(item)]
  const { data } = error
  if (key === 'action' && typeof data === 'string')
    return { path: place, message: actionProblem(data) ?? describe(error) }
  if (key === 'rateLimit' && item === 'per' && error.keyword === 'pattern')
    return { path: place, message: flawOf(() => parseDuration(data)) ?? describe(error) }
  if (key === 'label' && ['pattern', 'maxLength', 'type'].includes(error.keyword) && item !== undefined)
    return { path: place, message: labelFlaw(data) ?? describe(error) }
  if (item !== undefined || !['action', 'resource', 'principal'].includes(key))
    return { path: place, message: describe(error) }
  if (Array.isArray(data)) {
    const message = listFlaw(key, data)
    return message === undefined ? undefined : { path, message }
  }
  if (typeof data === 'string') return { path, message: textFlaw(key, data) }
  return { path, message: `\`${key}\` is ${found(data)}; write a text or a list of texts` }
}

const textFlaw = (key: string, text: string): string =>
  text === ''
    ? `\`${key}\` is empty; leave the key out for any`
    : `\`${key}\` has ${text.length} characters, at most ${limits.patternMax} fit`

function listFlaw(key: string, list: readonly unknown[]): string | undefined {
  if (list.length === 0)
    return `\`${key}\` is an empty list, which is not any; ${key === 'action' ? 'name one' : 'leave the key out for any'}`
  if (new Set(list).size < list.length) return `\`${key}\` names the same thing twice`
  if (list.length > limits.patternsMax)
    return `\`${key}\` has ${list.length} entries, at most ${limits.patternsMax} are taken`
  return undefined
}

const budgetFlaw = (key: string, value: unknown, error: ErrorObject): string =>
  flawOf(() => parseBudgetEntry(key, value)) ?? describe(error)

/** @returns why a value cannot be read, in the words of what reads it */
function flawOf(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (flaw) {
    if (flaw instanceof KernelError) return flaw.message
    throw flaw
  }
}

function unknownKey(key: string, known: readonly string[]): string {
  const instead = Object.hasOwn(saidOtherwise, key) ? saidOtherwise[key] : undefined
  if (instead !== undefined) return `\`${key}\` is no key here: it ${instead}`
  const guess = didYouMean(key, known)
  return `unknown key \`${key.slice(0, 80)}\`${guess === '' ? `; keys here are ${known.join(', ')}` : guess}`
}

/** Each keyword of the schema, as a sentence. */
function describe(error: ErrorObject): string {
  const name = error.instancePath.split('/').findLast((step) => step !== '' && !/^\d+$/.test(step))
  const what = name === undefined ? 'the policy' : `\`${name}\``
  const { params, data } = error
  switch (error.keyword) {
    case 'required':
      return `the key \`${params.missingProperty}\` is missing`
    case 'const':
      if (params.allowedValue === true) return `${what} is ${found(data)}; leave it out, or write true`
      return `${what} is ${found(data)}; this is version ${params.allowedValue} of the language`
    case 'enum': {
      const allowed: readonly string[] = params.allowedValues
      const guess = typeof data === 'string' ? didYouMean(data, allowed) : ''
      return `${what} is ${found(data)}${guess === '' ? `; it is one of ${allowed.join(', ')}` : guess}`
    }
    case 'type':
      return `${what} is ${found(data)}; it has to be ${typeNames[String(params.type)] ?? params.type}`
    case 'pattern':
      return `${what} is ${found(data)}; write up to 64 letters, digits, dots, hyphens or underscores, a letter or digit first`
    case 'uniqueItems':
      return `${what} names the same thing twice`
    case 'minItems':
      return `${what} is an empty list; name one, or leave the key out`
    case 'maxItems':
      return `${what} has ${Array.isArray(data) ? data.length : 'too many'} entries, at most ${params.limit} are taken`
    case 'minimum':
      return `${what} is ${found(data)}; the least is ${params.limit}`
    case 'maximum':
      return `${what} is ${found(data)}; the most is ${params.limit}`
    case 'minLength':
      return `${what} is empty; leave the key out for any`
    case 'maxLength':
      return `${what} is longer than ${params.limit} characters`
    default:
      return `${what} is ${found(data)}: ${error.message ?? 'not sound'}`
  }
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'a map of keys',
  array: 'a list',
  string: 'text; put it in quotes',
  integer: 'a whole number',
}

function found(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string') return `\`${value.slice(0, 80).toWellFormed()}\``
  return `the ${typeof value} \`${value}\``
}
