/** One value has one text: RFC 8785 (JSON Canonicalization Scheme), so that a hash of it means something. */
import { limits } from '../limits.ts'

/**
 * @param value null, booleans, finite numbers, well-formed strings, arrays and plain objects of these.
 *   An object's member that is undefined is left out; `-0` is `0`.
 * @returns the canonical text; its UTF-8 bytes are what is hashed
 * @throws TypeError that names the path of what JSON cannot carry (a function, a Date, NaN, a lone surrogate, a cycle, …)
 */
export function canonicalText(value: unknown): string {
  try {
    return textOf(value, 0)
  } catch (error) {
    if (error instanceof Unsound) throw new TypeError(whyUnsound(value, 'value', 0))
    throw error
  }
}

/**
 * @param value what the text was parsed to
 * @returns whether the text is the value's canonical one
 */
export function isCanonicalText(text: string, value: unknown): boolean {
  // V8 writes the keys in the order in which it has read them, several times faster than code can. Half of a surrogate
  // pair it would write as an escape, as it was read, which no canonical text has.
  if (isInOrder(value, 0) && JSON.stringify(value) === text && !text.includes('\\ud')) return true
  try {
    return textOf(value, 0) === text
  } catch (error) {
    if (error instanceof Unsound) return false
    throw error
  }
}

/** @returns whether all keys are in their order; false too for what is nested too deep */
function isInOrder(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depth >= limits.canonicalDepthMax) return false
  if (Array.isArray(value)) return value.every((item) => isInOrder(item, depth + 1))
  let before = ''
  // Twice as fast as Object.keys; what a polluted prototype adds can only send it the long way.
  for (const key in value) {
    if (key < before || !isInOrder((value as Plain)[key], depth + 1)) return false
    before = key
  }
  return true
}

/** JSON cannot carry it; why and where is found out when somebody has to be told. */
class Unsound extends Error {}

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return textOfString(value)
    case 'number':
      // JavaScript writes a number as RFC 8785 demands: both refer to the same part of ECMA-262.
      if (Number.isFinite(value)) return `${value}`
      throw new Unsound()
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depth >= limits.canonicalDepthMax) throw new Unsound()
      if (Array.isArray(value)) return textOfArray(value, depth + 1)
      if (isPlain(value)) return textOfObject(value, depth + 1)
      throw new Unsound()
    default:
      throw new Unsound()
  }
}

/** What is not printable, or half of a surrogate pair, or has a meaning between quotes. */
const special = /[^ !#-[\]-\ud7ff\ue000-\uffff]/

/** JSON.stringify escapes as RFC 8785 demands; most strings have nothing to escape, and looking is quicker. */
function textOfString(value: string): string {
  if (!special.test(value)) return `"${value}"`
  if (value.isWellFormed()) return JSON.stringify(value)
  throw new Unsound()
}

function textOfArray(items: readonly unknown[], depth: number): string {
  let text = ''
  for (let index = 0; index < items.length; index += 1)
    text += (index === 0 ? '[' : ',') + textOf(items[index], depth)
  return text === '' ? '[]' : `${text}]`
}

function textOfObject(value: Plain, depth: number): string {
  const keys = Object.keys(value)
  const members: string[] = []
  let form: Form | undefined = Form.empty
  for (const key of keys) {
    const item = value[key]
    if (item === undefined) continue
    form = form.with(key)
    if (form === undefined) return textInOrder(keys.sort(), value, depth)
    members.push(textOf(item, depth))
  }
  return form.text(members)
}

/** @param keys in the order of the text */
function textInOrder(keys: readonly string[], value: Plain, depth: number): string {
  let text = ''
  for (const key of keys) {
    const item = value[key]
    if (item === undefined) continue
    text += `${text === '' ? '{' : ','}${textOfString(key)}:${textOf(item, depth)}`
  }
  return text === '' ? '{}' : `${text}}`
}

/**
 * The keys of an object as it has them, and what follows from that: their order in the text, by UTF-16 units, and what
 * stands there before each member. Objects of one kind share a form, which is worked out once.
 */
class Form {
  static #empty = new Form([])
  static #count = 0
  readonly #keys: readonly string[]
  /** For each place in the text: which of the members stands there, and what comes before it. */
  readonly #places: readonly { readonly member: number; readonly before: string }[]
  readonly #next = new Map<string, Form>()

  /** That of an object without keys; every other one is found from it. */
  static get empty(): Form {
    return Form.#empty
  }

  private constructor(keys: readonly string[]) {
    this.#keys = keys
    this.#places = keys.toSorted().map((key, place) => ({
      member: keys.indexOf(key),
      before: `${place === 0 ? '{' : ','}${textOfString(key)}:`,
    }))
  }

  /** @returns the form with one key more; undefined for one that is not worth remembering */
  with(key: string): Form | undefined {
    const known = this.#next.get(key)
    if (known !== undefined) return known
    const { canonicalFormsMax, canonicalFormKeysMax, canonicalFormKeyLength } = limits
    if (this.#keys.length >= canonicalFormKeysMax || key.length > canonicalFormKeyLength) return undefined
    // Values that come from outside may have any keys: then all is forgotten, and what is used is soon known again.
    if (Form.#count >= canonicalFormsMax) [Form.#empty, Form.#count] = [new Form([]), 0]
    const next = new Form([...this.#keys, key])
    this.#next.set(key, next)
    Form.#count += 1
    return next
  }

  /** @param members the text of each, in the order in which the object has its keys */
  text(members: readonly string[]): string {
    let text = ''
    for (const { member, before } of this.#places) text += before + members[member]
    return text === '' ? '{}' : `${text}}`
  }
}

type Plain = Readonly<Record<string, unknown>>

function isPlain(value: object): value is Plain {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.getOwnPropertySymbols(value).length === 0
}

/** The path of the first unsound part, and what it is; runs only when there is one. */
function whyUnsound(value: unknown, path: string, depth: number): string {
  if (value !== null && typeof value === 'object' && depth < limits.canonicalDepthMax) {
    if (!Array.isArray(value) && !isPlain(value))
      return `\`${path}\` is not a plain object, which JSON cannot carry`
    for (const [key, item] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
      const inner = typeof key === 'number' ? `${path}[${key}]` : `${path}.${key.toWellFormed()}`
      if (item === undefined && !Array.isArray(value)) continue
      if (typeof key === 'string' && !key.isWellFormed())
        return `\`${inner}\` has a key with a lone surrogate, which JSON in UTF-8 cannot carry`
      if (!isSound(item, depth + 1)) return whyUnsound(item, inner, depth + 1)
    }
  }
  return `\`${path.slice(0, 200)}\` is ${describe(value)}, which JSON cannot carry`
}

function isSound(value: unknown, depth: number): boolean {
  try {
    textOf(value, depth)
    return true
  } catch {
    return false
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return 'a text with a lone surrogate'
  if (typeof value === 'number' || value === undefined) return `${value}`
  if (typeof value === 'object') return `a cycle or nested deeper than ${limits.canonicalDepthMax}`
  return `a ${typeof value}`
}
