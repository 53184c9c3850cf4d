/** One value has one text: RFC 8785 (JSON Canonicalization Scheme), so that a hash of it means something. */
import canonicalize from 'canonicalize'
import { limits } from '../limits.ts'

/**
 * @param value null, booleans, finite numbers, well-formed strings, arrays and plain objects of these.
 *   An object's member that is undefined is left out; `-0` is `0`.
 * @returns the canonical text; its UTF-8 bytes are what is hashed
 * @throws TypeError that names the path of what JSON cannot carry (a function, a Date, NaN, a lone surrogate, a cycle, …)
 */
export function canonicalText(value: unknown): string {
  const shape = shapeOf(value, 0)
  if (shape >= unsound) throw new TypeError(whyUnsound(value, 'value', 0))
  if (shape >= odd) return canonicalize(value) ?? ''
  return JSON.stringify(shape === ordered ? value : inOrder(value))
}

/*
 * V8's own JSON.stringify writes numbers and strings as RFC 8785 demands, several times faster than code can,
 * so only the order of keys is left to care for. What a fresh object could not order goes to the library.
 * The shape of a whole is the union of the shapes of its parts; its highest bit decides.
 */
/** Every object's keys are in the order of their UTF-16 units already. */
const ordered = 0
/** A copy puts them in order. */
const unordered = 1
/** A key that looks like a number, which an object enumerates first, or `__proto__`, which a copy would lose. */
const odd = 2
const unsound = 4

function shapeOf(value: unknown, depth: number): number {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? ordered : unsound
    case 'number':
      return Number.isFinite(value) ? ordered : unsound
    case 'boolean':
      return ordered
    case 'object':
      if (value === null) return ordered
      if (depth >= limits.canonicalDepthMax) return unsound
      if (Array.isArray(value)) return shapeOfArray(value, depth)
      return isPlain(value) ? shapeOfObject(value, depth) : unsound
    default:
      return unsound
  }
}

function shapeOfArray(items: readonly unknown[], depth: number): number {
  let shape = ordered
  for (let index = 0; index < items.length; index += 1) shape |= shapeOf(items[index], depth + 1)
  return shape
}

function shapeOfObject(value: Plain, depth: number): number {
  let shape = ordered
  let before = ''
  // Twice as fast as Object.keys; what a polluted prototype adds can only refuse, or go to the library.
  for (const key in value) {
    if (value[key] === undefined) continue
    shape |= shapeOf(value[key], depth + 1) | shapeOfKey(key)
    if (key < before) shape |= unordered
    before = key
  }
  return shape
}

function shapeOfKey(key: string): number {
  if (!key.isWellFormed()) return unsound
  const unit = key.charCodeAt(0)
  return (unit >= 48 && unit <= 57) || key === '__proto__' ? odd : ordered
}

type Plain = Readonly<Record<string, unknown>>

function isPlain(value: object): value is Plain {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.getOwnPropertySymbols(value).length === 0
}

/** A copy whose keys are in order at every level; only for what is `unordered`. */
function inOrder(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(inOrder)
  if (!isPlain(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of sort(Object.keys(value))) copy[key] = inOrder(value[key])
  return copy
}

/** By UTF-16 units. An entry has few keys, and for few this is twice as fast as Array's own sort, which takes over. */
function sort(keys: string[]): readonly string[] {
  if (keys.length > 32) return keys.sort()
  for (let index = 1; index < keys.length; index += 1) {
    const key = keys[index] ?? ''
    let place = index
    for (; place > 0 && (keys[place - 1] ?? '') > key; place -= 1) keys[place] = keys[place - 1] ?? ''
    keys[place] = key
  }
  return keys
}

/** The path of the first unsound part, and what it is; runs only when there is one. */
function whyUnsound(value: unknown, path: string, depth: number): string {
  if (value !== null && typeof value === 'object' && depth < limits.canonicalDepthMax) {
    if (!Array.isArray(value) && !isPlain(value))
      return `\`${path}\` is not a plain object, which JSON cannot carry`
    for (const [key, item] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
      const inner = typeof key === 'number' ? `${path}[${key}]` : `${path}.${key.toWellFormed()}`
      if (typeof key === 'string' && !key.isWellFormed())
        return `\`${inner}\` has a key with a lone surrogate, which JSON in UTF-8 cannot carry`
      if (item === undefined && !Array.isArray(value)) continue
      if (shapeOf(item, depth + 1) >= unsound) return whyUnsound(item, inner, depth + 1)
    }
  }
  return `\`${path.slice(0, 200)}\` is ${describe(value)}, which JSON cannot carry`
}

function describe(value: unknown): string {
  if (typeof value === 'string') return 'a text with a lone surrogate'
  if (typeof value === 'number' || value === undefined) return `${value}`
  if (typeof value === 'object') return `a cycle or nested deeper than ${limits.canonicalDepthMax}`
  return `a ${typeof value}`
}
