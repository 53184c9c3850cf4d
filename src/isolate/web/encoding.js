// Text as bytes: TextEncoder, TextDecoder, atob and btoa.
import {
  TextDecoder as Decoder,
  TextEncoder as Encoder,
  setMultibyte,
} from '@exodus/bytes/fallback/encoding.js'
import { expose } from './lib/expose.js'

setMultibyte((encoding, loose) => web.need('legacy').createMultibyteDecoder(encoding, loose))

/** The classes of the package hold what the standard has as getters in fields of the object. */
const decoders = new WeakMap()
const encoder = new Encoder()

export class TextDecoder {
  constructor(label = 'utf-8', options = {}) {
    decoders.set(this, new Decoder(`${label}`, options ?? {}))
  }
  get encoding() {
    return decoders.get(this).encoding
  }
  get fatal() {
    return decoders.get(this).fatal
  }
  get ignoreBOM() {
    return decoders.get(this).ignoreBOM
  }
  decode(input, options = {}) {
    return decoders.get(this).decode(input, options ?? {})
  }
}

export class TextEncoder {
  get encoding() {
    return 'utf-8'
  }
  encode(text = '') {
    return encoder.encode(`${text}`)
  }
  encodeInto(text, target) {
    return encoder.encodeInto(`${text}`, target)
  }
}

expose({ TextDecoder, TextEncoder })

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const outside = (name) => web.domException('InvalidCharacterError', name)
const partMax = 8_192

export function btoa(given) {
  if (arguments.length === 0) throw new TypeError('btoa takes a string')
  const text = `${given}`
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > 255) throw outside('btoa takes characters up to U+00FF; encode others with TextEncoder first')
    bytes[index] = code
  }
  return web.toBase64(bytes)
}

export function atob(given) {
  if (arguments.length === 0) throw new TypeError('atob takes a string')
  const bare = `${given}`.replace(/[\t\n\f\r ]+/g, '')
  const text = bare.length % 4 === 0 ? bare.replace(/={1,2}$/, '') : bare
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) throw outside('atob takes base64')
  const parts = []
  let part = ''
  for (let index = 0; index < text.length; index += 4) {
    let quad = 0
    const digits = Math.min(4, text.length - index)
    for (let digit = 0; digit < 4; digit += 1)
      quad = (quad << 6) | (digit < digits ? alphabet.indexOf(text[index + digit]) : 0)
    part += String.fromCharCode((quad >> 16) & 255)
    if (digits > 2) part += String.fromCharCode((quad >> 8) & 255)
    if (digits > 3) part += String.fromCharCode(quad & 255)
    if (part.length > partMax) {
      parts.push(part)
      part = ''
    }
  }
  parts.push(part)
  return parts.join('')
}
