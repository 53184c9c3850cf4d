// The module `node:events`, of the package `events`, with what that one lacks.
'use strict'

const EventEmitter = require('events/')

/** @returns an async iterator of the arguments of an event; ends with `signal`, or an event named in `close` */
EventEmitter.on = (emitter, name, { signal, close = [] } = {}) => {
  const waiting = []
  const came = []
  let failed
  let isOver = false
  const settle = (step) => {
    const next = waiting.shift()
    if (next === undefined) return false
    step(next)
    return true
  }
  const onEvent = (...args) => {
    if (!settle(({ resolve }) => resolve({ value: args, done: false }))) came.push(args)
  }
  const onError = (error) => {
    if (!settle(({ reject }) => reject(error))) failed = { error }
    stop()
  }
  const onAbort = () => onError(signal.reason)
  function stop() {
    if (isOver) return
    isOver = true
    emitter.off(name, onEvent)
    emitter.off('error', onError)
    for (const end of close) emitter.off(end, stop)
    signal?.removeEventListener('abort', onAbort)
    while (settle(({ resolve }) => resolve({ value: undefined, done: true })));
  }
  signal?.throwIfAborted()
  emitter.on(name, onEvent)
  if (name !== 'error') emitter.on('error', onError)
  for (const end of close) emitter.on(end, stop)
  signal?.addEventListener('abort', onAbort)
  return {
    next() {
      const value = came.shift()
      if (value !== undefined) return Promise.resolve({ value, done: false })
      if (failed !== undefined) {
        const { error } = failed
        failed = undefined
        return Promise.reject(error)
      }
      if (isOver) return Promise.resolve({ value: undefined, done: true })
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    return() {
      stop()
      return Promise.resolve({ value: undefined, done: true })
    },
    throw(error) {
      onError(error)
      return Promise.resolve({ value: undefined, done: true })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

const { once } = EventEmitter
EventEmitter.once = (emitter, name, { signal } = {}) => {
  if (signal === undefined) return once(emitter, name)
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort)
    once(emitter, name)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', onAbort))
  })
}

EventEmitter.errorMonitor = Symbol('events.errorMonitor')
EventEmitter.captureRejectionSymbol = Symbol.for('nodejs.rejection')
EventEmitter.captureRejections = false
EventEmitter.getEventListeners = (emitter, name) => emitter.listeners(name)
EventEmitter.getMaxListeners = (emitter) => emitter.getMaxListeners()
EventEmitter.setMaxListeners = (count, ...emitters) => {
  if (emitters.length === 0) EventEmitter.defaultMaxListeners = count
  for (const emitter of emitters) emitter.setMaxListeners?.(count)
}
EventEmitter.addAbortListener = (signal, listener) => {
  if (signal.aborted) queueMicrotask(() => listener())
  else signal.addEventListener('abort', listener, { once: true })
  return {
    [Symbol.dispose ?? Symbol.for('nodejs.dispose')]: () => signal.removeEventListener('abort', listener),
  }
}

const { emit } = EventEmitter.prototype
EventEmitter.prototype.emit = function (name, ...args) {
  if (name === 'error' && this.listenerCount(EventEmitter.errorMonitor) > 0)
    emit.call(this, EventEmitter.errorMonitor, ...args)
  return emit.call(this, name, ...args)
}

module.exports = EventEmitter
