/** What the arguments of an action are, as a condition sees them: read from a table of ours or from a tool's JSON Schema. */
import type { Json, JsonObject } from '../json.ts'

/** `int` is a whole number, `dyn` a value that is known only when the call comes. */
export type ArgumentType =
  | 'string'
  | 'int'
  | 'double'
  | 'bool'
  | 'dyn'
  | { readonly list: ArgumentType }
  | { readonly map: ArgumentType }
  | { readonly fields: Readonly<Record<string, ArgumentType>> }

/** How the table of actions writes a type; `?` marks what a call may leave out. */
type Written = `${'string' | 'int' | 'strings'}${'' | '?'}`
export type WrittenArguments = Readonly<Record<string, Written>>

type ValueOf<W extends Written> = W extends `strings${string}`
  ? readonly string[]
  : W extends `string${string}`
    ? string
    : number

/** The arguments that a table entry promises, as a type of TypeScript, so that the compiler holds syscalls to it. */
export type ArgumentsOf<A extends WrittenArguments> = {
  readonly [K in keyof A as A[K] extends `${string}?` ? never : K]: ValueOf<A[K]>
} & { readonly [K in keyof A as A[K] extends `${string}?` ? K : never]?: ValueOf<A[K]> }

/** @param written an entry of the table */
export function argumentsAsWritten(written: WrittenArguments): ArgumentType & object {
  const fields = Object.entries(written).map(([name, type]) => [name, readWritten(type)] as const)
  return { fields: Object.fromEntries(fields) }
}

function readWritten(written: Written): ArgumentType {
  const type = written.replace('?', '')
  if (type === 'strings') return { list: 'string' }
  return type === 'int' ? 'int' : 'string'
}

/** What any object may be: where nobody has said what an action takes. */
export const anyArguments: ArgumentType & object = Object.freeze({ map: 'dyn' })

/** Deeper than this, values are `dyn`. */
const depthMax = 8

/** Keywords by which a value may hold more than `properties` says. */
const widening = ['anyOf', 'oneOf', 'allOf', 'patternProperties', 'if', 'dependentSchemas', '$ref']

/**
 * @param schema a tool's parameters, as JSON Schema
 * @returns their type; whatever the schema does not pin down is `dyn`
 */
export const argumentsOfSchema = (schema: JsonObject): ArgumentType & object => {
  const type = readSchema(schema, 0)
  return typeof type === 'object' && ('fields' in type || 'map' in type) ? type : anyArguments
}

function readSchema(schema: Json | undefined, depth: number): ArgumentType {
  if (!isObject(schema) || depth > depthMax) return 'dyn'
  switch (schema.type ?? typeOfEnum(schema)) {
    case 'string':
      return 'string'
    case 'integer':
      return 'int'
    case 'number':
      return 'double'
    case 'boolean':
      return 'bool'
    case 'array':
      return { list: 'prefixItems' in schema ? 'dyn' : readSchema(schema.items, depth + 1) }
    case 'object':
      return readObject(schema, depth)
    default:
      return 'dyn'
  }
}

function readObject(schema: JsonObject, depth: number): ArgumentType {
  const { properties, additionalProperties } = schema
  const widened = widening.some((keyword) => keyword in schema)
  if (!widened && isObject(properties) && Object.keys(properties).length > 0) {
    const fields = Object.entries(properties).map(
      ([name, each]) => [name, readSchema(each, depth + 1)] as const,
    )
    return { fields: Object.fromEntries(fields) }
  }
  if (!widened && properties === undefined && isObject(additionalProperties))
    return { map: readSchema(additionalProperties, depth + 1) }
  return { map: 'dyn' }
}

/** A set of texts without a `type` is still a text. */
function typeOfEnum(schema: JsonObject): string | undefined {
  const { enum: values, const: value } = schema
  const all = Array.isArray(values) ? values : value === undefined ? [] : [value]
  return all.length > 0 && all.every((each) => typeof each === 'string') ? 'string' : undefined
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
