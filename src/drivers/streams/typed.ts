/** What goes through a typed pipe, as its schema says: a part of JSON Schema of which every check costs little, whoever wrote it. */
import { z } from 'zod'
import { SyscallError } from '../../errors.ts'
import type { Json, JsonObject } from '../../json.ts'
import { limits } from '../../limits.ts'

/** @returns what is wrong with a value, with its path; undefined where nothing is */
export type Check = (value: Json, path: string) => string | undefined

const types = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const
type Type = (typeof types)[number]

interface Schema {
  readonly type?: Type | undefined
  readonly enum?: readonly (string | number | boolean | null)[] | undefined
  readonly properties?: Readonly<Record<string, Schema>> | undefined
  readonly required?: readonly string[] | undefined
  readonly additionalProperties?: boolean | Schema | undefined
  readonly items?: Schema | undefined
  readonly anyOf?: readonly Schema[] | undefined
  readonly minimum?: number | undefined
  readonly maximum?: number | undefined
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
  readonly minItems?: number | undefined
  readonly maxItems?: number | undefined
}

const count = z.int().nonnegative()
const text = z.string()
/** No patterns, references or formats: what those cost depends on who writes them. */
const form: z.ZodType<Schema> = z.strictObject({
  $schema: text.optional(),
  title: text.optional(),
  description: text.optional(),
  type: z.enum(types).optional(),
  enum: z.array(z.union([text, z.number(), z.boolean(), z.null()])).optional(),
  get properties() {
    return z.record(text, form).optional()
  },
  required: z.array(text).optional(),
  get additionalProperties() {
    return z.union([z.boolean(), form]).optional()
  },
  get items() {
    return form.optional()
  },
  get anyOf() {
    return z.array(form).min(1).optional()
  },
  ...{ minimum: z.number().optional(), maximum: z.number().optional() },
  ...{ minLength: count.optional(), maxLength: count.optional() },
  ...{ minItems: count.optional(), maxItems: count.optional() },
})

/**
 * @param given a JSON Schema of an agent
 * @throws SyscallError EINVAL for what is none, or more than the part that is taken; E2BIG for a large one
 */
export function readTyped(given: JsonObject): Check {
  if (JSON.stringify(given).length > limits.pipeSchemaMax)
    throw new SyscallError('E2BIG', `a schema of a pipe has at most ${limits.pipeSchemaMax} characters`)
  const read = form.safeParse(given)
  if (read.success) return checkOf(read.data)
  const [issue] = read.error.issues
  const at = ['schema', ...(issue?.path ?? []).map(String)].join('.').slice(0, limits.jsonPathShownMax)
  throw new SyscallError(
    'EINVAL',
    `\`${at}\`: ${issue?.message.slice(0, limits.jsonPathShownMax)}; a pipe takes ${Object.keys(keywords).join(', ')}`,
  )
}

function checkOf(schema: Schema): Check {
  const checks = Object.entries(keywords).flatMap(([keyword, make]) =>
    schema[keyword as keyof Schema] === undefined ? [] : [make(schema)],
  )
  return (value, path) => {
    for (const check of checks) {
      const flaw = check(value, path)
      if (flaw !== undefined) return flaw
    }
    return undefined
  }
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

function isOf(type: Type, value: Json): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return isList(value)
  if (type === 'object') return isObject(value)
  return type === 'integer' ? Number.isInteger(value) : typeof value === type
}

/** @param holds of values of the kind that the keyword is about; others it says nothing of */
const bound =
  (what: string, holds: (value: Json) => boolean): Check =>
  (value, path) =>
    holds(value) ? undefined : `\`${path}\` ${what}`

const keywords: { readonly [Key in keyof Schema]-?: (schema: Schema) => Check } = {
  type: ({ type = 'null' }) => bound(`is no ${type}`, (value) => isOf(type, value)),
  enum: ({ enum: values = [] }) => {
    const known = new Set<Json>(values)
    return bound('is none of the values there are', (value) => known.has(value))
  },
  minimum: ({ minimum = 0 }) =>
    bound(`is below ${minimum}`, (value) => typeof value !== 'number' || value >= minimum),
  maximum: ({ maximum = 0 }) =>
    bound(`is above ${maximum}`, (value) => typeof value !== 'number' || value <= maximum),
  minLength: ({ minLength = 0 }) =>
    bound(
      `is shorter than ${minLength}`,
      (value) => typeof value !== 'string' || lengthOf(value) >= minLength,
    ),
  maxLength: ({ maxLength = 0 }) =>
    bound(
      `is longer than ${maxLength}`,
      (value) => typeof value !== 'string' || lengthOf(value) <= maxLength,
    ),
  minItems: ({ minItems = 0 }) =>
    bound(`has fewer than ${minItems} items`, (value) => !isList(value) || value.length >= minItems),
  maxItems: ({ maxItems = 0 }) =>
    bound(`has more than ${maxItems} items`, (value) => !isList(value) || value.length <= maxItems),
  required:
    ({ required = [] }) =>
    (value, path) => {
      const missing = isObject(value) ? required.find((key) => !Object.hasOwn(value, key)) : undefined
      return missing === undefined ? undefined : `\`${path}.${missing}\` is missing`
    },
  properties: ({ properties = {} }) => {
    const checks = Object.entries(properties).map(([key, schema]) => [key, checkOf(schema)] as const)
    return (value, path) => {
      if (!isObject(value)) return undefined
      for (const [key, check] of checks) {
        const flaw = Object.hasOwn(value, key) ? check(value[key] ?? null, `${path}.${key}`) : undefined
        if (flaw !== undefined) return flaw
      }
      return undefined
    }
  },
  additionalProperties: ({ properties = {}, additionalProperties = true }) => {
    const known = new Set(Object.keys(properties))
    const check: Check =
      typeof additionalProperties === 'object'
        ? checkOf(additionalProperties)
        : (_value, path) => (additionalProperties ? undefined : `\`${path}\` is not known`)
    return (value, path) => {
      for (const [key, item] of isObject(value) ? Object.entries(value) : []) {
        const flaw = known.has(key) ? undefined : check(item, `${path}.${key}`)
        if (flaw !== undefined) return flaw
      }
      return undefined
    }
  },
  items: ({ items = {} }) => {
    const check = checkOf(items)
    return (value, path) => {
      for (const [index, item] of isList(value) ? value.entries() : []) {
        const flaw = check(item, `${path}[${index}]`)
        if (flaw !== undefined) return flaw
      }
      return undefined
    }
  },
  anyOf: ({ anyOf = [] }) => {
    const checks = anyOf.map(checkOf)
    return (value, path) =>
      checks.some((check) => check(value, path) === undefined)
        ? undefined
        : `\`${path}\` fits none of the forms`
  },
}

/** In characters, as JSON Schema counts. */
const lengthOf = (text: string): number => [...text].length
