/** The arguments of a syscall as its schema says them: for a reader, and for a compiler. */
import { z } from 'zod'
import type { Syscall } from '../../src/syscalls/row.ts'

/** The part of JSON Schema that the schemas of the table come out as. */
interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly string[]
  readonly const?: string | number
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | false
  readonly items?: Schema
  readonly format?: string
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly maxItems?: number
}

export interface Argument {
  readonly name: string
  readonly optional: boolean
  /** As a TypeScript type. */
  readonly type: string
  /** Bounds beyond the type, in words; empty where there are none. */
  readonly bounds: string
  readonly meaning: string
}

const schemaOf = (row: Syscall): Schema =>
  z.toJSONSchema(row.args, { io: 'input', unrepresentable: 'any' }) as Schema

/** The ways in which a call can be written; each has its own arguments. */
export const variantsOf = (row: Syscall): readonly (readonly Argument[])[] => {
  const schema = schemaOf(row)
  return (schema.anyOf ?? [schema]).map(argumentsIn)
}

/** Every argument of a call, once; one that not every variant needs is optional. */
export function argumentsOf(row: Syscall): readonly Argument[] {
  const variants = variantsOf(row)
  const byName = new Map(variants.flat().map((argument) => [argument.name, argument]))
  const everywhere = (name: string): boolean =>
    variants.every((variant) => variant.some((argument) => argument.name === name && !argument.optional))
  return [...byName.values()].map((argument) => ({ ...argument, optional: !everywhere(argument.name) }))
}

function argumentsIn({ properties = {}, required = [] }: Schema): readonly Argument[] {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    optional: !required.includes(name),
    type: typeText(schema),
    bounds: boundsText(schema),
    meaning: schema.description ?? '',
  }))
}

/** @returns the TypeScript type of what a schema lets through */
function typeText(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `'${value}'`).join(' | ')
  if (schema.const !== undefined)
    return typeof schema.const === 'string' ? `'${schema.const}'` : String(schema.const)
  if (schema.oneOf !== undefined) return schema.oneOf.map(typeText).join(' | ')
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' | ')
  if (Array.isArray(schema.type)) return schema.type.join(' | ')
  if (schema.type === 'integer') return 'number'
  if (schema.type === 'array') return `readonly ${grouped(typeText(schema.items ?? {}))}[]`
  if (schema.type === 'object') return objectText(schema)
  return typeof schema.type === 'string' ? schema.type : 'Json'
}

function objectText(schema: Schema): string {
  if (schema.additionalProperties)
    return `{ readonly [name: string]: ${typeText(schema.additionalProperties)} }`
  return `{ ${argumentsIn(schema)
    .map(({ name, optional, type }) => `readonly ${name}${optional ? '?' : ''}: ${type}`)
    .join('; ')} }`
}

const grouped = (type: string): string => (type.includes(' ') ? `(${type})` : type)

function boundsText(schema: Schema): string {
  const { minimum, exclusiveMinimum, maximum, maxLength, maxItems } = schema
  const bounds = [
    schema.type === 'integer' && 'whole',
    schema.format,
    exclusiveMinimum !== undefined && `more than ${exclusiveMinimum}`,
    minimum !== undefined && `at least ${minimum}`,
    maximum !== undefined &&
      maximum !== Number.MAX_SAFE_INTEGER &&
      `at most ${maximum.toLocaleString('en-US')}`,
    maxLength !== undefined && `at most ${maxLength.toLocaleString('en-US')} characters`,
    maxItems !== undefined && `at most ${maxItems} of them`,
  ]
  return bounds.filter((bound) => typeof bound === 'string').join(', ')
}
