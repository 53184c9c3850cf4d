// The module `node:console`: the console that user space has anyway.

export const { console } = globalThis
export const { debug, error, info, log, warn } = console
export default console
