// Headers, as the Fetch standard says.
import { expose } from './expose.js'

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const blanks = '\t\n\r '

/** Headers → its pairs in the order they came, names in small letters; `isFixed` where nobody may change them. */
const states = new WeakMap()

function nameOf(given) {
  const name = `${given}`
  if (!token.test(name)) throw new TypeError(`\`${name.slice(0, 60)}\` is not the name of a header`)
  return name.toLowerCase()
}

function soundValue(name, given) {
  const value = trimmed(`${given}`)
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index)
    if (code > 255 || code === 0 || code === 10 || code === 13)
      throw new TypeError(`the value of header \`${name}\` has a character that no header can have`)
  }
  return value
}

/** Without blanks at its ends; not by a pattern, which would look at long runs of them again and again. */
function trimmed(text) {
  let from = 0
  let to = text.length
  while (from < to && blanks.includes(text[from])) from += 1
  while (to > from && blanks.includes(text[to - 1])) to -= 1
  return text.slice(from, to)
}

function fill(headers, init) {
  if (init === undefined || init === null) return
  if (typeof init !== 'object' && typeof init !== 'function')
    throw new TypeError('headers are an object, a list of pairs, or Headers')
  if (typeof init[Symbol.iterator] === 'function')
    for (const pair of init) {
      const both = [...pair]
      if (both.length !== 2) throw new TypeError('a header is a pair of name and value')
      headers.append(both[0], both[1])
    }
  else
    for (const name of Reflect.ownKeys(init))
      if (Object.getOwnPropertyDescriptor(init, name)?.enumerable) headers.append(name, init[name])
}

const changeable = (headers) => {
  const state = states.get(headers)
  if (state.isFixed) throw new TypeError('these headers cannot be changed')
  return state
}

export class Headers {
  constructor(init) {
    states.set(this, { pairs: [], isFixed: false })
    fill(this, init)
  }
  append(name, value) {
    const key = nameOf(name)
    const text = soundValue(key, value)
    changeable(this).pairs.push([key, text])
  }
  delete(name) {
    const key = nameOf(name)
    const state = changeable(this)
    state.pairs = state.pairs.filter(([known]) => known !== key)
  }
  get(name) {
    const key = nameOf(name)
    const values = states.get(this).pairs.filter(([known]) => known === key)
    return values.length === 0 ? null : values.map(([, value]) => value).join(', ')
  }
  getSetCookie() {
    return states
      .get(this)
      .pairs.filter(([name]) => name === 'set-cookie')
      .map(([, value]) => value)
  }
  has(name) {
    const key = nameOf(name)
    return states.get(this).pairs.some(([known]) => known === key)
  }
  set(name, value) {
    const key = nameOf(name)
    const text = soundValue(key, value)
    const state = changeable(this)
    const at = state.pairs.findIndex(([known]) => known === key)
    const others = state.pairs.filter(([known], index) => known !== key || index === at)
    if (at < 0) others.push([key, text])
    else others[others.findIndex(([known]) => known === key)] = [key, text]
    state.pairs = others
  }
  forEach(callback, self) {
    if (typeof callback !== 'function') throw new TypeError('forEach takes a function')
    for (const [name, value] of this) Reflect.apply(callback, self, [value, name, this])
  }
  *entries() {
    // What is changed on the way shows, as the standard has it.
    for (let index = 0, pairs = sorted(this); index < pairs.length; index += 1, pairs = sorted(this))
      yield [...pairs[index]]
  }
  *keys() {
    for (const [name] of this.entries()) yield name
  }
  *values() {
    for (const [, value] of this.entries()) yield value
  }
}
Object.defineProperty(Headers.prototype, Symbol.iterator, {
  value: Headers.prototype.entries,
  writable: true,
  configurable: true,
})
expose({ Headers })

/** By name, those of one name together; cookies each alone. Kept until the pairs are others. */
function sorted(headers) {
  const state = states.get(headers)
  if (state.sortedOf === state.pairs && state.sortedLength === state.pairs.length) return state.sorted
  const names = [...new Set(state.pairs.map(([name]) => name))].sort()
  state.sorted = names.flatMap((name) =>
    name === 'set-cookie'
      ? headers.getSetCookie().map((value) => [name, value])
      : [[name, headers.get(name)]],
  )
  state.sortedOf = state.pairs
  state.sortedLength = state.pairs.length
  return state.sorted
}

/** Nobody changes them from now on. */
export function fix(headers) {
  states.get(headers).isFixed = true
  return headers
}

/** Of an answer, whose names and values the kernel has read. */
export function headersOf(pairs) {
  const headers = new Headers()
  const state = states.get(headers)
  for (let index = 0; index < pairs.length; index += 1) state.pairs.push([pairs[index][0], pairs[index][1]])
  return headers
}
