// structuredClone.
import { shallow } from './lib/cloning.js'

/** @returns a copy of a value and all it holds, cycles and shared parts as they are; as deep as memory goes */
export function clone(value, transferred = new Map()) {
  const copies = new Map(transferred)
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

/** @returns each thing that is to be moved → what it becomes */
export function transfer(list) {
  const moved = new Map()
  for (const one of list) {
    if (!(one instanceof ArrayBuffer))
      throw web.domException('DataCloneError', 'only an ArrayBuffer can be transferred here')
    if (one.detached || moved.has(one))
      throw web.domException('DataCloneError', 'an ArrayBuffer can be transferred once')
    moved.set(one, undefined)
  }
  return moved
}

export function structuredClone(value, options) {
  if (arguments.length === 0) throw new TypeError('structuredClone takes a value')
  const moved = transfer(options?.transfer ?? [])
  // Copied first: what cannot be cloned must not have cost what was to be moved.
  const copies = clone(value, new Map())
  if (moved.size === 0) return copies
  return clone(value, new Map([...moved.keys()].map((buffer) => [buffer, buffer.transfer()])))
}
