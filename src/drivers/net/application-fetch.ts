/** The dispatcher of the application's own `fetch`, as it was before undici was loaded. */

/** Where Node.js 22 and 24 look for it; the package undici takes the place when it is loaded first. */
const slot = Symbol.for('undici.globalDispatcher.1')
const before: unknown = Reflect.get(globalThis, slot)

/** Leaves the application's `fetch` as it was; absent means that Node.js makes its own at the first use. */
export function giveFetchBack(): void {
  if (Reflect.get(globalThis, slot) !== before) Reflect.set(globalThis, slot, before)
}
