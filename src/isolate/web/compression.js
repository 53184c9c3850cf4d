// CompressionStream and DecompressionStream: gzip, deflate (zlib) and deflate-raw.
import { Deflate, Gunzip, Gzip, Inflate, Unzlib, Zlib } from 'fflate'
import { expose } from './lib/expose.js'

const formats = {
  __proto__: null,
  gzip: { pack: Gzip, unpack: Gunzip },
  deflate: { pack: Zlib, unpack: Unzlib },
  'deflate-raw': { pack: Deflate, unpack: Inflate },
}

function bytesOf(chunk) {
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk)
  throw new TypeError('a chunk is an ArrayBuffer or a view of one')
}

/** @param way `pack` or `unpack` */
function streamClass(name, way) {
  const pairs = new WeakMap()
  const Class = class {
    constructor(format) {
      const Coder = formats[`${format}`]?.[way]
      if (Coder === undefined) throw new TypeError(`\`${format}\` is none of gzip, deflate, deflate-raw`)
      pairs.set(this, transform(new Coder()))
    }
    get readable() {
      return pairs.get(this).readable
    }
    get writable() {
      return pairs.get(this).writable
    }
  }
  expose({ [name]: Class })
  return Class
}

function transform(coder) {
  const { TransformStream } = web.need('streams')
  let out
  coder.ondata = (data) => {
    if (data.length > 0) out.enqueue(data)
  }
  const push = (bytes, isLast, controller) => {
    out = controller
    try {
      // It keeps what it is given, and the writer may go on with it.
      coder.push(bytes.slice(), isLast)
    } catch (error) {
      throw new TypeError(`the data is not what its format says: ${error.message}`)
    }
  }
  return new TransformStream({
    transform: (chunk, controller) => push(bytesOf(chunk), false, controller),
    flush: (controller) => push(new Uint8Array(0), true, controller),
  })
}

export const CompressionStream = streamClass('CompressionStream', 'pack')
export const DecompressionStream = streamClass('DecompressionStream', 'unpack')
