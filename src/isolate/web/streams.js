// Streams, and text that flows through them.
import { TransformStream } from 'web-streams-polyfill'
import { expose } from './lib/expose.js'

export * from 'web-streams-polyfill'

/** A pair that passes what is written through a transformer. */
function pairClass(name, members, make) {
  const pairs = new WeakMap()
  const Class = class {
    constructor(...given) {
      pairs.set(this, make(...given))
    }
    get readable() {
      return pairs.get(this).stream.readable
    }
    get writable() {
      return pairs.get(this).stream.writable
    }
  }
  for (const member of members)
    Object.defineProperty(Class.prototype, member, {
      get() {
        return pairs.get(this).coder[member]
      },
      configurable: true,
      enumerable: true,
    })
  expose({ [name]: Class })
  return Class
}

export const TextDecoderStream = pairClass(
  'TextDecoderStream',
  ['encoding', 'fatal', 'ignoreBOM'],
  (label, options) => {
    const { TextDecoder } = web.need('encoding')
    const coder = new TextDecoder(label, options)
    const pass = (text, controller) => {
      if (text !== '') controller.enqueue(text)
    }
    const stream = new TransformStream({
      transform: (chunk, controller) => pass(coder.decode(chunk, { stream: true }), controller),
      flush: (controller) => pass(coder.decode(), controller),
    })
    return { coder, stream }
  },
)

export const TextEncoderStream = pairClass('TextEncoderStream', ['encoding'], () => {
  const { TextEncoder } = web.need('encoding')
  const coder = new TextEncoder()
  // The first half of a pair of surrogates, until the other comes.
  let lead = ''
  const stream = new TransformStream({
    transform: (chunk, controller) => {
      const text = lead + String(chunk)
      const last = text.charCodeAt(text.length - 1)
      const isHalf = last >= 0xd800 && last <= 0xdbff
      lead = isHalf ? text.slice(-1) : ''
      const whole = isHalf ? text.slice(0, -1) : text
      if (whole !== '') controller.enqueue(coder.encode(whole))
    },
    flush: (controller) => {
      if (lead !== '') controller.enqueue(coder.encode(lead))
    },
  })
  return { coder, stream }
})
