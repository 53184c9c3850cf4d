// Blob, File and FormData: bytes and forms in memory.
import { expose } from './lib/expose.js'

const bytesOfBlob = new WeakMap()

const encode = (text) => new (web.need('encoding').TextEncoder)().encode(text)

const decode = (bytes) => new (web.need('encoding').TextDecoder)().decode(bytes)

/** Bytes of a view or buffer, copied. */
function copyOf(source) {
  if (ArrayBuffer.isView(source))
    return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
  return new Uint8Array(source).slice()
}

function partOf(part, endings) {
  if (bytesOfBlob.has(part)) return bytesOfBlob.get(part)
  if (ArrayBuffer.isView(part) || part instanceof ArrayBuffer) return copyOf(part)
  const text = `${part}`.toWellFormed()
  return encode(endings === 'native' ? text.replace(/\r\n?/g, '\n') : text)
}

/** @returns one array of all */
export function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const typeOf = (type) => (/^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : '')

const types = new WeakMap()

export class Blob {
  constructor(parts = [], options = {}) {
    if (parts === null || typeof parts !== 'object' || typeof parts[Symbol.iterator] !== 'function')
      throw new TypeError('a Blob takes a list of parts')
    const { type = '', endings = 'transparent' } = options ?? {}
    if (endings !== 'transparent' && endings !== 'native')
      throw new TypeError('the option endings is transparent or native')
    const pieces = []
    for (const part of parts) pieces.push(partOf(part, endings))
    bytesOfBlob.set(this, concat(pieces))
    types.set(this, typeOf(`${type}`))
  }
  get size() {
    return bytesOfBlob.get(this).length
  }
  get type() {
    return types.get(this)
  }
  slice(start = 0, end = undefined, type = '') {
    const blob = new Blob([], { type })
    bytesOfBlob.set(blob, bytesOfBlob.get(this).slice(start, end))
    return blob
  }
  async text() {
    return decode(bytesOfBlob.get(this))
  }
  async bytes() {
    return bytesOfBlob.get(this).slice()
  }
  async arrayBuffer() {
    return bytesOfBlob.get(this).slice().buffer
  }
  stream() {
    const bytes = bytesOfBlob.get(this)
    const { ReadableStream } = web.need('streams')
    let at = 0
    return new ReadableStream({
      type: 'bytes',
      pull: (controller) => {
        if (at < bytes.length) {
          controller.enqueue(bytes.slice(at, at + chunkBytes))
          at += chunkBytes
        }
        if (at >= bytes.length) {
          controller.close()
          controller.byobRequest?.respond(0)
        }
      },
    })
  }
}

const chunkBytes = 65_536

const fileFields = new WeakMap()

export class File extends Blob {
  constructor(parts, name, options = {}) {
    if (arguments.length < 2) throw new TypeError('a File takes a list of parts and a name')
    super(parts, options)
    const { lastModified } = options ?? {}
    const time = lastModified === undefined ? web.now() : Math.trunc(Number(lastModified)) || 0
    fileFields.set(this, { name: `${name}`.toWellFormed(), lastModified: time })
  }
  get name() {
    return fileFields.get(this).name
  }
  get lastModified() {
    return fileFields.get(this).lastModified
  }
  get webkitRelativePath() {
    return ''
  }
}

expose({ Blob, File })

export const isBlob = (value) => bytesOfBlob.has(value)
export const bytesOf = (blob) => bytesOfBlob.get(blob)
/** For structuredClone: what cannot be changed needs no copy of its bytes. */
export function cloneBlob(blob) {
  const fields = fileFields.get(blob)
  const copy = fields === undefined ? new Blob([], blob) : new File([], fields.name, fields)
  bytesOfBlob.set(copy, bytesOfBlob.get(blob))
  types.set(copy, types.get(blob))
  return copy
}

const entriesOf = new WeakMap()

/** What is no File becomes one. */
function entryOf(name, value, filename) {
  const key = `${name}`.toWellFormed()
  if (!isBlob(value)) return [key, `${value}`.toWellFormed()]
  if (fileFields.has(value) && filename === undefined) return [key, value]
  const fields = fileFields.get(value)
  const file = new File([], filename ?? fields?.name ?? 'blob', {
    type: value.type,
    lastModified: fields?.lastModified,
  })
  bytesOfBlob.set(file, bytesOf(value))
  return [key, file]
}

function assertFile(value, given) {
  if (given > 2 && !isBlob(value)) throw new TypeError('only a Blob has a file name')
}

export class FormData {
  constructor(form) {
    if (form !== undefined) throw new TypeError('there is no document here whose form could be read')
    entriesOf.set(this, [])
  }
  append(name, value, filename) {
    if (arguments.length < 2) throw new TypeError('append takes a name and a value')
    assertFile(value, arguments.length)
    entriesOf.get(this).push(entryOf(name, value, filename))
  }
  delete(name) {
    const entries = entriesOf.get(this)
    entriesOf.set(
      this,
      entries.filter(([key]) => key !== `${name}`),
    )
  }
  get(name) {
    return entriesOf.get(this).find(([key]) => key === `${name}`)?.[1] ?? null
  }
  getAll(name) {
    return entriesOf
      .get(this)
      .filter(([key]) => key === `${name}`)
      .map(([, value]) => value)
  }
  has(name) {
    return entriesOf.get(this).some(([key]) => key === `${name}`)
  }
  set(name, value, filename) {
    if (arguments.length < 2) throw new TypeError('set takes a name and a value')
    assertFile(value, arguments.length)
    const entry = entryOf(name, value, filename)
    const entries = entriesOf.get(this)
    const at = entries.findIndex(([key]) => key === entry[0])
    if (at < 0) entries.push(entry)
    else
      entriesOf.set(
        this,
        entries.flatMap((old, index) => (index === at ? [entry] : old[0] === entry[0] ? [] : [old])),
      )
  }
  forEach(callback, self) {
    for (const [name, value] of this) Reflect.apply(callback, self, [value, name, this])
  }
  *entries() {
    for (let index = 0; index < entriesOf.get(this).length; index += 1) yield [...entriesOf.get(this)[index]]
  }
  *keys() {
    for (const [name] of this.entries()) yield name
  }
  *values() {
    for (const [, value] of this.entries()) yield value
  }
}
Object.defineProperty(FormData.prototype, Symbol.iterator, {
  value: FormData.prototype.entries,
  writable: true,
  configurable: true,
})
expose({ FormData })

export const isFormData = (value) => entriesOf.has(value)
export const formEntries = (form) => entriesOf.get(form)
