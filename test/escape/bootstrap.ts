/** Attacks that change the built-ins and globals under the stubs. */
import { type Attack, type Family, gives, probing, program } from '../support/attack.ts'

/** What agent code does to the built-ins before it uses its doors. */
const tampering: Readonly<Record<string, string>> = {
  'accessors on Object.prototype': `for (const key of ['reference', 'ok', 'error', 'signal', 'number', 'result', 'promise', 'ignored', 'copy', 'timeout', 'code', 'message', 'path', 'text',
      'base64', 'name', 'args', 'resolve', 'reject', 'params', 'bytes', 'default', 'value', 'to', 'stream', 'ms', 'call'])
    Object.defineProperty(Object.prototype, key, { __proto__: null, configurable: true, get: () => undefined, set: (value) => { seen.push(value) } })`,
  'truths on Object.prototype': `for (const key of ['reference', 'ok', 'error', 'signal', 'result', 'promise', 'ignored', 'copy', 'timeout', 'base64', 'bytes', 'location']) Object.prototype[key] = true`,
  'descriptors on Object.prototype':
    'Object.prototype.get = () => 1; Object.prototype.set = () => {}; Object.prototype.writable = true; Object.prototype.configurable = true',
  'toJSON on prototypes':
    'for (const type of [String, Number, Boolean, Array]) type.prototype.toJSON = function () { seen.push(this); return "mine" }',
  'the iterator of arrays':
    'Array.prototype[Symbol.iterator] = function () { seen.push(this); throw new Error("iterator") }',
  'setters on indexes': `for (let n = 0; n < 200; n += 1) Object.defineProperty(Array.prototype, n, { configurable: true, get: () => undefined, set: (value) => { seen.push(value) } })`,
  'values at indexes':
    'for (let n = 0; n < 200; n += 1) { Array.prototype[n] = "mine"; Object.prototype[n] = "mine" }',
  'then of promises':
    'Promise.prototype.then = function () { seen.push(this); throw new Error("then") }; Promise.prototype.catch = Promise.prototype.finally = Promise.prototype.then',
  'Promise itself': 'globalThis.Promise = class { constructor() { throw new Error("Promise") } }',
  'resolve of Promise':
    'for (const key of ["resolve", "reject", "all", "race", "withResolvers"]) Promise[key] = (...all) => { seen.push(...all); throw new Error(key) }',
  JSON: 'JSON.parse = JSON.stringify = JSON.rawJSON = (value) => { seen.push(value); throw new Error("JSON") }; globalThis.JSON = {}',
  'Map and its methods': `for (const key of ['get', 'set', 'delete', 'has', 'clear', 'forEach', 'entries']) Map.prototype[key] = function (...rest) { seen.push(this, ...rest); throw new Error("Map") }
    globalThis.Map = class {}`,
  Reflect: `for (const key of Object.getOwnPropertyNames(Reflect)) Reflect[key] = (...rest) => { seen.push(...rest); throw new Error(key) }; globalThis.Reflect = undefined`,
  Object: `for (const key of Object.getOwnPropertyNames(Object)) if (key !== 'prototype' && key !== 'getOwnPropertyNames') try { Object[key] = (...rest) => { seen.push(...rest); throw new Error(key) } } catch {}`,
  'call, apply, bind and toString of functions': `for (const key of ['call', 'apply', 'bind', 'toString']) Function.prototype[key] = function (...rest) { seen.push(this, ...rest); throw new Error(key) }`,
  Proxy: 'globalThis.Proxy = class { constructor(target) { seen.push(target); throw new Error("Proxy") } }',
  Date: 'Date.now = () => { throw new Error("now") }; Date.prototype.toString = () => "mine"; globalThis.Date = class {}; performance = undefined',
  Math: 'for (const key of Object.getOwnPropertyNames(Math)) try { Math[key] = () => NaN } catch {}',
  Symbol: 'globalThis.Symbol = () => { throw new Error("Symbol") }',
  'Error and its kin':
    'for (const key of ["Error", "TypeError", "RangeError"]) globalThis[key] = class { constructor() { seen.push(this); throw 7 } }',
  'isWellFormed and its kin':
    'for (const key of Object.getOwnPropertyNames(String.prototype)) if (key !== "constructor" && key !== "length") String.prototype[key] = function (...rest) { seen.push(this, ...rest); return "mine" }',
  'typed arrays':
    'for (const key of ["Uint8Array", "Uint32Array", "ArrayBuffer"]) globalThis[key] = class { constructor(given) { seen.push(given) } }',
  'the doors themselves':
    'globalThis.sys = globalThis.post = globalThis.deliver = () => "mine"; try { fs.read = proc.self = () => "mine" } catch {}',
  'every method of every built-in': `const names = Object.getOwnPropertyNames
    for (const type of [Object, Function, Array, String, Number, Map, Set, Promise, Error, RegExp, Uint8Array, Date])
      for (const key of names(type.prototype)) {
        if (key === 'constructor' || key === '__proto__') continue
        try { if (typeof type.prototype[key] === 'function') type.prototype[key] = function (...rest) { seen.push(this, ...rest); throw new Error(key) } } catch {}
      }`,
  'frozen built-ins':
    'for (const type of [Object, Function, Array, Promise, Map, Error, String]) { Object.freeze(type.prototype); Object.freeze(type) }',
  'deleted globals':
    'for (const key of Reflect.ownKeys(globalThis)) if (!["undefined", "globalThis", "seen"].includes(key)) try { delete globalThis[key] } catch {}',
}

/** Uses each kind of door as it was before, and climbs from every object that the changes let it see. */
const use = (
  change: string,
): string => `const own = Function, top = Object.prototype, functions = Function.prototype, { getPrototypeOf } = Object
const seen = []; seen.push = (...all) => { for (let n = 0; n < all.length; n += 1) if (seen.length < 5_000) define(seen, seen.length, { __proto__: null, value: all[n], writable: true, configurable: true, enumerable: true }) }
const define = Object.defineProperty
const door = { sys, append: fs.append, read: fs.read, self: proc.self, exit: proc.exit }
export default async () => {
  ${change}
  await door.sys('fs.write', { path: '/tmp/a', text: 'own' })
  await door.append('/tmp/a', '!')
  const text = await door.read('/tmp/a')
  const code = await (async () => { try { await door.read('/none') } catch (error) { return error.code } })()
  const { name } = await door.self()
  let foreign = 0
  for (let n = 0; n < seen.length; n += 1) {
    const value = seen[n], type = typeof value
    if (type !== 'function' && (type !== 'object' || value === null)) continue
    let last = value
    for (let next = getPrototypeOf(last); next !== null; next = getPrototypeOf(next)) last = next
    if (last !== top && getPrototypeOf(value) !== null) foreign += 1
    if (type === 'function' && getPrototypeOf(value) !== functions && getPrototypeOf(getPrototypeOf(value)) !== functions) foreign += 1
  }
  return text + ' ' + code + ' ' + name + ' ' + foreign
}`

const tamperings: readonly Attack[] = Object.entries(tampering).map(([what, change]) => ({
  name: `tampering: ${what}`,
  tries: 'Changes built-ins under the stubs, to see objects of the kernel or to turn what its calls do.',
  source: use(change),
  ends: gives('own! ENOENT attacker 0'),
}))

export const bootstrap: Family = {
  name: 'tampering with the bootstrap',
  property:
    'Whatever agent code does to built-ins and globals, its calls do what they say, and it sees no object that is not its own.',
  attacks: [
    ...tamperings,
    {
      name: 'start, deleted and added again',
      tries: 'Looks for the function that starts programs, and puts one of its own where it lay.',
      source: `const before = [typeof globalThis.start, 'start' in globalThis]
        globalThis.start = () => { throw new Error('mine') }
        Object.defineProperty(globalThis, 'deliver', { value: () => { throw new Error('mine') } })
        export default () => [before, Object.getOwnPropertyNames(globalThis).filter((name) => ['post', 'bootstrap', '$0', '$1', '$2'].includes(name))]`,
      ends: gives([['undefined', false], []]),
    },
    {
      name: 'frozen doors',
      tries: 'Changes the methods of the doors for other parts of its own program.',
      source:
        program(`const change = (space) => { for (const key of ['read', 'self', 'log', 'now', 'send', 'getRandomValues', 'extra']) try { space[key] = 1 } catch {}
          try { Object.defineProperty(space, 'x', { value: 1 }) } catch {}
          try { Object.setPrototypeOf(space, null) } catch {}
          return [Object.isFrozen(space), Object.getPrototypeOf(space) === Object.prototype] }
        return [fs, ipc, proc].map(change)`),
      ends: gives(Array.from({ length: 3 }, () => [true, true])),
    },
    {
      name: 'the module of the doors, changed',
      tries:
        'Writes into the module namespace of the doors and replaces the globals before that module is evaluated.',
      source: `import * as guest from 'gatehouse/guest'
        globalThis.fs = { read: () => 'mine' }
        ${probing(`const codes = []
        for (const key of Object.keys(guest)) try { guest[key] = 1 } catch (error) { codes.push(error.name) }
        return [codes.length === Object.keys(guest).length, guest.fs === fs, await codeOf(guest.fs.read('/none'))]`)}`,
      ends: gives([true, false, 'ENOENT']),
    },
    {
      name: 'the tools proxy',
      tries: 'Asks the proxy of the tools for then, constructors, symbols and prototypes, and changes it.',
      source: probing(`const odd = []
        try { tools.then = 1 } catch (error) { odd.push(error.name) }
        try { Object.setPrototypeOf(tools, { x: 1 }) } catch (error) { odd.push(error.name) }
        try { Object.defineProperty(tools, 'x', { value: 1 }) } catch (error) { odd.push(error.name) }
        return [odd, typeof (await tools), typeof tools.then, tools[Symbol.iterator] === undefined, reach(tools), await codeOf(tools.constructor({})), await codeOf(tools.__proto__({})), await codeOf(tools.hasOwnProperty('echo'))]`),
      ends: gives([
        ['TypeError', 'TypeError', 'TypeError'],
        'object',
        'undefined',
        true,
        [],
        'ENOENT',
        'ENOENT',
        'ENOENT',
      ]),
    },
    {
      name: 'memory and threads that were taken away',
      tries:
        'Looks for WebAssembly, shared memory, weak references and what waits on memory, also in prototypes and syntax.',
      source:
        program(`const names = ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry', 'Temporal']
        const shared = () => { try { return new ArrayBuffer(1, { shared: true }).constructor.name } catch (error) { return error.name } }
        return [names.map((name) => typeof globalThis[name]), names.map((name) => (0, eval)('typeof ' + name)), shared()]`),
      ends: gives([
        Array.from({ length: 6 }, () => 'undefined'),
        Array.from({ length: 6 }, () => 'undefined'),
        'ArrayBuffer',
      ]),
    },
  ],
}
