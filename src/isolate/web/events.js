// Events, their targets, what aborts, and the exception that the web's interfaces throw.
import { AbortController, AbortSignal, isAbortSignal, onAbort } from './lib/abort.js'
import { DOMException } from './lib/dom-exception.js'
import { defineHandler, Event, EventTarget, eventClass } from './lib/event.js'

const text = (value) => (value === undefined ? '' : `${value}`)
const whole = (value) => (value === undefined ? 0 : value >>> 0)
const orNull = (value) => (value === undefined ? null : value)

export const CustomEvent = eventClass('CustomEvent', { detail: orNull })
export const ErrorEvent = eventClass('ErrorEvent', {
  ...{ message: text, filename: text, lineno: whole, colno: whole, error: (value) => value },
})
export const MessageEvent = eventClass('MessageEvent', {
  ...{ data: orNull, origin: text, lastEventId: text, source: orNull },
  ports: (value) => Object.freeze(value === undefined ? [] : [...value]),
})
export const PromiseRejectionEvent = eventClass('PromiseRejectionEvent', {
  promise: (value) => {
    if (value === undefined) throw new TypeError('a PromiseRejectionEvent takes a promise')
    return value
  },
  reason: (value) => value,
})

export {
  AbortController,
  AbortSignal,
  DOMException,
  defineHandler,
  Event,
  EventTarget,
  isAbortSignal,
  onAbort,
}
