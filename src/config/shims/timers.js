// The module `node:timers`: the timers of user space, and those that only Node.js has.

export const setTimeout = (...args) => globalThis.setTimeout(...args)
export const clearTimeout = (timer) => globalThis.clearTimeout(timer)
export const setInterval = (...args) => globalThis.setInterval(...args)
export const clearInterval = (timer) => globalThis.clearInterval(timer)
export const setImmediate = (task, ...args) => globalThis.setTimeout(task, 0, ...args)
export const clearImmediate = (timer) => globalThis.clearTimeout(timer)
export default { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate }
