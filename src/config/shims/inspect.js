// `util.inspect` and `util.format`: a value as text for a person to read, laid out as Node.js does.

const custom = Symbol.for('nodejs.util.inspect.custom')
const defaults = {
  depth: 2,
  breakLength: 80,
  compact: 3,
  maxArrayLength: 100,
  maxStringLength: 10_000,
  sorted: false,
}
const identifier = /^[a-zA-Z_][\w]*$/

const escapes = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\b': '\\b', '\f': '\\f', '\v': '\\v', '\\': '\\\\' }

function quoted(text) {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') ? '`' : "'"
  let out = ''
  for (const each of text) {
    const code = each.charCodeAt(0)
    if (escapes[each] !== undefined) out += escapes[each]
    else if (each === mark) out += `\\${each}`
    else if (code < 32 || (code >= 127 && code < 160))
      out += `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`
    else out += each
  }
  return mark + out + mark
}

function primitive(value, context) {
  if (typeof value === 'string') {
    const { maxStringLength: max } = context
    const rest = value.length - (max ?? Number.POSITIVE_INFINITY)
    return rest > 0
      ? `${quoted(value.slice(0, max))}... ${rest} more character${rest > 1 ? 's' : ''}`
      : quoted(value)
  }
  if (typeof value === 'bigint') return `${value}n`
  return Object.is(value, -0) ? '-0' : String(value)
}

function constructorName(value) {
  for (let at = value; at !== null; at = Object.getPrototypeOf(at)) {
    const made = Object.getOwnPropertyDescriptor(at, 'constructor')?.value
    if (typeof made === 'function' && made.name !== '') return made.name
  }
  return null
}

/** What stands before the brackets: `Desk `, `[Object: null prototype] `, or nothing for what its brackets tell. */
function prefixOf(value, kind, size) {
  const name = constructorName(value)
  const tag = value[Symbol.toStringTag]
  const length = size === undefined ? '' : `(${size})`
  const shown = name === null ? `[${kind}${length}: null prototype] ` : `${name}${length} `
  const isTagged = typeof tag === 'string' && tag !== '' && tag !== name
  return isTagged ? `${shown}[${tag}] ` : shown
}

function functionText(value) {
  const text = Function.prototype.toString.call(value)
  if (text.startsWith('class') && text.endsWith('}')) {
    const above = Object.getPrototypeOf(value)?.name
    return `[class ${value.name || '(anonymous)'}${above ? ` extends ${above}` : ''}]`
  }
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  return `[${kind}${value.name === '' ? ' (anonymous)' : `: ${value.name}`}]`
}

const isInstance = (value, name) =>
  typeof globalThis[name] === 'function' && value instanceof globalThis[name]

function listOf(items, context, depth, form) {
  const max = context.maxArrayLength ?? Number.POSITIVE_INFINITY
  const shown = []
  let count = 0
  for (const item of items) {
    if (count < max) shown.push(form(item, context, depth))
    count += 1
  }
  if (count > max) shown.push(`... ${count - max} more item${count - max > 1 ? 's' : ''}`)
  return shown
}

function arrayItems(value, context, depth) {
  const out = []
  const max = context.maxArrayLength ?? Number.POSITIVE_INFINITY
  for (let at = 0; at < value.length && out.length < max; at += 1) {
    const from = at
    while (at < value.length && !(at in value)) at += 1
    if (at > from) out.push(`<${at - from} empty item${at - from > 1 ? 's' : ''}>`)
    if (at < value.length) out.push(show(value[at], context, depth))
  }
  const rest = value.length - max
  if (rest > 0) out.push(`... ${rest} more item${rest > 1 ? 's' : ''}`)
  return out
}

/** @returns the brackets, and what goes between them beside the object's own properties */
function partsOf(value, context, depth) {
  const next = depth + 1
  if (Array.isArray(value)) {
    const prefix = constructorName(value) === 'Array' ? '' : prefixOf(value, 'Array', value.length)
    return [`${prefix}[`, ']', arrayItems(value, context, next), /^\d+$/]
  }
  if (value instanceof Map) {
    const pair = ([key, each]) => `${show(key, context, next)} => ${show(each, context, next)}`
    return [`${prefixOf(value, 'Map', value.size)}{`, '}', listOf(value, context, next, pair)]
  }
  if (value instanceof Set)
    return [`${prefixOf(value, 'Set', value.size)}{`, '}', listOf(value, context, next, show)]
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const items = listOf(value, context, next, primitive)
    return [`${prefixOf(value, 'TypedArray', value.length)}[`, ']', items, /^\d+$/]
  }
  if (value instanceof ArrayBuffer) {
    const bytes = [...new Uint8Array(value, 0, Math.min(50, value.byteLength))]
    const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    return ['ArrayBuffer {', '}', [`[Uint8Contents]: <${hex}>`, `byteLength: ${value.byteLength}`]]
  }
  if (value instanceof WeakMap || value instanceof WeakSet)
    return [`${prefixOf(value, 'Weak')}{`, '}', ['<items unknown>']]
  const prefix = prefixOf(value, 'Object')
  return [`${prefix === 'Object ' ? '' : prefix}{`, '}', []]
}

/** What is shown as a word, with its own properties after it where it has some. */
function baseOf(value) {
  if (typeof value === 'function') return functionText(value)
  if (value instanceof RegExp) return RegExp.prototype.toString.call(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof Error) {
    const text = value.stack || `${value.name}: ${value.message}`
    return /\n\s+at /.test(text) ? text : `[${text}]`
  }
  for (const name of ['Number', 'String', 'Boolean', 'Symbol', 'BigInt'])
    if (isInstance(value, name)) return `[${name}: ${primitive(value.valueOf(), defaults)}]`
  return undefined
}

function ownKeys(value, hidden, { sorted }) {
  const keys = Reflect.ownKeys(value).filter(
    (key) =>
      Object.prototype.propertyIsEnumerable.call(value, key) &&
      !(typeof key === 'string' && hidden?.test(key)),
  )
  return sorted ? keys.toSorted((one, other) => (String(one) < String(other) ? -1 : 1)) : keys
}

function property(value, key, context, depth) {
  const { get, set, value: held } = Object.getOwnPropertyDescriptor(value, key)
  const name = typeof key === 'symbol' ? `[${String(key)}]` : identifier.test(key) ? key : quoted(key)
  if (get !== undefined) return `${name}: [Getter${set === undefined ? '' : '/Setter'}]`
  if (set !== undefined) return `${name}: [Setter]`
  return `${name}: ${show(held, { ...context, indentation: context.indentation + 2, root: context.root ?? context }, depth + 1)}`
}

/** On one line where it is short and not nested deep, else a line each. */
function laidOut(base, open, close, items, context, depth) {
  const root = context.root ?? context
  const before = base === '' ? '' : `${base} `
  if (items.length === 0) return base === '' ? `${open}${close}` : base
  if (root.deepest - depth < context.compact) {
    const start = items.length + context.indentation + open.length + base.length + 10
    const length = items.reduce((sum, each) => sum + each.length, items.length + start)
    if (length <= context.breakLength && !items.some((each) => each.includes('\n')) && !base.includes('\n'))
      return `${before}${open} ${items.join(', ')} ${close}`
  }
  const line = `\n${' '.repeat(context.indentation)}`
  return `${before}${open}${line}  ${items.join(`,${line}  `)}${line}${close}`
}

function show(value, context, depth = 0) {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function'))
    return primitive(value, context)
  const own = value[custom]
  if (typeof own === 'function' && own !== inspect) {
    const left = context.depth === null ? null : context.depth - depth
    const text = own.call(value, left, { ...context, seen: undefined, root: undefined }, inspect)
    if (text !== value) return typeof text === 'string' ? text : show(text, context, depth)
  }
  const root = context.root ?? context
  if (context.seen.includes(value)) {
    if (!root.circular.has(value)) root.circular.set(value, root.circular.size + 1)
    return `[Circular *${root.circular.get(value)}]`
  }
  const base = baseOf(value)
  if (base === undefined && depth > (context.depth ?? Number.POSITIVE_INFINITY))
    return Array.isArray(value) ? '[Array]' : `[${constructorName(value) ?? 'Object: null prototype'}]`
  root.deepest = depth
  const inner = { ...context, seen: [...context.seen, value], root }
  const [open, close, items, hidden] = base === undefined ? partsOf(value, inner, depth) : ['{', '}', []]
  for (const key of ownKeys(value, hidden, context)) items.push(property(value, key, inner, depth))
  const text = laidOut(base ?? '', open, close, items, context, depth)
  const reference = root.circular.get(value)
  return reference === undefined ? text : `<ref *${reference}> ${text}`
}

/** @param options `depth`, `breakLength`, `compact`, `sorted`, `maxArrayLength`, `maxStringLength`; there are no colors */
export function inspect(value, options) {
  const asked = typeof options === 'object' && options !== null ? options : {}
  const context = { ...defaults, ...asked, indentation: 0, seen: [], circular: new Map(), deepest: 0 }
  return show(value, {
    ...context,
    compact: context.compact === true ? Number.POSITIVE_INFINITY : Number(context.compact),
  })
}
inspect.custom = custom
inspect.defaultOptions = defaults

const json = (value) => {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (/circular/i.test(error.message)) return '[Circular]'
    throw error
  }
}

const textOf = (value) => {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  const isPlain =
    value.toString === Object.prototype.toString ||
    value.toString === Error.prototype.toString ||
    Array.isArray(value)
  return isPlain && !(value instanceof Error) ? inspect(value, { depth: 0 }) : String(value)
}

const numberOf = (value, read) =>
  typeof value === 'bigint'
    ? `${value}n`
    : typeof value === 'symbol'
      ? 'NaN'
      : primitive(read(value), defaults)

const forms = {
  s: textOf,
  d: (value) => numberOf(value, (each) => (typeof each === 'object' ? Number.NaN : Number(each))),
  i: (value) => numberOf(value, (each) => Number.parseInt(each, 10)),
  f: (value) => numberOf(value, (each) => Number.parseFloat(each)),
  j: json,
  o: (value) => inspect(value, { depth: 4 }),
  O: (value) => inspect(value),
  c: () => '',
}

/** @returns the values as one text, in the places that a first text names */
export function format(...values) {
  const rest = [...values]
  let text = ''
  if (typeof rest[0] === 'string') {
    text = rest.shift()
    if (values.length > 1)
      text = text.replace(/%([sdifjoOc%])/g, (all, letter) =>
        letter === '%' ? '%' : rest.length === 0 ? all : forms[letter](rest.shift()),
      )
    if (rest.length === 0) return text
    text += ' '
  }
  return text + rest.map((each) => (typeof each === 'string' ? each : inspect(each))).join(' ')
}
