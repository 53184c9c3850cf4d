/** Attacks with what JavaScript has had for a short time only, on whichever version of V8 has it. */
import { type Family, gives, probing, program } from '../support/attack.ts'

/** The body where this V8 knows a feature, and `value` where it does not: the attack cannot be made there. */
const where = (feature: string, body: string, value: string): string =>
  `if (!(${feature})) return ${value}\n${body}`

/** A program that older versions of V8 do not compile, run as text. */
const compiled = (text: string, value: string): string =>
  `let run
  try { run = new (async () => {}).constructor('fs', 'proc', 'sys', 'codeOf', 'sleep', 'reach', ${JSON.stringify(text)}) } catch { return ${value} }
  return run(fs, proc, sys, codeOf, sleep, reach)`

export const modern: Family = {
  name: 'new parts of the language',
  property: 'What V8 has learned lately leads nowhere that the rest of the language does not.',
  attacks: [
    {
      name: 'resources that are disposed of during a call',
      tries:
        'Declares resources whose disposal calls the kernel, throws, and suppresses errors of the kernel, as a call is refused.',
      source: probing(
        compiled(
          `const seen = []
          try {
            await using a = { async [Symbol.asyncDispose]() { seen.push(await codeOf(fs.read('/none'))); throw new Error('first') } }
            using b = { [Symbol.dispose]() { seen.push('disposed'); throw new Error('second') } }
            await fs.read('/none')
          } catch (error) { seen.push(error.name, error.suppressed?.name, error.error?.message, ...reach(error)) }
          return [seen.includes('disposed'), seen.includes('ENOENT'), seen.filter((text) => text.includes('realm')).length]`,
          '[true, true, 0]',
        ),
      ),
      ends: gives([true, true, 0]),
    },
    {
      name: 'a resource that is never disposed of',
      tries: 'Waits for ever in the disposal of a resource, after its value is known.',
      source: probing(
        compiled(
          `await using a = { [Symbol.asyncDispose]: () => new Promise(() => {}) }
          return 'value'`,
          'new Promise(() => {})',
        ),
      ),
      ends: [{ failed: 'EDEADLK' }],
    },
    {
      name: 'helpers of iterators over replies',
      tries:
        'Puts its own methods in place of those of iterators, and climbs from what the helpers give for replies of the kernel.',
      source: probing(
        where(
          `typeof Iterator === 'function'`,
          `const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))
          let touched = 0
          for (const name of ['map', 'filter', 'take', 'drop', 'flatMap', 'toArray', 'next'])
            try { prototype[name] = function* () { touched += 1 } } catch {}
          const array = Object.getPrototypeOf([][Symbol.iterator]()), { next } = array
          array.next = function () { touched += 1; return Reflect.apply(next, this, []) }
          const before = touched
          await fs.write('/mem/working/a', 'a'); await fs.read('/mem/working/a'); await codeOf(fs.read('/none')); await proc.self()
          const during = touched - before
          array.next = next
          return [during, reach(Iterator.from(await fs.list('/mem/working'))), reach(Iterator.prototype)]`,
          '[0, [], []]',
        ),
      ),
      ends: gives([0, [], []]),
    },
    {
      name: 'bytes of the kernel that are transferred',
      tries:
        'Detaches, resizes and transfers the bytes of replies and of its own arguments, before and while they are sent.',
      source: probing(
        `await fs.write('/mem/working/b', 'bytes')
        const bytes = await fs.read('/mem/working/b', { encoding: 'bytes' })
        const gone = typeof bytes.buffer.transfer === 'function' ? bytes.buffer.transfer(1) : bytes.buffer
        const data = new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 }))
        const writing = codeOf(fs.write('/mem/working/c', data))
        data.buffer.resize?.(0)
        const detached = new Uint8Array(4)
        detached.buffer.transfer?.()
        const odd = await codeOf(() => fs.write('/mem/working/d', detached))
        return [gone.byteLength <= 5, await writing, ['ok', 'EINVAL', 'TypeError'].includes(odd), (await proc.self()).name]`,
      ),
      ends: gives([true, 'ok', true, 'attacker']),
    },
    {
      name: 'the text behind JSON values',
      tries:
        'Takes the source of values from JSON.parse, to see the text of a reply or another batch than its own.',
      source: probing(
        `const parse = JSON.parse, seen = []
        JSON.parse = function (text, revive) { seen.push(String(text)); return parse(text, revive) }
        await fs.write('/mem/working/a', 'mine'); await fs.read('/mem/working/a'); await proc.self()
        JSON.parse = parse
        const sources = []
        parse('{"a":[1.0,2]}', function (key, value, context) { if (context?.source !== undefined) sources.push(context.source, ...reach(context)); return value })
        return [seen.length, sources.every((source) => ['1.0', '2'].includes(source))]`,
      ),
      ends: gives([0, true]),
    },
    {
      name: 'arrays from asynchronous iterators',
      tries:
        'Has Array.fromAsync and async generators, whose return and throw are its own, eat replies of the kernel.',
      source: probing(
        where(
          'Array.fromAsync',
          `let returned = 0
          async function* calls() { try { for (let n = 0; ; n += 1) yield codeOf(fs.read('/none')) } finally { returned += 1; await codeOf(fs.read('/none')) } }
          for await (const code of calls()) { if (code !== 'ENOENT') return code; break }
          const odd = { [Symbol.asyncIterator]: () => ({ next: () => ({ get done() { return returned > 1 }, get value() { returned += 1; return fs.read('/none') } }), return() { throw new Error('mine') } }) }
          return [returned, await codeOf(Array.fromAsync(odd)), await codeOf(Array.fromAsync([fs.read('/none')])), reach(Array.fromAsync([]))]`,
          `[1, 'ok', 'ENOENT', []]`,
        ),
      ),
      ends: gives([1, 'ok', 'ENOENT', []]),
    },
    {
      name: 'a class of promise of its own',
      tries:
        'Has Promise.try, withResolvers and species make promises of its own class out of those of the doors.',
      source: probing(
        `let made = 0
        class Mine extends Promise { constructor(run) { made += 1; super(run) } static get [Symbol.species]() { return Mine } }
        const before = made
        Object.defineProperty(Promise, Symbol.species, { value: Mine, configurable: true })
        const codes = [await codeOf(fs.read('/none')), await codeOf(() => Mine.resolve(fs.read('/none'))), await codeOf(() => Mine.try ? Mine.try(() => fs.read('/none')) : fs.read('/none'))]
        const { promise, resolve } = Mine.withResolvers()
        resolve(fs.read('/none'))
        return [codes, await codeOf(promise), reach(fs.read('/none').catch(() => {})).filter((found) => found.includes('realm'))]`,
      ),
      ends: gives([['ENOENT', 'ENOENT', 'ENOENT'], 'ENOENT', []]),
    },
    {
      name: 'errors whose causes go in circles',
      tries:
        'Throws an aggregate of errors whose causes and errors are each other, with getters, where nobody catches.',
      source: program(`const a = new Error('a'), b = new AggregateError([a], 'b', { cause: a })
        a.cause = b
        Object.defineProperty(b, 'errors', { get() { throw b } })
        Object.defineProperty(a, 'name', { get() { throw a } })
        throw b`),
      ends: [{ failed: 'EFAULT', message: /^AggregateError: b; caused by: a$/ }],
    },
    {
      name: 'errors that are none',
      tries:
        'Throws what Error.isError says no to, and what it says yes to without being an Error by its prototype.',
      source: probing(
        `const codes = []
        for (let n = 0; n < 4; n += 1) {
          const pid = (await proc.spawn('export default (n) => { const e = [Object.create(Error.prototype), Object.setPrototypeOf(new Error("x"), null), Object.setPrototypeOf(new Error("y"), Array.prototype), new Proxy(new Error("z"), {})][n]; throw e }', { args: [n] })).pid
          codes.push((await proc.wait(pid)).error?.code)
        }
        return codes`,
      ),
      ends: gives(['EFAULT', 'EFAULT', 'EFAULT', 'EFAULT']),
    },
    {
      name: 'shared memory by a back door',
      tries:
        'Looks for shared memory, waiting and clocks of V8 in constructors, clones and views that are left.',
      source: probing(
        `const names = ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'WeakRef', 'FinalizationRegistry', 'Worker', 'gc', 'd8']
        const shown = names.filter((name) => typeof globalThis[name] !== 'undefined')
        const buffers = new Set()
        for (const View of [Int8Array, BigInt64Array, DataView, globalThis.Float16Array].filter(Boolean)) buffers.add(Object.prototype.toString.call(Reflect.construct(View, [new ArrayBuffer(8)]).buffer))
        const shared = await codeOf(() => structuredClone(new ArrayBuffer(8)).grow(16))
        return [shown, [...buffers], shared !== 'ok', await codeOf(() => new Function('return new SharedArrayBuffer(8)')())]`,
      ),
      ends: gives([[], ['[object ArrayBuffer]'], true, 'ReferenceError']),
    },
    {
      name: 'top-level await that waits for itself',
      tries:
        'Imports its own doors while it is evaluated, waits for a promise that only its own default export keeps.',
      source: `let go
const gate = new Promise((resolve) => { go = resolve })
const again = import('gatehouse/guest').catch((error) => error)
await Promise.race([gate, again.then(() => gate)])
export default () => { go(); return 'ran' }`,
      ends: [{ failed: 'EDEADLK' }],
    },
    {
      name: 'modules asked for with attributes',
      tries: 'Imports text, bytes, JSON and source of host files by attributes and phases.',
      source: probing(
        `const found = []
        for (const text of ['import("/etc/passwd", { with: { type: "text" } })', 'import("/etc/passwd", { with: { type: "bytes" } })', 'import("file:///etc/passwd", { with: { type: "json" } })',
          'import.source("gatehouse:boot")', 'import.defer("gatehouse:entry")', 'import("gatehouse:boot", { get with() { throw 1 } })'])
          found.push(await codeOf(async () => { await new Function('return ' + text)() }))
        return found.filter((code) => code === 'ok')`,
      ),
      ends: gives([]),
    },
    {
      name: 'patterns made of escapes',
      tries:
        'Has the engine build patterns from escaped, modified and duplicate parts, and puts its own exec in place of theirs.',
      source: probing(
        `const escape = RegExp.escape ?? ((text) => text.replace(/[^a-z]/g, '\\\\$&'))
        const long = escape('/'.repeat(1e5)).length
        const exec = RegExp.prototype.exec, seen = []
        RegExp.prototype.exec = function (text) { seen.push(String(text).slice(0, 20)); return null }
        RegExp.prototype[Symbol.match] = RegExp.prototype[Symbol.replace] = RegExp.prototype.test = () => { seen.push('used'); return 'used' }
        const codes = [await codeOf(fs.read('/none')), await codeOf(() => sys('no.such')), await codeOf(proc.signal(1e6, 'SIGTERM'))]
        RegExp.prototype.exec = exec
        return [long > 1e5, codes, seen]`,
      ),
      ends: gives([true, ['ENOENT', 'ENOSYS', 'ESRCH'], []]),
    },
    {
      name: 'proxies for the console',
      tries:
        'Prints revoked, endless and lying proxies, and objects whose descriptions call the console again.',
      source: probing(
        `const { proxy, revoke } = Proxy.revocable({}, {})
        revoke()
        let depth = 0
        const endless = new Proxy({}, { ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({ value: endless, enumerable: true, configurable: true }), get: () => endless })
        const again = { toJSON() { depth += 1; if (depth < 1e4) console.log(again); return {} }, toString() { console.error(again); return '' }, [Symbol.toPrimitive]() { throw again } }
        const codes = []
        for (const value of [proxy, endless, again, new Proxy([], { get: () => 1e9 }), Object.create(null, { [Symbol.toStringTag]: { get() { for (;;) throw 1 } } })])
          codes.push(await codeOf(() => { console.log(value); console.log('%s %o %d', value, value, value) }))
        return [codes.length, (await proc.self()).name]`,
      ),
      ends: [
        { value: [5, 'attacker'] },
        { failed: 'EFAULT', message: /^RangeError/ },
        { killed: 'SIGBUDGET' },
        { failed: 'ENOMEM' },
      ],
    },
    {
      name: 'texts of other calendars and languages',
      tries:
        'Has Intl and, where it is there, Temporal load everything they have, for memory, host paths and the host’s clock.',
      source: probing(
        `const shown = []
        for (const locale of ['ar-u-ca-islamic', 'th-u-ca-buddhist', 'zh-Hans-u-nu-hanidec', 'en-u-hc-h12'])
          for (const Part of [Intl.DateTimeFormat, Intl.NumberFormat, Intl.Collator, Intl.PluralRules, Intl.Segmenter, Intl.DurationFormat].filter(Boolean))
            shown.push(JSON.stringify(new Part(locale).resolvedOptions()))
        const clock = typeof Temporal === 'undefined' ? Date.now() : Temporal.Now.instant().epochMilliseconds
        return [shown.some((text) => text.includes('/etc') || text.includes('/usr')), Math.abs(clock - Date.now()) < 1, typeof Temporal]`,
      ),
      ends: gives([false, true, 'undefined']),
    },
    {
      name: 'promises that settle after the end',
      tries:
        'Leaves generators, timers and calls behind that go on when its value has been given, and writes from there.',
      source: probing(
        `const late = (async function* () { try { yield 1 } finally { await sys('fs.write', { path: '/mem/working/late', data: 'late' }) } })()
        await late.next()
        setTimeout(() => { for (;;) sys('fs.write', { path: '/mem/working/late', data: 'late' }) }, 1)
        sys('proc.exit', { value: 'value' })
        void late.return()
        return 'other'`,
      ),
      ends: gives('value'),
    },
  ],
}
