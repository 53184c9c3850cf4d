// The module `node:timers/promises`: the timers of user space, as promises.

/** Settles after `ms` with a value, or at once with the reason that `signal` is aborted for. */
export function setTimeout(ms, value, { signal } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const onAbort = () => {
      globalThis.clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = globalThis.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve(value)
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
export const setImmediate = (value, options) => setTimeout(0, value, options)
export async function* setInterval(ms, value, options = {}) {
  for (;;) yield await setTimeout(ms, value, options)
}
export const scheduler = {
  wait: (ms, options) => setTimeout(ms, undefined, options),
  yield: () => setTimeout(0),
}
export default { setTimeout, setImmediate, setInterval, scheduler }
