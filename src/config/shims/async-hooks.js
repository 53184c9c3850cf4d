// The module `node:async_hooks`: contexts that follow a program across `await`, timers and callbacks.
//
// An isolate has no hooks into promises. A program that imports this module is therefore bundled with its async functions
// lowered to generators that go on by `then`; and `then`, microtasks and timers carry the context of whoever called them.
import { absent } from './absent.js'

/** What is in force: an immutable list of { storage, store, next }, the newest first. Each is in it at most once. */
let current

const storeOf = (storage) => {
  for (let frame = current; frame !== undefined; frame = frame.next)
    if (frame.storage === storage) return frame
  return undefined
}

function without(storage, frame) {
  if (frame === undefined) return undefined
  const next = without(storage, frame.next)
  if (frame.storage === storage) return next
  return next === frame.next ? frame : { ...frame, next }
}

const having = (storage, store) => ({ storage, store, next: without(storage, current) })

function within(context, work, self, args) {
  const before = current
  current = context
  try {
    return Reflect.apply(work, self, args)
  } finally {
    current = before
  }
}

const { then } = Promise.prototype
const isThenable = (value) =>
  (typeof value === 'object' || typeof value === 'function') &&
  value !== null &&
  typeof value.then === 'function'
/** A plain promise takes no code of the program to wait for. */
const isPlain = (value) =>
  value instanceof Promise && value.constructor === Promise && value.then === carryingThen

/** What V8 itself calls the `then` of, in a turn of its own: it is called in this context. */
const carried = (value) => {
  if (current === undefined || !isThenable(value) || isPlain(value)) return value
  const context = current
  // biome-ignore lint/suspicious/noThenProperty: V8 is to call it
  return { then: (...args) => within(context, value.then, value, args) }
}

const carry = (task) => {
  if (typeof task !== 'function') return task
  const context = current
  return (value) => {
    const before = current
    current = context
    try {
      return carried(task(value))
    } finally {
      current = before
    }
  }
}

function carryingThen(fulfilled, rejected) {
  return Reflect.apply(then, this, [carry(fulfilled), carry(rejected)])
}

const define = (target, name, value) =>
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false })
define(Promise.prototype, 'then', carryingThen)

const { resolve } = Promise
define(Promise, 'resolve', function (value) {
  return Reflect.apply(resolve, this, [this === Promise ? carried(value) : value])
})

for (const name of ['setTimeout', 'setInterval', 'queueMicrotask']) {
  const plain = globalThis[name]
  define(globalThis, name, (task, ...rest) => {
    const context = current
    return plain(
      typeof task === 'function' ? (...args) => within(context, task, undefined, args) : task,
      ...rest,
    )
  })
}

export class AsyncLocalStorage {
  #defaultValue
  #name

  constructor({ defaultValue, name = '' } = {}) {
    this.#defaultValue = defaultValue
    this.#name = name
  }

  get name() {
    return this.#name
  }

  /** @returns a function that runs `work` in the context of now */
  static bind(work) {
    const context = current
    return function (...args) {
      return within(context, work, this, args)
    }
  }

  /** @returns a function that runs what it is given in the context of now */
  static snapshot() {
    const context = current
    return (work, ...args) => within(context, work, undefined, args)
  }

  getStore() {
    const frame = storeOf(this)
    return frame === undefined ? this.#defaultValue : frame.store
  }

  run(store, work, ...args) {
    return within(having(this, store), work, undefined, args)
  }

  exit(work, ...args) {
    return within(without(this, current), work, undefined, args)
  }

  enterWith(store) {
    current = having(this, store)
  }

  disable() {
    current = without(this, current)
  }
}

/** What runs in the context in which it was made. */
export class AsyncResource {
  #context = current
  #type

  constructor(type) {
    if (typeof type !== 'string')
      throw Object.assign(new TypeError('The "type" argument must be a string'), {
        code: 'ERR_INVALID_ARG_TYPE',
      })
    this.#type = type
  }

  static bind(work, _type, self) {
    return new AsyncResource(work.name || 'bound').bind(work, self)
  }

  get type() {
    return this.#type
  }

  bind(work, self) {
    const resource = this
    return function (...args) {
      return resource.runInAsyncScope(work, self ?? this, ...args)
    }
  }

  runInAsyncScope(work, self, ...args) {
    return within(this.#context, work, self, args)
  }

  emitDestroy() {
    return this
  }
  asyncId() {
    return 0
  }
  triggerAsyncId() {
    return 0
  }
}

export const createHook = absent('async_hooks.createHook', 'use AsyncLocalStorage')
export const executionAsyncId = () => 0
export const triggerAsyncId = () => 0
export const executionAsyncResource = () => ({})
export const asyncWrapProviders = {}
export default {
  AsyncLocalStorage,
  AsyncResource,
  asyncWrapProviders,
  createHook,
  executionAsyncId,
  executionAsyncResource,
  triggerAsyncId,
}
