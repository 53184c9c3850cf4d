/** Attacks by objects that run code when they are awaited, compared, iterated or converted. */
import { type Family, gives, probing, program } from '../support/attack.ts'

export const thenables: Family = {
  name: 'thenables and hooks',
  property:
    'Code that runs when a value is awaited, converted, iterated or compared meets user space only, and changes nothing but its own process.',
  attacks: [
    {
      name: 'a then on every object',
      tries:
        'Puts a then on Object.prototype, so that every reply is awaited by its own code, and climbs from what it gets.',
      source: probing(`const found = []
        Object.defineProperty(Object.prototype, 'then', { configurable: true, writable: true, value(resolve, reject) { found.push(...reach(resolve), ...reach(reject), ...reach(this)); delete Object.prototype.then; resolve('mine') } })
        const value = await proc.self()
        return [value, found]`),
      ends: gives(['mine', []]),
    },
    {
      name: 'a result that is a thenable',
      tries: 'Returns a thenable whose then settles twice, with its own thenables, and then throws.',
      source: program(
        `return { then(resolve, reject) { resolve({ then(inner) { inner('first'); inner('second') } }); resolve('third'); reject(new Error('fourth')); throw new Error('fifth') } }`,
      ),
      ends: gives('first'),
    },
    {
      name: 'a thenable that resolves with itself for ever',
      tries: 'Returns a thenable that gives the next one without end.',
      budget: { cpu: '200ms' },
      source: program('const next = () => ({ then(resolve) { resolve(next()) } }); return next()'),
      ends: [{ killed: 'SIGBUDGET', reason: /CPU time/ }],
    },
    {
      name: 'a default export that changes',
      tries: 'Exports a getter-like binding that is a function at one look and something else at the next.',
      source: `let n = 0\nexport { f as default }\nconst f = new Proxy(() => 'called', { apply: () => (n += 1) })`,
      ends: gives(1),
    },
    {
      name: 'the species of promises',
      tries:
        'Gives Promise a species and a constructor of its own, to get at the functions that settle calls.',
      source: probing(`const found = []
        class Mine extends Promise { constructor(run) { super((resolve, reject) => { found.push(...reach(resolve), ...reach(reject)); run(resolve, reject) }) } }
        Object.defineProperty(Promise, Symbol.species, { configurable: true, get: () => Mine })
        Promise.prototype.constructor = Mine
        const text = await fs.write('/tmp/a', 'x').then(() => fs.read('/tmp/a'))
        return [text, found]`),
      ends: gives(['x', []]),
    },
    {
      name: 'a species that loses what it is given',
      tries: 'Swallows the kernel’s own continuations by a species that never calls back.',
      source:
        program(`Promise.prototype.constructor = { [Symbol.species]: function (run) { run(() => {}, () => {}) } }
        fs.write('/tmp/a', 'x').then(() => {})
        return 'went on'`),
      ends: [{ value: 'went on' }, { failed: 'EFAULT' }, { failed: 'EDEADLK' }],
    },
    {
      name: 'hasInstance',
      tries:
        'Says of everything that it is an Error, a Uint8Array, a Map and a Date, wherever the stubs ask.',
      source:
        probing(`for (const type of [Error, Uint8Array, Map, Set, Date, Array, Function, Promise]) Object.defineProperty(type, Symbol.hasInstance, { configurable: true, value: () => true })
        console.log({ a: 1 }, 7, Symbol('x'))
        return [await codeOf(() => fs.write('/tmp/a', { length: 3, 0: 1, 1: 2, 2: 3 })), await codeOf(() => fs.write('/tmp/a', new Proxy([1], {})))]`),
      ends: [{ value: ['ok', 'ok'] }, { value: ['EINVAL', 'EINVAL'] }, { failed: 'EFAULT' }],
    },
    {
      name: 'toPrimitive',
      tries: 'Hands objects with conversions of their own as names, paths, numbers and keys of calls.',
      source: probing(`const text = (value) => ({ [Symbol.toPrimitive]: () => value, toString: () => value })
        let n = 0
        const turning = { toString: () => (n += 1) === 1 ? 'proc.self' : 'fs.read' }
        return [(await sys(turning)).name, n, await codeOf(() => sys('fs.read', { path: text('/etc/passwd') })), await codeOf(() => fs.read(text('/tmp/a'))),
          await codeOf(() => sys('clock.sleep', { ms: text(1) })), await codeOf(() => sys(text(Symbol())))]`),
      ends: gives(['attacker', 1, 'EINVAL', 'EINVAL', 'EINVAL', 'TypeError']),
    },
    {
      name: 'iterators',
      tries: 'Replaces the iterators of arrays, maps and texts before each kind of door is used.',
      source: probing(
        `const seen = []
        for (const type of [Array, Map, Set, String, Uint8Array.__proto__]) type.prototype[Symbol.iterator] = function () { seen.push(this); throw new Error('iterator') }
        await fs.write('/tmp/a', 'x')
        const text = await fs.read('/tmp/a')
        const list = await fs.list('/tmp')
        const foreign = []
        for (let n = 0; n < seen.length; n += 1) if (reach(seen[n]).length > 0) foreign[foreign.length] = n
        return [text, list.length, foreign]`,
      ),
      ends: [{ value: ['x', 1, []] }, { failed: 'EFAULT', message: /iterator/ }],
    },
    {
      name: 'isConcatSpreadable, match, replace and search',
      tries: 'Gives texts and arrays well-known symbols that run code wherever the stubs handle texts.',
      source: probing(`const seen = []
        for (const key of ['split', 'replace', 'match', 'matchAll', 'search']) Object.defineProperty(String.prototype, Symbol[key], { configurable: true, value(...all) { seen.push(...all); return ['mine'] } })
        Object.defineProperty(Array.prototype, Symbol.isConcatSpreadable, { configurable: true, get() { return false } })
        Object.defineProperty(Object.prototype, Symbol.toStringTag, { configurable: true, get() { seen.push(this); return 'x' } })
        const codes = [await codeOf(fs.read('/none')), await codeOf(proc.self()), await codeOf(() => sys('a', { a: 1n }))]
        return [codes, seen.filter((part) => typeof part !== 'string').flatMap(reach)]`),
      ends: gives([['ENOENT', 'ok', 'EINVAL'], []]),
    },
    {
      name: 'unhandled rejections of hooks',
      tries: 'Rejects with proxies whose every trap throws another such proxy.',
      source:
        program(`const nasty = () => new Proxy(function () {}, new Proxy({}, { get: () => () => { throw nasty() } }))
        for (let n = 0; n < 50; n += 1) Promise.reject(nasty())
        throw nasty()`),
      ends: [{ failed: 'EFAULT' }],
    },
    {
      name: 'an async iterator as a result',
      tries: 'Returns generators, iterators and disposables in place of JSON.',
      source:
        probing(`const odd = [(function* () { yield 1 })(), (async function* () { yield 1 })(), { [Symbol.iterator]: () => {} }, { [Symbol.asyncDispose]: () => {} }]
        const codes = []
        for (const value of odd) codes.push(await codeOf(() => sys('proc.exit', { value })))
        return codes`),
      ends: gives(['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL']),
    },
  ],
}
