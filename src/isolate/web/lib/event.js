// Events and those who listen: the DOM standard's Event and EventTarget, for a world without a tree.
import { expose, exposeConstants } from './expose.js'

const phases = { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 }
/** What is known of an event beside what it shows. */
const states = new WeakMap()

const given = (init) => (init === undefined || init === null ? {} : init)

export class Event {
  constructor(type, init) {
    if (arguments.length === 0) throw new TypeError('an event takes a type')
    const { bubbles, cancelable, composed } = given(init)
    states.set(this, {
      type: `${type}`,
      ...{ bubbles: !!bubbles, cancelable: !!cancelable, composed: !!composed },
      ...{ target: null, phase: 0, time: web.elapsed() },
      ...{ dispatching: false, stopped: false, stoppedAtOnce: false, canceled: false, passive: false },
    })
    // The standard has it on each object, and nobody can change it.
    Object.defineProperty(this, 'isTrusted', { value: false, enumerable: true })
  }
  get type() {
    return states.get(this).type
  }
  get target() {
    return states.get(this).target
  }
  get srcElement() {
    return states.get(this).target
  }
  get currentTarget() {
    const state = states.get(this)
    return state.dispatching ? state.target : null
  }
  composedPath() {
    const { currentTarget } = this
    return currentTarget === null ? [] : [currentTarget]
  }
  get eventPhase() {
    return states.get(this).phase
  }
  stopPropagation() {
    states.get(this).stopped = true
  }
  get cancelBubble() {
    return states.get(this).stopped
  }
  set cancelBubble(value) {
    if (value) states.get(this).stopped = true
  }
  stopImmediatePropagation() {
    const state = states.get(this)
    state.stopped = true
    state.stoppedAtOnce = true
  }
  get bubbles() {
    return states.get(this).bubbles
  }
  get cancelable() {
    return states.get(this).cancelable
  }
  preventDefault() {
    const state = states.get(this)
    if (state.cancelable && !state.passive) state.canceled = true
  }
  get returnValue() {
    return !states.get(this).canceled
  }
  set returnValue(value) {
    if (!value) this.preventDefault()
  }
  get defaultPrevented() {
    return states.get(this).canceled
  }
  get composed() {
    return states.get(this).composed
  }
  get timeStamp() {
    return states.get(this).time
  }
  initEvent(type, bubbles = false, cancelable = false) {
    const state = states.get(this)
    if (state.dispatching) return
    Object.assign(state, { type: `${type}`, bubbles: !!bubbles, cancelable: !!cancelable })
    Object.assign(state, { stopped: false, stoppedAtOnce: false, canceled: false, target: null })
  }
}
exposeConstants(Event, phases)

/** Target → its listeners, in the order in which they were added. */
const listenersOf = new WeakMap()

const callbackOf = (listener) => {
  if (listener === null || typeof listener === 'function' || typeof listener === 'object') return listener
  throw new TypeError('a listener is a function or an object with handleEvent')
}

const captureOf = (options) =>
  typeof options === 'object' && options !== null ? !!options.capture : !!options

export class EventTarget {
  constructor() {
    listenersOf.set(this, [])
  }
  addEventListener(type, callback, options) {
    if (arguments.length < 2) throw new TypeError('addEventListener takes a type and a listener')
    const more = typeof options === 'object' && options !== null ? options : {}
    const listener = {
      ...{ type: `${type}`, callback: callbackOf(callback ?? null), capture: captureOf(options) },
      ...{ once: !!more.once, passive: !!more.passive, removed: false },
    }
    const { signal } = more
    if (signal !== undefined && !(signal instanceof EventTarget && 'aborted' in signal))
      throw new TypeError('the option signal is an AbortSignal')
    if (signal?.aborted || listener.callback === null) return
    const listeners = ownListeners(this)
    if (listeners.some((known) => isSame(known, listener))) return
    listeners.push(listener)
    signal?.addEventListener('abort', () => remove(listeners, listener), { once: true })
  }
  removeEventListener(type, callback, options) {
    if (arguments.length < 2) throw new TypeError('removeEventListener takes a type and a listener')
    const listeners = ownListeners(this)
    const like = { type: `${type}`, callback: callback ?? null, capture: captureOf(options) }
    const found = listeners.find((known) => isSame(known, like))
    if (found !== undefined) remove(listeners, found)
  }
  dispatchEvent(event) {
    if (!(event instanceof Event)) throw new TypeError('dispatchEvent takes an Event')
    const state = states.get(event)
    if (state.dispatching)
      throw web.domException('InvalidStateError', 'the event is being dispatched already')
    return dispatch(this, event, state)
  }
}

const isSame = (one, other) =>
  one.type === other.type && one.callback === other.callback && one.capture === other.capture

function ownListeners(target) {
  const listeners = listenersOf.get(target ?? globalTarget)
  if (listeners === undefined) throw new TypeError('Illegal invocation')
  return listeners
}

function remove(listeners, listener) {
  listener.removed = true
  const at = listeners.indexOf(listener)
  if (at >= 0) listeners.splice(at, 1)
}

function dispatch(target, event, state) {
  const listeners = ownListeners(target)
  Object.assign(state, { target, dispatching: true, phase: phases.AT_TARGET })
  const due = listeners.filter(({ type }) => type === state.type)
  for (const listener of [...due.filter((one) => one.capture), ...due.filter((one) => !one.capture)]) {
    if (state.stoppedAtOnce) break
    if (listener.removed) continue
    if (listener.once) remove(listeners, listener)
    state.passive = listener.passive
    call(listener.callback, target, event)
    state.passive = false
  }
  Object.assign(state, { dispatching: false, phase: phases.NONE, stopped: false, stoppedAtOnce: false })
  return !state.canceled
}

/** What a listener throws concerns neither the others nor whoever dispatches: it is reported. */
function call(callback, target, event) {
  try {
    if (typeof callback === 'function') Reflect.apply(callback, target, [event])
    else callback.handleEvent(event)
  } catch (error) {
    web.output('stderr', `Uncaught ${web.show(error)}\n`.toWellFormed())
  }
}

/** Called without a target, as in sloppy code: nobody listens there. */
const globalTarget = new EventTarget()

/** `target.onabort = handler` and its like: one listener, which stands where it was first set. */
export function defineHandler(Class, type) {
  const handlers = new WeakMap()
  Object.defineProperty(Class.prototype, `on${type}`, {
    get() {
      return handlers.get(this)?.handler ?? null
    },
    set(value) {
      const handler = typeof value === 'function' ? value : null
      const known = handlers.get(this)
      if (known !== undefined) known.handler = handler
      else if (handler !== null) {
        const slot = { handler }
        handlers.set(this, slot)
        this.addEventListener(type, (event) => {
          if (slot.handler !== null) Reflect.apply(slot.handler, this, [event])
        })
      }
    },
    configurable: true,
    enumerable: true,
  })
}

/** Events with fields of their own, each with what it is where nobody says. */
export function eventClass(name, fields) {
  const values = new WeakMap()
  const Class = class extends Event {
    constructor(type, init) {
      if (arguments.length === 0) throw new TypeError('an event takes a type')
      super(type, init)
      const own = {}
      for (const [field, convert] of Object.entries(fields)) own[field] = convert(given(init)[field])
      values.set(this, own)
    }
  }
  for (const field of Object.keys(fields))
    Object.defineProperty(Class.prototype, field, {
      get() {
        return values.get(this)[field]
      },
      configurable: true,
      enumerable: true,
    })
  expose({ [name]: Class })
  return Class
}

expose({ Event, EventTarget })
