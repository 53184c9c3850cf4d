/** Attacks on the way from a value of user space to JSON and back. */
import { type Attack, type Family, gives, probing, program } from '../support/attack.ts'

/** An argument, and what a call with it is refused with. */
const refused: Readonly<Record<string, readonly [value: string, code: string]>> = {
  undefined: ['undefined', 'EINVAL'],
  'a function': ['() => {}', 'EINVAL'],
  'a symbol': ['Symbol("s")', 'EINVAL'],
  'a big integer': ['1n', 'EINVAL'],
  NaN: ['NaN', 'EINVAL'],
  Infinity: ['-Infinity', 'EINVAL'],
  '-0': ['-0', 'EINVAL'],
  'a raw number beyond a double': ['JSON.rawJSON("1e999")', 'EINVAL'],
  'a lone surrogate': ['"a\\ud800b"', 'EINVAL'],
  'a lone surrogate as a key': ['{ "\\udc00": 1 }', 'EINVAL'],
  'a key __proto__': ['JSON.parse(\'{"__proto__":{"admin":true}}\')', 'EINVAL'],
  'a key constructor': ['{ constructor: { prototype: { admin: true } } }', 'EINVAL'],
  'a key prototype': ['{ prototype: 1 }', 'EINVAL'],
  'a cycle': ['(() => { const a = {}; a.a = a; return a })()', 'EINVAL'],
  'a cycle of arrays': ['(() => { const a = []; a.push(a); return a })()', 'EINVAL'],
  'a depth of 65': ['(() => { let a = 1; for (let n = 0; n < 65; n += 1) a = [a]; return a })()', 'EINVAL'],
  'a depth of 100,000': [
    '(() => { let a = 1; for (let n = 0; n < 1e5; n += 1) a = { a }; return a })()',
    'EINVAL',
  ],
  'a sparse array': ['[, 1]', 'EINVAL'],
  'an array with a hole at its end': ['new Array(3)', 'EINVAL'],
  'a date': ['new Date()', 'EINVAL'],
  'a map': ['new Map([[1, 2]])', 'EINVAL'],
  'an error': ['new Error("x")', 'EINVAL'],
  'a regular expression': ['/x/', 'EINVAL'],
  'a boxed number': ['Object(7)', 'EINVAL'],
  'a boxed text without a prototype': ['Object.setPrototypeOf(new String("abc"), null)', 'TypeError'],
  'a promise': ['Promise.resolve(1)', 'EINVAL'],
  'a proxy of a class': ['new Proxy(new Map(), {})', 'EINVAL'],
  'a typed array': ['new Uint8Array(3)', 'EINVAL'],
  'a key that is a symbol': ['{ [Symbol.for("x")]: 1 }', 'EINVAL'],
  toJSON: ['{ toJSON() { return { mine: 1 } } }', 'EINVAL'],
  'an instance of a class': ['new (class A { a = 1 })()', 'EINVAL'],
  'a revoked proxy': [
    '(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()',
    'TypeError',
  ],
  'more values than fit': ['Array(200_001).fill(0)', 'E2BIG'],
  'a text longer than fits': ['"x".repeat(24 * 1024 * 1024)', 'E2BIG'],
}

const refusals: readonly Attack[] = Object.entries(refused).map(([what, [value, code]]) => ({
  name: `an argument that is ${what}`,
  tries: 'Hands a call what JSON does not carry unchanged.',
  budget: { cpu: '3s', memory: '96MiB' },
  source: probing(
    `return [await codeOf(() => tools.echo({ value: (${value}) })), (await tools.echo({ after: 1 })).after]`,
  ),
  ends: gives([code, 1]),
}))

export const decoder: Family = {
  name: 'confusing the decoder',
  property:
    'What reaches the policy, the driver and the record is one and the same sound JSON document, or the call is refused.',
  attacks: [
    ...refusals,
    {
      name: 'a getter that changes',
      tries:
        'Passes the check with one path and is made text with another: what is judged must be what is read.',
      source: probing(`await fs.write('/tmp/open', 'open')
        const closed = await codeOf(() => sys('fs.read', { path: '/tmp/closed/x' }))
        const turning = (first, rest) => { let n = 0; return { get path() { return (n += 1) === 1 ? first : rest } } }
        return [closed, await codeOf(() => sys('fs.read', turning('/tmp/open', '/tmp/closed/x'))), (await sys('fs.read', turning('/tmp/closed/x', '/tmp/open'))).text]`),
      ends: gives(['EPERM', 'EPERM', 'open']),
    },
    {
      name: 'a getter that turns into what is no JSON',
      tries: 'Passes the check and is then made text as a function, a big integer, a cycle or with toJSON.',
      source:
        probing(`const turning = (rest) => { let n = 0; return { get a() { return (n += 1) === 1 ? 1 : rest } } }
        const cycle = {}; cycle.cycle = cycle
        const codes = []
        for (const rest of [() => {}, 1n, cycle, { toJSON() { throw new Error('mine') } }, Symbol('x'), NaN, '\\ud800', JSON.rawJSON('1e999'), { toJSON: () => undefined }])
          codes.push(await codeOf(() => tools.echo(turning(rest))))
        return codes`),
      ends: gives(['ok', 'TypeError', 'TypeError', 'Error', 'ok', 'ok', 'EINVAL', 'EINVAL', 'ok']),
    },
    {
      name: 'arguments that turn into no text at all',
      tries: 'Has the arguments made into undefined or a bare value in place of an object.',
      source:
        probing(`const turning = (rest) => { let n = 0; return { get toJSON() { return (n += 1) === 1 ? undefined : () => rest } } }
        const codes = []
        for (const rest of [undefined, () => {}, 7, 'text', null, [], 'sys', true]) codes.push(await codeOf(() => sys('proc.self', turning(rest))))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'a proxy with other keys each time',
      tries: 'Gives a proxy whose keys and values differ at each look.',
      source: probing(`let n = 0
        const proxy = new Proxy({}, { ownKeys: () => ['path', 'x' + (n += 1)], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }), get: (_t, key) => key === 'path' ? '/tmp/closed/' + n : key === 'toJSON' ? undefined : n })
        return [await codeOf(() => sys('fs.read', proxy)), await codeOf(() => sys('fs.read', new Proxy({ path: '/tmp/closed/a' }, {})))]`),
      ends: gives(['EINVAL', 'EPERM']),
    },
    {
      name: 'a proxy of an array without an end',
      tries: 'Gives an array whose length is beyond counting.',
      budget: { cpu: '200ms' },
      source: probing(
        'return tools.echo({ list: new Proxy([], { get: (_t, key) => key === "length" ? 2 ** 53 - 1 : 0 }) })',
      ),
      ends: [{ killed: 'SIGBUDGET', reason: /CPU time/ }],
    },
    {
      name: 'arrays that are objects and objects that are arrays',
      tries: 'Gives arrays with prototypes, lengths, extra keys and toJSON of their own.',
      source:
        probing(`const odd = [Object.assign([1], { extra: 2 }), Object.setPrototypeOf([1], null), Object.assign([1], { toJSON: () => 'mine' }), { length: 2, 0: 'a', 1: 'b' }, new (class extends Array {})(2).fill(0)]
        const back = []
        for (const value of odd) back.push(await tools.echo({ value }).then(({ value }) => value, (error) => error.code))
        return back`),
      ends: [{ value: [[1], [1], 'mine', { '0': 'a', '1': 'b', length: 2 }, [0, 0]] }],
    },
    {
      name: 'arguments that are no object',
      tries: 'Makes calls with texts, numbers, arrays and null in place of arguments.',
      source: probing(`const codes = []
        for (const args of [null, 7, 'text', [], [{ path: '/tmp' }], true, '{"path":"/tmp"}']) codes.push(await codeOf(() => sys('fs.list', args)))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'keys that are not asked for',
      tries: 'Adds keys to arguments: of grants, of other calls, of the kernel’s own records.',
      source: probing(`const codes = []
        for (const key of ['grant', 'pid', 'process', 'force', 'resource', 'decision', 'labels', 'toString', 'valueOf', 'hasOwnProperty', '', ' path', 'Path', 'path\\u0000'])
          codes.push(await codeOf(() => sys('fs.list', { path: '/tmp', [key]: true })))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'wrong types everywhere',
      tries: 'Gives each argument of each kind of call every other type.',
      source:
        probing(`const calls = { 'fs.read': ['path', 'offset', 'length'], 'fs.write': ['path', 'text', 'base64'], 'net.fetch': ['url', 'method', 'headers', 'text'], 'tool.call': ['name'], 'ipc.send': ['to'],
          'ipc.receive': ['timeoutMs'], 'proc.spawn': ['source', 'args', 'name', 'budget'], 'proc.wait': ['pid'], 'proc.signal': ['target', 'signal'], 'proc.sigaction': ['signal', 'disposition'],
          'proc.sigmask': ['signals'], 'proc.output': ['stream', 'text'], 'clock.sleep': ['ms'], 'clock.random': ['bytes'] }
        const odd = [null, true, -1, 1.5, 1e300, {}, { length: 1 }, [[]], '\\u0000', [{ a: [] }]]
        const codes = new Set()
        for (const [name, keys] of Object.entries(calls)) for (const key of keys) for (const value of odd) codes.add(await codeOf(() => sys(name, { [key]: value })))
        return [...codes].filter((code) => code !== 'EINVAL' && code !== 'ok')`),
      ends: gives([]),
    },
    {
      name: 'wide objects',
      tries:
        'Gives objects of very many keys where few are meant, so that checking them would hold up the kernel.',
      budget: { cpu: '5s', memory: '128MiB' },
      source: probing(`const wide = {}
        for (let n = 0; n < 150_000; n += 1) wide['k' + n] = []
        const messages = [await messageOf(() => sys('proc.spawn', { source: '', budget: wide })), await messageOf(() => sys('net.fetch', { url: 'http://x.invalid/', headers: wide })), await messageOf(() => sys('proc.self', wide)), await messageOf(() => sys('proc.sigmask', { signals: Object.keys(wide) }))]
        return messages.map((message) => /at most 16 parts|at most 200 headers|unknown key \`k0\`|at most 7 fit/.exec(message)?.[0] ?? message)`),
      ends: gives(['at most 16 parts', 'at most 200 headers', 'unknown key `k0`', 'at most 7 fit']),
    },
    {
      name: 'long texts where short ones are meant',
      tries: 'Gives names, paths, methods, URLs and signals of millions of characters.',
      budget: { cpu: '5s', memory: '128MiB' },
      source: probing(`const long = 'é/../'.repeat(1e6)
        const calls = [['fs.read', { path: '/' + long }], ['net.fetch', { url: 'http://x/' + long }], ['net.fetch', { url: 'http://x/', method: long }], ['tool.call', { name: long, args: {} }], ['ipc.send', { to: long, message: 1 }],
          ['proc.signal', { target: long, signal: 'SIGTERM' }], ['proc.signal', { target: 1, signal: long }], ['proc.spawn', { source: '', name: long }], ['proc.sigaction', { signal: 'SIGTERM', disposition: long }], [long, {}]]
        const codes = []
        for (const [name, args] of calls) codes.push(await codeOf(() => sys(name, args)))
        return codes`),
      ends: gives([
        'ENAMETOOLONG',
        'EINVAL',
        'EINVAL',
        'EINVAL',
        'EINVAL',
        'EINVAL',
        'EINVAL',
        'EINVAL',
        'EINVAL',
        'ENOSYS',
      ]),
    },
    {
      name: 'keys cut in the middle of a character',
      tries: 'Puts characters of two units where messages are cut, so that half of one would go on record.',
      source: probing(`const codes = new Set()
        for (let n = 60; n < 210; n += 1) {
          const key = 'a'.repeat(n) + '😀'.repeat(120)
          codes.add(await codeOf(() => sys('proc.self', { [key]: 1 })))
          codes.add(await codeOf(() => sys('proc.self', { [key]: JSON.rawJSON('1e999') })))
          codes.add(await codeOf(() => sys(key, {})))
        }
        for (const key of ['a'.repeat(63) + '😀', 'a'.repeat(199) + '😀']) { codes.add(await codeOf(() => tools[key]({}))); codes.add(await codeOf(() => fs.read('/tmp/' + key))); codes.add(await codeOf(() => ipc.send(key, 1))) }
        return [...codes].sort()`),
      budget: { cpu: '2s' },
      ends: gives(['EINVAL', 'ENOENT', 'ENOSYS']),
    },
    {
      name: 'bytes that are none',
      tries: 'Gives base64 that is broken, endless, of the wrong alphabet, or beside a text.',
      budget: { cpu: '5s', memory: '128MiB' },
      source: probing(`const codes = []
        for (const base64 of ['*', 'A', 'AA=A', '====', 'AAAA\\n', 'é', '-_-_', 'A'.repeat(8e6) + '!', 'A'.repeat(3) + ' '])
          codes.push(await codeOf(() => sys('fs.write', { path: '/tmp/x', base64 })))
        codes.push(await codeOf(() => sys('fs.write', { path: '/tmp/x', base64: 'AAAA', text: 'x' })))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'numbers at their ends',
      tries: 'Gives offsets, lengths, times and sizes at the ends of integers and doubles.',
      source: probing(`await fs.write('/tmp/a', 'abc')
        const codes = new Set()
        for (const n of [-1, 1.5, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e308, Number.MIN_VALUE]) {
          codes.add(await codeOf(() => sys('fs.read', { path: '/tmp/a', offset: n })))
          codes.add(await codeOf(() => sys('fs.read', { path: '/tmp/a', length: n })))
          codes.add(await codeOf(() => sys('clock.random', { bytes: n })))
          codes.add(await codeOf(() => sys('proc.wait', { pid: n })))
        }
        return [...codes].filter((code) => !['ok', 'EINVAL', 'ECHILD', 'EFBIG'].includes(code))`),
      ends: gives([]),
    },
    {
      name: 'results that are no JSON',
      tries:
        'Returns from the program what JSON does not carry, also behind getters that change after the check.',
      source: program(`let n = 0
        return { get a() { return (n += 1) === 1 ? 1 : 1n } }`),
      ends: [{ value: { a: 1 } }, { failed: 'EFAULT' }],
    },
    {
      name: 'a result with a key __proto__',
      tries: 'Returns a document whose keys would change prototypes wherever the application copies it.',
      source: program(`return JSON.parse('{"a":{"__proto__":{"polluted":true}}}')`),
      ends: [{ failed: 'EFAULT' }, { failed: 'EINVAL' }],
    },
  ],
}
