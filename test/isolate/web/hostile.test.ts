/** Agent code that has changed the language before it touches the web runtime, and inputs that are meant to hurt. */
import { describe, expect, test } from 'vitest'
import { families } from '../../../src/isolate/web/families.ts'
import { claims, thrownBy } from '../../support/claims.ts'
import { boot, exitValue, main, runIn } from '../../support/kernel.ts'

/** One of each family. */
const names = Object.values(families).flatMap(([name]) => name ?? [])

/** What agent code does to the language before anything of the runtime is loaded. */
const tampering: Readonly<Record<string, string>> = {
  'accessors on Object.prototype': `for (const key of ['get', 'set', 'value', 'then', 'type', 'signal', 'headers', 'body', 'status', 'reference', 'copy', 'result'])
    own.define(Object.prototype, key, { __proto__: null, configurable: true, get() { seen.push(this); return undefined }, set(value) { seen.push(value) } })`,
  'truths on Object.prototype': `for (const key of ['get', 'set', 'reference', 'copy', 'result', 'promise', 'ignored', 'timeout', 'arguments']) Object.prototype[key] = true`,
  'methods of Function.prototype': `for (const key of ['call', 'apply', 'bind', 'toString'])
    Function.prototype[key] = function (...rest) { seen.push(this, ...rest); throw new Error(key) }`,
  'Reflect, Object, Map and WeakMap': `for (const space of [Reflect, Object, Map.prototype, WeakMap.prototype]) for (const key of own.names(space))
    if (key !== 'prototype' && key !== 'constructor' && typeof own.describe(space, key).value === 'function')
      space[key] = (...rest) => { seen.push(...rest); throw new Error(key) }`,
  'eval, Function and Promise': `globalThis.eval = globalThis.Function = globalThis.Promise = function (...rest) { seen.push(...rest); throw new Error('mine') }`,
  'the globals that families use': `for (const key of ['queueMicrotask', 'Uint8Array', 'WeakMap', 'String', 'Math', 'JSON', 'Array', 'Error', 'Symbol', 'ArrayBuffer'])
    globalThis[key] = function (...rest) { seen.push(...rest); throw new Error(key) }`,
}

/** Touches everything, uses what comes, and looks at all that it was shown: how much, and what is none of its own. */
const looking = (tamper: string): string => `
  const own = { Function, prototypeOf: Object.getPrototypeOf, define: Object.defineProperty, names: Object.getOwnPropertyNames, describe: Object.getOwnPropertyDescriptor }
  export default async (names) => {
    const seen = { length: 0, push(...all) { for (let n = 0; n < all.length && seen.length < 20000; n += 1) { seen[seen.length] = all[n]; seen.length += 1 } } }
    let foreign = 0
    ${tamper}
    for (let n = 0; n < names.length; n += 1) {
      try { const value = globalThis[names[n]]; seen.push(value); seen.push(new value('https://a.b', 'b')) } catch (error) { seen.push(error) }
    }
    try { seen.push(crypto.subtle, console.table, performance.mark) } catch (error) { seen.push(error) }
    for (let n = 0; n < seen.length; n += 1) {
      const type = typeof seen[n]
      if (type !== 'function' && (type !== 'object' || seen[n] === null)) continue
      let top = seen[n]
      for (let next = own.prototypeOf(top); next !== null; next = own.prototypeOf(next)) top = next
      if (top !== own.Function.prototype.__proto__ && own.prototypeOf(top) !== null) foreign += 1
      if (typeof seen[n].applySync === 'function' || typeof seen[n].derefInto === 'function') foreign += 1
    }
    return [seen.length > names.length, foreign, (await sys('proc.self')).pid]
  }`

describe('tampering before the first touch', () => {
  test.each(Object.entries(tampering))(
    '%s shows nothing of the host, and leaves the doors as they were',
    async (_name, tamper) => {
      const exit = await boot().spawn({ source: looking(tamper) }, { args: [[...names]] }).exit
      expect(exitValue(exit)).toEqual([true, 0, 1])
    },
  )

  test('stacks of errors in the runtime name no file of the host', async () => {
    const exit = await runIn(
      'cell',
      main(`const stacks = [], grab = (work) => { try { work() } catch (error) { stacks.push(String(error.stack)) } }
        grab(() => new URL('nope')); grab(() => new TextDecoder('nope')); grab(() => new Blob(5)); grab(() => structuredClone(() => {}))
        try { await crypto.subtle.encrypt() } catch (error) { stacks.push(error.stack) }
        Map.prototype.set = () => { throw new Error('deep') }
        grab(() => ReadableStream); grab(() => CompressionStream)
        return stacks.filter((stack) => /\\/(src|dist|node_modules|home|tmp|work)\\b|file:/.test(stack))`),
    )
    expect(exitValue(exit)).toEqual([])
  })

  test('a program that replaced a name has its own, and the runtime goes on with what it was made of', async () => {
    const exit = await runIn(
      'inline',
      main(`globalThis.TextEncoder = class { encode() { return new Uint8Array([1]) } }
        globalThis.AbortSignal = 5
        return [new TextEncoder().encode('abc').length, await new Blob(['abc']).text(), (await new Response('abc').bytes()).length, AbortSignal, new AbortController().signal.aborted]`),
    )
    expect(exitValue(exit)).toEqual([1, 'abc', 3, 5, false])
  })
})

claims('inputs that are meant to hurt', {
  'a structure a twenty thousand deep is cloned, and freed': [
    `let deep = null
     for (let n = 0; n < 20000; n += 1) deep = n % 3 === 0 ? { deep } : n % 3 === 1 ? [deep] : new Map([['deep', deep]])
     let copy = structuredClone(deep), depth = 0
     while (copy !== null) { copy = copy instanceof Map ? copy.get('deep') : Array.isArray(copy) ? copy[0] : copy.deep; depth += 1 }
     return depth`,
    20_000,
  ],
  'URLs of a hundred thousand characters are read in time that grows with their length': [
    `const texts = ['https://a.b/' + '../'.repeat(30000), 'https://' + 'a.'.repeat(20000) + 'b', 'https://a.b/?' + 'a=%&'.repeat(20000), 'https://' + '@'.repeat(20000) + 'a.b', 'http://' + '1.'.repeat(20000), 'data:' + ' '.repeat(100000) + 'x', '\\t\\n'.repeat(50000)]
     for (const text of texts) { const url = URL.parse(text); if (url) void [...url.searchParams].length }
     return texts.length`,
    7,
  ],
  'forms, headers and base64 that are nearly right': [
    `const form = (text) => new Response(text, { headers: { 'content-type': 'multipart/form-data; boundary=x' } }).formData()
     const long = '--x\\r\\ncontent-disposition: form-data; name="a"\\r\\n' + 'a: b\\r\\n'.repeat(50000)
     return [${['form(long)', "form('--'.repeat(300000))", "form('')", "form('--x\\r\\ncontent-disposition: form-data; ' + 'name=;'.repeat(50000) + '\\r\\n\\r\\n--x--')", "new Headers({ a: ' '.repeat(500000) + 'x' + ' '.repeat(500000) + '\\n' + 'y' })", "atob('A'.repeat(800000) + '*')", "atob(' '.repeat(800000) + '*')"].map(thrownBy).join(', ')}]`,
    [...Array(5).fill('TypeError'), 'InvalidCharacterError', 'InvalidCharacterError'],
  ],
  'a cyclic Error cause, a getter that throws, an endless iterator of nothing': [
    `const error = new Error('a'); error.cause = error
     const copy = structuredClone(error)
     return [copy.cause === copy, ${thrownBy("structuredClone({ get a() { throw new RangeError('mine') } })")}, ${thrownBy("new Headers({ get a() { throw new RangeError('mine') } })")}]`,
    [true, 'RangeError', 'RangeError'],
  ],
  'a stream that lies about its chunks, and one that never ends but is canceled': [
    `let pulled = 0
     const endless = new ReadableStream({ pull: (controller) => { pulled += 1; controller.enqueue(new Uint8Array(10)) } })
     const reader = endless.getReader(); await reader.read(); await reader.cancel()
     return [${thrownBy('new Response(ReadableStream.from([{ length: 5 }])).bytes()')}, pulled < 5, ${thrownBy("new Blob([{ toString() { throw new RangeError('mine') } }])")}]`,
    ['TypeError', true, 'RangeError'],
  ],
})

test('a guest that takes all its memory by way of the runtime ends alone', async () => {
  const kernel = boot({ isolation: 'cell' })
  const source = main(`const parts = []
    for (;;) parts.push(structuredClone(new Array(1e5).fill(parts.length)))`)
  const exit = await kernel.spawn({ source }, { budget: { memory: '32MiB' } }).exit
  expect(exit).toMatchObject({ status: 'failed' })
  expect(exitValue(await kernel.spawn({ source: main('return new Blob(["a"]).size') }).exit)).toBe(1)
})
