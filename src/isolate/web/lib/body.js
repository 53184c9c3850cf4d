// Bodies of requests and responses: where they come from, and how they are read, once.
import { readForm, writeForm } from './multipart.js'

const encode = (text) => new (web.need('encoding').TextEncoder)().encode(text)
const decode = (bytes) => new (web.need('encoding').TextDecoder)().decode(bytes)
const asText = (data) => (typeof data === 'string' ? data.replace(/^\ufeff/, '') : decode(data))
const asBytes = (data) => (typeof data === 'string' ? encode(data) : data)
const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1)

/**
 * A body: `text`, `bytes`, `base64` or a `source` of the kernel, as long as nobody asked for the stream; `stream` once
 * somebody did, or where it came as one. A body of nothing has none of them.
 */
const bodies = new WeakMap()

export const setBody = (owner, body) => bodies.set(owner, { ...body, used: false })

/** @returns `{ text | bytes | stream, type }`; the type where it follows from what was given */
export function extract(given) {
  if (given === null || given === undefined) return {}
  if (typeof given === 'string') return { text: given.toWellFormed(), type: 'text/plain;charset=UTF-8' }
  if (ArrayBuffer.isView(given))
    return { bytes: new Uint8Array(given.buffer, given.byteOffset, given.byteLength).slice() }
  if (given instanceof ArrayBuffer) return { bytes: new Uint8Array(given).slice() }
  const tag = tagOf(given)
  if (tag === 'Blob' || tag === 'File') {
    const { bytesOf, isBlob } = web.need('blobs')
    if (isBlob(given)) return { bytes: bytesOf(given), ...(given.type === '' ? {} : { type: given.type }) }
  }
  if (tag === 'FormData' && web.need('blobs').isFormData(given)) return writeForm(given)
  if (tag === 'URLSearchParams')
    return { text: `${given}`, type: 'application/x-www-form-urlencoded;charset=UTF-8' }
  if (tag === 'ReadableStream' && typeof given.getReader === 'function') {
    if (given.locked || given._disturbed) throw new TypeError('the stream of a body has been read already')
    return { stream: given }
  }
  return { text: `${given}`.toWellFormed(), type: 'text/plain;charset=UTF-8' }
}

const forms = ['text', 'bytes', 'base64', 'source', 'stream']
const isEmpty = (body) => forms.every((form) => body[form] === undefined)

const isUsed = (body) => body.used || body.stream?._disturbed === true

/** A stream of what has arrived already, or of what the kernel has open. */
function streamOf(body) {
  const { ReadableStream } = web.need('streams')
  const pieces = body.source ?? once(body)
  return new ReadableStream(
    {
      type: 'bytes',
      pull: async (controller) => {
        const piece = await pieces.next()
        if (piece !== undefined && piece.length > 0) return controller.enqueue(asBytes(piece))
        if (piece !== undefined) return
        controller.close()
        controller.byobRequest?.respond(0)
      },
      cancel: () => pieces.close(),
    },
    { highWaterMark: 0 },
  )
}

function once(body) {
  let isRead = false
  const next = () => {
    if (isRead) return undefined
    isRead = true
    const bytes = wholeBytes(body)
    return bytes.length > 0 ? bytes : undefined
  }
  return { next, close: () => {} }
}

function wholeBytes(body) {
  if (body.text !== undefined) return encode(body.text)
  if (body.base64 !== undefined) return web.fromBase64(body.base64)
  // Whoever reads may change what it gets.
  return body.bytes.slice()
}

/** @returns text where all of it came as text; else bytes */
async function gathered({ next }) {
  const pieces = []
  for (let piece = await next(); piece !== undefined; piece = await next()) pieces.push(piece)
  if (pieces.every((piece) => typeof piece === 'string')) return pieces.join('')
  return web.need('blobs').concat(pieces.map(asBytes))
}

async function streamBytes(stream) {
  const { concat } = web.need('blobs')
  const reader = stream.getReader()
  const parts = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return concat(parts)
    if (!(value instanceof Uint8Array)) throw new TypeError('a body is a stream of Uint8Arrays')
    parts.push(value)
  }
}

/** @returns text or bytes, whichever is there */
async function consume(owner) {
  const body = bodies.get(owner)
  if (body === undefined) throw new TypeError('Illegal invocation')
  if (isUsed(body) || body.stream?.locked) throw new TypeError('the body has been read already')
  if (isEmpty(body)) return ''
  body.used = true
  if (body.stream !== undefined) return streamBytes(body.stream)
  if (body.source !== undefined) return gathered(body.source)
  return body.text ?? wholeBytes(body)
}

/** The members that requests and responses have in common. */
const members = {
  get body() {
    const body = bodies.get(this)
    if (isEmpty(body)) return null
    if (body.stream === undefined) {
      // One whose content has been read by another way is still a stream, but a closed one.
      body.stream = streamOf(body.used ? { text: '' } : { ...body })
      if (body.used) void streamBytes(body.stream)
    }
    return body.stream
  },
  get bodyUsed() {
    const body = bodies.get(this)
    return !isEmpty(body) && isUsed(body)
  },
  async text() {
    return asText(await consume(this))
  },
  async json() {
    return JSON.parse(asText(await consume(this)))
  },
  async bytes() {
    return asBytes(await consume(this))
  },
  async arrayBuffer() {
    return asBytes(await consume(this)).buffer
  },
  async blob() {
    const { Blob } = web.need('blobs')
    return new Blob([asBytes(await consume(this))], { type: this.headers.get('content-type') ?? '' })
  },
  async formData() {
    return readForm(asBytes(await consume(this)), this.headers.get('content-type'))
  },
}

/** Gives a class of things that have a body the members of one. */
export const includeBody = (Class) =>
  Object.defineProperties(Class.prototype, Object.getOwnPropertyDescriptors(members))

/** @returns a body of its own for a clone; the owner keeps one too */
export function cloneBody(owner) {
  const body = bodies.get(owner)
  if (isUsed(body) || body.stream?.locked) throw new TypeError('the body has been read already')
  if (body.stream === undefined && body.source === undefined) return body
  body.stream ??= streamOf({ ...body })
  const [one, other] = body.stream.tee()
  body.stream = one
  return { stream: other }
}

/** @returns the body of a request, which takes it away from there; undefined where it has none */
export function takeBody(owner) {
  const body = bodies.get(owner)
  if (isUsed(body) || body.stream?.locked) throw new TypeError('the body has been read already')
  const taken = { ...body }
  if (!isEmpty(body)) body.used = true
  return taken
}

/** @returns how a body that is no stream travels to the kernel: `{ text }`, `{ base64 }`, or nothing */
export function packed(body) {
  if (body.text !== undefined) return { text: body.text }
  if (body.base64 !== undefined) return { base64: body.base64 }
  return body.bytes === undefined ? {} : { base64: web.toBase64(body.bytes) }
}
