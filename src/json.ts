/** JSON as the only currency between user space, the kernel and the record. */
import { SyscallError } from './errors.ts'
import { limits } from './limits.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/** Keys that reach a prototype in some consumer; no document that crosses the boundary may hold one. */
const prototypeKeys = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Parses text from user space.
 * @param text what crossed the boundary; at most `limits.argsBytesMax` UTF-16 units
 * @returns the value, free of prototype keys, infinities, lone surrogates, excessive depth and number of values
 * @throws SyscallError EINVAL or E2BIG, with the path of what is unsound
 */
export function parseGuestJson(text: string): Json {
  if (text.length > limits.argsBytesMax) {
    throw new SyscallError(
      'E2BIG',
      `arguments of ${text.length} characters, at most ${limits.argsBytesMax} fit; put a larger document in a file`,
    )
  }
  if (text.length > limits.jsonNodesMax) assertFewValues(text)
  let value: Json
  try {
    value = JSON.parse(text)
  } catch {
    throw new SyscallError('EINVAL', 'arguments are not JSON')
  }
  assertSound(value, 'args', 0, { nodes: 1 })
  return value
}

/** Counts commas outside of strings, so that what would parse into a mountain of values is refused before it is parsed. */
function assertFewValues(text: string): void {
  let commas = 0
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit === comma) commas += 1
    else if (unit === quote) index = endOfString(text, index)
    if (commas > limits.jsonNodesMax) throw tooMany()
  }
}

const comma = 0x2c
const quote = 0x22
const backslash = 0x5c

/** @returns where the string that begins at `start` ends; the end of the text for one that does not */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charCodeAt(before) === backslash) before -= 1
    if ((end - before) % 2 === 1) return end
  }
  return text.length
}

/** What one walk has met so far. */
interface Walk {
  nodes: number
}

function assertSound(value: Json, path: string, depth: number, walk: Walk): void {
  if (typeof value === 'string') return assertWellFormed(value, path)
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new SyscallError('EINVAL', `\`${shown(path)}\` is a number beyond the range of a double`)
  }
  if (value === null || typeof value !== 'object') return
  if (depth >= limits.jsonDepthMax)
    throw new SyscallError('EINVAL', `\`${shown(path)}\` is nested deeper than ${limits.jsonDepthMax}`)
  if (isArray(value)) {
    count(walk, value.length)
    for (let index = 0; index < value.length; index += 1)
      assertSound(value[index] ?? null, `${path}[${index}]`, depth + 1, walk)
    return
  }
  const keys = Object.keys(value)
  count(walk, keys.length)
  for (const key of keys) {
    if (prototypeKeys.has(key))
      throw new SyscallError('EINVAL', `\`${shown(path)}\` has the key \`${key}\`, which is never accepted`)
    assertWellFormed(key, path)
    assertSound(value[key] ?? null, `${path}.${key}`, depth + 1, walk)
  }
}

function count(walk: Walk, more: number): void {
  walk.nodes += more
  if (walk.nodes > limits.jsonNodesMax) throw tooMany()
}

const tooMany = (): SyscallError =>
  new SyscallError(
    'E2BIG',
    `arguments of more than ${limits.jsonNodesMax} values; put them into a file as one text, or send them in parts`,
  )

function assertWellFormed(text: string, path: string): void {
  if (!text.isWellFormed())
    throw new SyscallError('EINVAL', `\`${shown(path)}\` holds a lone surrogate, which UTF-8 cannot carry`)
}

/** A path is as long as its keys, and those are outside text. */
function shown(path: string): string {
  return path.length <= limits.jsonPathShownMax ? path : `${path.slice(0, limits.jsonPathShownMax)}…`
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value)

/**
 * Accepts a value of the application only if JSON carries it unchanged.
 * @param value any JavaScript value
 * @param path how the value is called in the message, for example `args[0]`
 * @returns the same value, as JSON
 * @throws SyscallError EINVAL that names the path of an undefined, Date, function, class instance, cycle, …
 */
export function asJson(value: unknown, path: string): Json {
  return checkJson(value, path, [])
}

function checkJson(value: unknown, path: string, parents: readonly object[]): Json {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') {
    assertWellFormed(value, path)
    return value
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Object.is(value, -0))
      throw notJson(path, `${Object.is(value, -0) ? '-0' : value}`)
    return value
  }
  if (typeof value !== 'object') throw notJson(path, value === undefined ? 'undefined' : `a ${typeof value}`)
  if (parents.includes(value)) throw notJson(path, 'a cycle')
  if (parents.length >= limits.jsonDepthMax) throw notJson(path, `nested deeper than ${limits.jsonDepthMax}`)
  const lineage = [...parents, value]
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) => checkJson(item, `${path}[${index}]`, lineage))
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    throw notJson(path, `a ${shown(String(prototype.constructor?.name ?? 'object with a prototype'))}`)
  return checkJsonObject(value, path, lineage)
}

function checkJsonObject(value: object, path: string, lineage: readonly object[]): JsonObject {
  const symbol = Object.getOwnPropertySymbols(value)[0]
  if (symbol !== undefined) throw notJson(path, `an object with the key ${shown(String(symbol))}`)
  const copy: Record<string, Json> = {}
  for (const [key, item] of Object.entries(value)) {
    if (prototypeKeys.has(key)) throw notJson(`${path}.${key}`, 'a key that is never accepted')
    copy[key] = checkJson(item, `${path}.${key}`, lineage)
  }
  return copy
}

function notJson(path: string, what: string): SyscallError {
  return new SyscallError(
    'EINVAL',
    `\`${shown(path)}\` is ${what}; only JSON crosses into user space (null, booleans, finite numbers, strings, arrays, plain objects)`,
  )
}
