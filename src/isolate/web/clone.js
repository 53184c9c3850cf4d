// structuredClone.
import { shallow } from './lib/cloning.js'

/** @returns a copy of a value and all it holds, cycles and shared parts as they are; as deep as memory goes */
function clone(value) {
  const copies = new Map()
  const due = []
  const copyOf = (one) => {
    if (typeof one === 'symbol') throw web.domException('DataCloneError', 'a symbol cannot be cloned')
    if ((typeof one !== 'object' || one === null) && typeof one !== 'function') return one
    const known = copies.get(one)
    if (known !== undefined) return known
    const copy = shallow(one, copyOf, (fill) => due.push(fill))
    copies.set(one, copy)
    return copy
  }
  const copy = copyOf(value)
  for (let fill = due.pop(); fill !== undefined; fill = due.pop()) fill()
  return copy
}

function assertMovable(buffers) {
  for (const [at, buffer] of buffers.entries()) {
    if (!(buffer instanceof ArrayBuffer))
      throw web.domException('DataCloneError', 'only an ArrayBuffer can be transferred here')
    if (buffer.detached || buffers.indexOf(buffer) !== at)
      throw web.domException('DataCloneError', 'an ArrayBuffer can be transferred once')
  }
}

export function structuredClone(value, options) {
  if (arguments.length === 0) throw new TypeError('structuredClone takes a value')
  const moved = [...(options?.transfer ?? [])]
  assertMovable(moved)
  const copy = clone(value)
  // Copied first: what cannot be cloned must not cost what was to be moved.
  for (const buffer of moved) buffer.transfer(0)
  return copy
}
