/** Arguments of syscalls as JSON text: made from the schema of each row, and spoilt in the ways that parsers are. */
import { z } from 'zod'
import type { Syscall } from '../../src/syscalls/row.ts'
import { syscalls } from '../../src/syscalls.ts'
import type { Random } from '../support/random.ts'
import { numbers, paths, urls, words } from './words.ts'

interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly items?: Schema
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly format?: string
  readonly contentEncoding?: string
  readonly maxLength?: number
}

const rows: Readonly<Record<string, Syscall>> = syscalls
const schemas = new Map(
  Object.entries(rows).map(([name, { args }]) => [
    name,
    z.toJSONSchema(args, { io: 'input', unrepresentable: 'any' }) as Schema,
  ]),
)
export const rowNames = [...schemas.keys()]

/** Keys that say what a text is; the rest is any word. */
function textFor(key: string, random: Random): string {
  if (['path', 'from', 'to'].includes(key) && random.chance(0.9)) return random.pick(paths)
  if (key === 'url') return random.pick(urls)
  if (key === 'base64') return random.pick(['', 'AAAA', 'QUJD', 'QQ==', 'Q===', 'QQ', 'A A=', '-_-_'])
  if (key === 'name' && random.chance(0.5)) return random.pick(['echo', 'fuzzed', 'kid'])
  if (key === 'target' || key === 'to') return random.pick(['fuzzed', 'kid', 'nobody'])
  return random.pick(words)
}

/** @returns JSON text that fits the schema, as far as the schema can say */
function fitting(schema: Schema, key: string, random: Random, depth = 0): string {
  if (schema.anyOf !== undefined) return fitting(random.pick(schema.anyOf), key, random, depth)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return JSON.stringify(random.pick(schema.enum))
  if (schema.type === 'object') return fittingObject(schema, random, depth)
  if (schema.type === 'array') {
    const items = Array.from({ length: random.between(0, 3) }, () =>
      fitting(schema.items ?? {}, key, random, depth + 1),
    )
    return `[${items.join(',')}]`
  }
  if (schema.type === 'string') return JSON.stringify(textFor(key, random))
  if (schema.type === 'boolean') return random.pick(['true', 'false'])
  if (schema.type === 'integer' || schema.type === 'number') {
    const least = schema.minimum ?? (schema.exclusiveMinimum === undefined ? 0 : schema.exclusiveMinimum + 1)
    const most = Math.min(schema.maximum ?? 1_000, random.pick([least, least + 10, 2 ** 31]))
    return String(random.between(least, Math.max(least, most)))
  }
  return anyJson(random, depth)
}

function fittingObject(schema: Schema, random: Random, depth: number): string {
  if (schema.properties === undefined)
    return random.pick([
      '{}',
      '{"syscalls":5}',
      '{"wall":"1s"}',
      '{"x":1}',
      '{"accept":"*/*"}',
      '{"Host":"x"}',
    ])
  const pairs = Object.entries(schema.properties)
    .filter(([key]) => schema.required?.includes(key) || random.chance(0.4))
    .map(([key, of]) => `${JSON.stringify(key)}:${fitting(of, key, random, depth + 1)}`)
  return `{${pairs.join(',')}}`
}

function anyJson(random: Random, depth: number): string {
  if (depth > 3 || random.chance(0.4))
    return random.pick([JSON.stringify(random.pick(words)), random.pick(numbers), 'null', 'true'])
  if (random.chance(0.5)) return `[${[0, 1].map(() => anyJson(random, depth + 1)).join(',')}]`
  return `{${JSON.stringify(random.pick(words))}:${anyJson(random, depth + 1)}}`
}

const deep = (open: string, close: string, times: number): string =>
  `${open.repeat(times)}1${close.repeat(times)}`

/** Ways to spoil a text; each may also leave it sound. */
const spoilers: readonly ((text: string, random: Random) => string)[] = [
  (text) => text.replace(/,"[^"]*":("(?:[^"\\]|\\.)*"|[^,}\]]+)/, ''),
  (text, random) => text.replace(/:("(?:[^"\\]|\\.)*"|[^,}\]]+)/, () => `:${anyJson(random, 0)}`),
  (text, random) => text.replace(/:("(?:[^"\\]|\\.)*"|[^,}\]]+)/, () => `:${random.pick(numbers)}`),
  (text, random) =>
    text.replace(/}$/, () => `${text.length > 2 ? ',' : ''}${JSON.stringify(random.pick(words))}:1}`),
  (text) => text.replace(/^{("[^"]*"):([^,}]*)/, (all, key, value) => `${all},${key}:${value},${key}:null`),
  (text, random) =>
    text.replace(
      /^{/,
      () => `{"${random.pick(['__proto__', 'constructor', 'prototype', '\\u005f_proto__'])}":{"path":"/x"},`,
    ),
  (text, random) => text.slice(0, random.between(0, text.length)),
  (text, random) => {
    const at = random.between(0, text.length)
    return `${text.slice(0, at)}${random.pick(['\u0000', '"', '\\', '{', '}', ',', '\ud800', '\u2028', 'é', ' ', '\\u0000', '\\ud800'])}${text.slice(at)}`
  },
  (text, random) =>
    text.replace(
      /:("(?:[^"\\]|\\.)*"|[^,}\]]+)/,
      () => `:${deep('[', ']', random.pick([10, 63, 64, 65, 5_000]))}`,
    ),
  (text, random) =>
    text.replace(
      /:("(?:[^"\\]|\\.)*"|[^,}\]]+)/,
      () => `:${deep('{"a":', '}', random.pick([10, 64, 3_000]))}`,
    ),
  (text) => `\uFEFF${text}`,
  (text) => `${text} ${text}`,
  (text) => `[${text}]`,
  () => '',
  (_text, random) => anyJson(random, 0),
  (text, random) =>
    text.replace(/"[^"]*"}$/, () => `"${'y'.repeat(random.pick([1_000, 100_000, 1_100_000]))}"}`),
  (text, random) => text.replace(/}$/, () => `,"x":[${'0,'.repeat(random.pick([10, 300_000]))}0]}`),
]

/** One call: its name, and its arguments as text. */
export function someArguments(random: Random): { readonly name: string; readonly text: string } {
  const name = random.pick(rowNames)
  let text = fitting(schemas.get(name) ?? {}, '', random)
  for (let times = random.chance(0.45) ? random.between(1, 2) : 0; times > 0; times -= 1)
    text = random.pick(spoilers)(text, random)
  return { name: random.chance(0.02) ? random.pick(words) : name, text }
}

const neverKeys = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * @returns whether a text is what no call may ever be made with: no JSON, keys that reach a prototype, lone surrogates,
 *   numbers without end, more than 64 levels
 */
export function isUnsound(text: string): boolean {
  try {
    return walk(JSON.parse(text), 0)
  } catch {
    return true
  }
}

function walk(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return !value.isWellFormed()
  if (typeof value === 'number') return !Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return false
  const flawed = (key: string): boolean => neverKeys.has(key) || !key.isWellFormed()
  return (
    depth >= 64 ||
    Object.entries(value).some(
      ([key, item]) => (!Array.isArray(value) && flawed(key)) || walk(item, depth + 1),
    )
  )
}
