// AbortController and AbortSignal, as the DOM standard says.
import { defineHandler, Event, EventTarget } from './event.js'
import { expose } from './expose.js'

/** Signal → whether and why it was aborted, and what is to be done then. */
const states = new WeakMap()
let making = false

export class AbortSignal extends EventTarget {
  constructor() {
    if (!making) throw new TypeError('Illegal constructor')
    super()
    states.set(this, { aborted: false, reason: undefined, steps: new Set(), dependents: new Set() })
  }
  get aborted() {
    return states.get(this).aborted
  }
  get reason() {
    return states.get(this).reason
  }
  throwIfAborted() {
    const { aborted, reason } = states.get(this)
    if (aborted) throw reason
  }
  static abort(reason) {
    const signal = makeSignal()
    abort(signal, reason)
    return signal
  }
  static timeout(ms) {
    const delay = Number(ms)
    if (!Number.isFinite(delay) || delay < 0) throw new TypeError('AbortSignal.timeout takes milliseconds')
    const signal = makeSignal()
    web.setTimer(
      () => abort(signal, web.domException('TimeoutError', `the operation took longer than ${delay} ms`)),
      delay,
      false,
    )
    return signal
  }
  static any(signals) {
    const sources = [...signals]
    for (const source of sources)
      if (!states.has(source)) throw new TypeError('AbortSignal.any takes AbortSignals')
    const signal = makeSignal()
    const first = sources.find(({ aborted }) => aborted)
    if (first !== undefined) {
      Object.assign(states.get(signal), { aborted: true, reason: first.reason })
      return signal
    }
    for (const source of sources) states.get(source).dependents.add(signal)
    return signal
  }
}
defineHandler(AbortSignal, 'abort')

function makeSignal() {
  making = true
  try {
    return new AbortSignal()
  } finally {
    making = false
  }
}

/** All that depend on it know before anybody is told. */
function abort(signal, reason) {
  const state = states.get(signal)
  if (state.aborted) return
  const why = reason === undefined ? web.domException('AbortError', 'This operation was aborted') : reason
  const due = [signal]
  for (const one of due) {
    const own = states.get(one)
    if (own.aborted) continue
    own.aborted = true
    own.reason = why
    for (const dependent of own.dependents) if (!states.get(dependent).aborted) due.push(dependent)
  }
  for (const one of new Set(due)) {
    const { steps } = states.get(one)
    for (const step of [...steps]) step(why)
    steps.clear()
    one.dispatchEvent(new Event('abort'))
  }
}

/**
 * For other families: does something when a signal is aborted, before its listeners.
 * @returns takes it back
 */
export function onAbort(signal, step) {
  const { steps } = states.get(signal)
  steps.add(step)
  return () => steps.delete(step)
}

export const isAbortSignal = (value) => states.has(value)

const signals = new WeakMap()

export class AbortController {
  constructor() {
    signals.set(this, makeSignal())
  }
  get signal() {
    return signals.get(this)
  }
  abort(reason) {
    abort(signals.get(this), reason)
  }
}

expose({ AbortSignal, AbortController })
