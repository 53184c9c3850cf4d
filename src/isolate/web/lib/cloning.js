// What structuredClone can copy, and how: the HTML standard's structured serialization, for what user space has.

const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1)
const refuse = (what) => web.domException('DataCloneError', `${what} cannot be cloned`)

const errors = {
  __proto__: null,
  ...{ Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError },
}

function cloneBuffer(buffer) {
  if (buffer.detached) throw refuse('a detached ArrayBuffer')
  if (!buffer.resizable) return buffer.slice(0)
  const copy = new ArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength })
  new Uint8Array(copy).set(new Uint8Array(buffer))
  return copy
}

/** Each tells whether a value is of its kind by what only that kind can do, whatever the value calls itself. */
const { call } = Function.prototype
const uncurry = (method) => call.bind(method)
const getter = (owner, name) => uncurry(Object.getOwnPropertyDescriptor(owner, name).get)
const brand = (probe) => (value) => {
  try {
    probe(value)
    return true
  } catch {
    return false
  }
}
const isDate = brand(uncurry(Date.prototype.getTime))
const isMap = brand(getter(Map.prototype, 'size'))
const isSet = brand(getter(Set.prototype, 'size'))
const isBuffer = brand(getter(ArrayBuffer.prototype, 'byteLength'))
const isRegExp = brand(getter(RegExp.prototype, 'source'))
const isWeak = (value) =>
  brand(uncurry(WeakMap.prototype.has))(value) || brand(uncurry(WeakSet.prototype.has))(value)
const boxes = [Boolean, Number, String, BigInt, Symbol].map((Class) => [
  Class,
  uncurry(Class.prototype.valueOf),
])
const isPromise = (value) => value instanceof Promise
const viewName = getter(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)

/**
 * One value's copy, as yet without what it holds.
 * @param fill told what is to be copied into it: `fill(() => …)` runs later
 */
export function shallow(value, copyOf, fill) {
  if (typeof value === 'function') throw refuse(`the function \`${value.name}\``)
  if (ArrayBuffer.isView(value)) return cloneView(value, copyOf)
  if (Array.isArray(value)) {
    const list = new Array(value.length)
    fill(() => copyFields(value, list, copyOf))
    return list
  }
  // Most are: the others are told apart by trying.
  const prototype = Object.getPrototypeOf(value)
  const isPlain = (prototype === Object.prototype || prototype === null) && tagOf(value) === 'Object'
  const exotic = isPlain ? undefined : special(value, copyOf, fill)
  if (exotic !== undefined) return exotic
  const object = {}
  fill(() => copyFields(value, object, copyOf))
  return object
}

function special(value, copyOf, fill) {
  const tag = tagOf(value)
  if (value instanceof Error || tag === 'Error') return cloneError(value, copyOf, fill)
  if (isDate(value)) return new Date(Date.prototype.getTime.call(value))
  if (isMap(value)) return cloneMap(value, copyOf, fill)
  if (isSet(value)) return cloneSet(value, copyOf, fill)
  if (isBuffer(value)) return cloneBuffer(value)
  if (value !== RegExp.prototype && isRegExp(value)) return new RegExp(value.source, value.flags)
  if (isPromise(value)) throw refuse('a promise')
  if (isWeak(value)) throw refuse(`a ${tag}`)
  for (const [Class, unbox] of boxes) {
    if (!brand(unbox)(value)) continue
    if (Class === Symbol) throw refuse('a symbol')
    return Object(unbox(value))
  }
  if (tag === 'Blob' || tag === 'File') {
    const { cloneBlob, isBlob } = web.need('blobs')
    if (isBlob(value)) return cloneBlob(value)
  }
  if (platform.has(tag)) throw refuse(`a ${tag}`)
  return undefined
}

/** Objects of user space's own that have no fields to copy. */
const platform = new Set([
  ...[
    'AbortController',
    'AbortSignal',
    'Event',
    'EventTarget',
    'CustomEvent',
    'FormData',
    'Headers',
    'Request',
  ],
  ...[
    'Response',
    'ReadableStream',
    'WritableStream',
    'TransformStream',
    'MessagePort',
    'MessageChannel',
    'URL',
  ],
  ...['URLSearchParams', 'TextEncoder', 'TextDecoder', 'Generator', 'AsyncGenerator', 'CryptoKey'],
])

function copyFields(from, to, copyOf) {
  for (const key of Object.keys(from))
    if (Object.hasOwn(from, key))
      Object.defineProperty(to, key, {
        __proto__: null,
        value: copyOf(from[key]),
        writable: true,
        enumerable: true,
        configurable: true,
      })
}

function cloneMap(value, copyOf, fill) {
  const map = new Map()
  const pairs = []
  Map.prototype.forEach.call(value, (one, key) => pairs.push([key, one]))
  fill(() => {
    for (const [key, one] of pairs) map.set(copyOf(key), copyOf(one))
  })
  return map
}

function cloneSet(value, copyOf, fill) {
  const set = new Set()
  const members = []
  Set.prototype.forEach.call(value, (one) => members.push(one))
  fill(() => {
    for (const one of members) set.add(copyOf(one))
  })
  return set
}

function cloneView(view, copyOf) {
  const buffer = copyOf(view.buffer)
  // A class of the program's own is none here: the view's kind is what its tag getter says.
  const name = viewName(view)
  if (name === undefined) return new DataView(buffer, view.byteOffset, view.byteLength)
  return new views[name](buffer, view.byteOffset, view.length)
}
const views = Object.fromEntries(
  [
    ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
    ...[BigInt64Array, BigUint64Array, Float32Array, Float64Array],
    ...(typeof Float16Array === 'function' ? [Float16Array] : []),
  ].map((Class) => [Class.name, Class]),
)
function cloneError(value, copyOf, fill) {
  const name = `${value.name ?? 'Error'}`
  if (tagOf(value) === 'DOMException') {
    const { DOMException } = web.need('events')
    if (value instanceof DOMException) return new DOMException(value.message, value.name)
  }
  const { prototype } = errors[name] ?? Error
  const error = Reflect.construct(
    Error,
    [],
    Object.assign(function Any() {}, { prototype }),
  )
  const put = (key, field) =>
    Object.defineProperty(error, key, { __proto__: null, value: field, writable: true, configurable: true })
  const message = Object.getOwnPropertyDescriptor(value, 'message')
  if (message !== undefined && 'value' in message) put('message', `${message.value}`)
  put('stack', `${value.stack}`)
  if (Object.hasOwn(value, 'cause')) fill(() => put('cause', copyOf(value.cause)))
  return error
}
