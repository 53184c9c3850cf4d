/** User space as agent code finds it: its global names, and doors that tampering does not open or break. */
import { describe, expect, test } from 'vitest'
import { guestGlobalNames } from '../../src/govern/guest-globals.ts'
import { ask, boot, exitValue, main, runIn } from '../support/kernel.ts'

/** What agent code does to the built-ins before it uses its doors. */
const tampering: Readonly<Record<string, string>> = {
  'accessors on Object.prototype': `for (const key of ['then', 'reference', 'ok', 'error', 'signal', 'result',
      'promise', 'ignored', 'copy', 'timeout', 'code', 'path', 'text', 'name', 'args', 'resolve', 'reject'])
    Object.defineProperty(Object.prototype, key, {
      configurable: true, get: () => undefined, set: (value) => { seen.push(value) } })`,
  'truths on Object.prototype': `for (const key of ['reference', 'ok', 'error', 'signal', 'result', 'promise',
      'ignored', 'copy', 'timeout']) Object.prototype[key] = true`,
  'descriptors on Object.prototype': 'Object.prototype.get = () => 1; Object.prototype.writable = true',
  'Array.prototype[Symbol.iterator]':
    'Array.prototype[Symbol.iterator] = function () { seen.push(this); throw new Error("iterator") }',
  'Promise.prototype.then':
    'Promise.prototype.then = function () { seen.push(this); throw new Error("then") }',
  'Promise itself': 'globalThis.Promise = class { constructor() { throw new Error("Promise") } }',
  JSON: 'JSON.parse = JSON.stringify = (value) => { seen.push(value); throw new Error("JSON") }',
  'Map.prototype': `for (const key of ['get', 'set', 'delete', 'has'])
    Map.prototype[key] = function (...rest) { seen.push(this, ...rest); throw new Error("Map") }`,
  'Reflect and Object': `for (const space of [Reflect, Object]) for (const key of Object.getOwnPropertyNames(space))
    if (key !== 'prototype' && typeof space[key] === 'function' && key !== 'getOwnPropertyNames')
      space[key] = (...rest) => { seen.push(...rest); throw new Error(key) }`,
  'every method of every built-in': `const names = Object.getOwnPropertyNames
    for (const type of [Object, Function, Array, String, Number, Map, Set, Promise, Error, RegExp, Uint8Array, Date])
      for (const key of names(type.prototype)) {
        if (key === 'constructor' || key === '__proto__') continue
        try { if (typeof type.prototype[key] === 'function')
          type.prototype[key] = function (...rest) { seen.push(this, ...rest); throw new Error(key) } } catch {}
      }`,
}

/** Uses each kind of door, and says whether it saw an object that is none of the guest's own. */
const use = `await sys('fs.write', { path: '/tmp/a', text: 'own' })
  await fs.append('/tmp/a', '!')
  const text = await fs.read('/tmp/a')
  const code = await (async () => { try { await fs.read('/none') } catch (error) { return error.code } })()
  const { pid } = await proc.self()`

describe('tampering', () => {
  test.each(Object.entries(tampering))('%s leaves the doors as they were', async (_name, tamper) => {
    for (const isolation of ['inline', 'cell'] as const) {
      const exit = await runIn(
        isolation,
        main(`const seen = []; seen.push = (...all) => { for (let n = 0; n < all.length; n += 1) seen[seen.length] = all[n] }
          ${tamper}
          ${use}
          return [text, code, pid]`),
      )
      expect(exitValue(exit)).toEqual(['own!', 'ENOENT', 1])
    }
  })

  test.each(Object.entries(tampering))(
    '%s shows agent code no object of another realm',
    async (_name, tamper) => {
      const exit = await runIn(
        'inline',
        main(`const own = Function, seen = [], foreign = [], { getPrototypeOf } = Object
        seen.push = (...all) => { for (let n = 0; n < all.length; n += 1) seen[seen.length] = all[n] }
        ${tamper}
        ${use}
        for (let n = 0; n < seen.length; n += 1) {
          const type = typeof seen[n]
          if (type !== 'function' && (type !== 'object' || seen[n] === null)) continue
          let top = seen[n]
          for (let next = getPrototypeOf(top); next !== null; next = getPrototypeOf(next)) top = next
          const plain = top === own.prototype.__proto__ || getPrototypeOf(top) === null
          if (!plain) foreign[foreign.length] = type
        }
        return foreign.length`),
      )
      expect(exitValue(exit)).toBe(0)
    },
  )

  test('the constructor of every door makes functions of user space, which see no host', async () => {
    const value = await ask(
      boot(),
      `const doors = [sys, fs.read, fetch, tools.any, ipc.send, proc.self, proc.on, console.log, setTimeout,
         clearTimeout, queueMicrotask, Math.random, crypto.getRandomValues, performance.now, Date, Date.now]
       const code = 'return typeof process + typeof require + typeof global'
       return Promise.all(doors.map((door) => door.constructor(code)()))`,
    )
    expect(value).toEqual(Array.from({ length: 16 }, () => 'undefinedundefinedundefined'))
  })

  test('no isolated-vm object can be reached from the globals', async () => {
    const value = await ask(
      boot(),
      `const seen = new Set(), names = new Set(), queue = [globalThis]
       while (queue.length > 0) {
         const at = queue.pop()
         if (at === null || (typeof at !== 'object' && typeof at !== 'function') || seen.has(at)) continue
         seen.add(at)
         queue.push(Object.getPrototypeOf(at))
         for (const key of Reflect.ownKeys(at)) {
           const { value, get, set } = Object.getOwnPropertyDescriptor(at, key)
           queue.push(value, get, set)
           if (typeof key === 'string') names.add(key)
         }
       }
       return [seen.size > 500, ['Reference', 'ExternalCopy', 'Callback', 'Isolate', 'applySync', 'derefInto',
         'ivm', 'process', 'require', 'start', 'deliver', 'post'].filter((name) => names.has(name))]`,
    )
    expect(value).toEqual([true, []])
  })
})

describe('global names', () => {
  test.each(['inline', 'cell'] as const)(
    'in %s they are exactly those that the kernel names',
    async (isolation) => {
      const exit = await runIn(isolation, main('return Reflect.ownKeys(globalThis).map(String).sort()'))
      expect(exitValue(exit)).toEqual([...guestGlobalNames].toSorted())
    },
  )

  test('the doors are frozen, so that one part of a program cannot turn another’s', async () => {
    const value = await ask(
      boot(),
      `const change = (space) => { try { space.read = space.self = space.send = 1 } catch {}
         return Object.isFrozen(space) }
       return [fs, ipc, proc].map(change)`,
    )
    expect(value).toEqual([true, true, true])
  })
})
