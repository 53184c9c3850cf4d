/** Attacks that use up time, or never give it back. */
import { type Attack, type Ending, type Family, gives, probing, program } from '../support/attack.ts'

const byCpu: readonly Ending[] = [
  { killed: 'SIGBUDGET', reason: /CPU time/ },
  { failed: 'ETIMEDOUT', message: /could not be stopped from inside/ },
]
const byTurn: readonly Ending[] = [
  ...byCpu,
  { failed: 'ENOMEM' },
  { failed: 'EFAULT', message: /^RangeError/ },
]
const uninterruptible =
  'One step of V8 that its time limit cannot end keeps a thread of the application busy.'

interface Spinner {
  readonly tries: string
  readonly body: string
  readonly ends?: readonly Ending[]
  readonly notInline?: string
}

const spinners: Readonly<Record<string, Spinner>> = {
  'a loop': { tries: 'Never returns.', body: 'for (;;);' },
  'a loop that catches everything': {
    tries: 'Catches whatever ends a loop and begins another.',
    body: 'for (;;) try { for (;;) null.x } catch {} finally { continue }',
  },
  'a loop in a finally': {
    tries: 'Loops in finally blocks, which run whatever happened.',
    body: 'const go = () => { try { return go() } finally { for (;;); } }; go()',
  },
  'a loop in a getter of a call': {
    tries: 'Hangs while the stubs read what they are to send.',
    body: 'return sys("fs.read", { get path() { for (;;); } })',
  },
  'a loop in a conversion': {
    tries: 'Hangs while the stubs make a name of what they were given.',
    body: 'return sys({ toString() { for (;;); } })',
  },
  'a loop in a getter of then': {
    tries: 'Hangs while a reply settles its call.',
    body: 'Object.defineProperty(Object.prototype, "then", { get() { for (;;); } }); return proc.self()',
  },
  'a loop in a result': {
    tries: 'Hangs in a getter of its result, after the program is over.',
    body: 'return { get a() { for (;;); } }',
  },
  'a loop in a thrown value': {
    tries: 'Hangs in getters of what it throws, which the kernel reads.',
    body: 'throw { get message() { for (;;); }, get name() { for (;;); }, get stack() { for (;;); } }',
  },
  'a loop in a thrown error': {
    tries: 'Hangs in getters of an error that it throws.',
    body: 'const error = new Error("x"); for (const key of ["message", "name", "stack", "code"]) Object.defineProperty(error, key, { get() { for (;;); } }); throw error',
  },
  'a loop in an error that nobody catches': {
    tries: 'Hangs in getters of an error that V8 itself copies out of the isolate.',
    body: 'const error = new Error("x"); for (const key of ["message", "name", "stack"]) Object.defineProperty(error, key, { get() { for (;;); } }); Promise.reject(error); await new Promise(() => {})',
  },
  'a loop in a thrown proxy': {
    tries: 'Hangs in every trap of a proxy that it throws where nobody catches.',
    body: 'Promise.reject(new Proxy({}, new Proxy({}, { get() { for (;;); } }))); await new Promise(() => {})',
    ends: [...byCpu, { failed: 'EFAULT' }],
  },
  'a loop in prepareStackTrace': {
    tries: 'Hangs while an error of the kernel is made.',
    body: 'Error.prepareStackTrace = () => { for (;;); }; return fs.read("/none")',
  },
  'a loop in what is printed': {
    tries: 'Hangs in getters of what it prints.',
    body: 'console.log({ get a() { for (;;); } })',
  },
  'a loop in a timer': {
    tries: 'Hangs in a later turn.',
    body: 'setTimeout(() => { for (;;); }, 1); await new Promise(() => {})',
  },
  'a loop in a comparison': { tries: 'Hangs inside a sort.', body: '[3, 1, 2].sort(() => { for (;;); })' },
  'a sort of very many': {
    tries: 'Sorts without a comparison function what takes long to compare.',
    body: 'const all = Array.from({ length: 2_000 }, (_, n) => "x".repeat(2_000) + n); for (;;) all.toSorted()',
  },
  'a regular expression that backtracks': {
    tries: 'Matches a pattern that takes exponential time.',
    body: '/^(a+)+$/.test("a".repeat(99) + "b")',
  },
  'a regular expression that looks behind': {
    tries: 'Matches nested lookarounds and back references.',
    body: '/(?<=(a+)+)(?=(a+)+b)\\1{1,99}c/.test("a".repeat(999))',
  },
  'a replacement of replacements': {
    tries: 'Replaces by a function that replaces.',
    body: 'const go = (text) => text.replace(/x/g, go); for (;;) go("x".repeat(99)) + [..."x"].map(go)',
    ends: [...byTurn],
  },
  'a big integer squared': {
    tries: 'Squares a big integer, which nothing can interrupt.',
    body: 'let n = 3n; for (;;) n *= n',
    ends: byTurn,
    notInline: uninterruptible,
  },
  'a big integer as text': {
    tries: 'Writes out a big integer of a million digits.',
    body: 'const n = 7n ** 4_000_000n; for (;;) String(n).length',
    ends: byTurn,
  },
  'a search in a long text': {
    tries: 'Searches a text in the way that takes longest.',
    body: 'const text = "a".repeat(2e6); for (;;) text.indexOf("a".repeat(1e6) + "b")',
    ends: byTurn,
  },
  'a copy without end': {
    tries: 'Copies and fills large buffers within single steps.',
    body: 'const all = new Uint8Array(2 ** 23); for (;;) { all.fill(1); all.copyWithin(1, 0); all.toSorted() }',
    ends: byTurn,
  },
  'a proxy chain': {
    tries: 'Reads a property through ten thousand proxies.',
    body: 'let p = {}; for (let n = 0; n < 1e4; n += 1) p = new Proxy(p, {}); for (;;) try { p.x } catch {}',
  },
  'a proxy as prototype of itself': {
    tries: 'Walks a chain of prototypes that never ends.',
    body: 'const p = new Proxy({}, { getPrototypeOf: () => p }); p instanceof Object',
    ends: [...byCpu, { failed: 'EFAULT' }, { value: false }],
  },
  'Intl for ever': {
    tries: 'Keeps the library of languages busy.',
    body: 'for (;;) "ǅ".repeat(5_000).normalize("NFKD").localeCompare("x".repeat(5_000).toLocaleUpperCase("tr"), "zh-u-co-pinyin")',
  },
  'JSON for ever': {
    tries: 'Makes JSON of what takes long, with indents and replacers.',
    body: 'const deep = Array.from({ length: 500 }, () => ({ a: [{}, [], {}] })); for (;;) JSON.stringify(deep, (key, value) => value, 10)',
  },
  'dates for ever': {
    tries: 'Parses and prints dates of every kind.',
    body: 'for (let n = 0; ; n += 1) new Date(n * 864e11).toLocaleString("ar-SA-u-ca-islamic", { timeZone: "Asia/Kathmandu" })',
    ends: byTurn,
  },
  'compiling for ever': {
    tries: 'Compiles large functions without running them.',
    body: 'const text = "return [" + "function (a) { return a + 1 },".repeat(3_000) + "]"; for (let n = 0; ; n += 1) new Function(text + "/*" + n + "*/")()',
    ends: byTurn,
  },
  'microtasks for ever': { tries: 'Never lets the queue of microtasks end.', body: 'for (;;) await null' },
  'microtasks that add microtasks': {
    tries: 'Queues microtasks by microtasks.',
    body: 'const go = () => queueMicrotask(go); go(); await new Promise(() => {})',
  },
  'promises that wait for each other': {
    tries: 'Builds chains of promises without end.',
    body: 'let p = Promise.resolve(); const go = () => { p = p.then(go) }; go(); await new Promise(() => {})',
  },
  'async generators for ever': {
    tries: 'Iterates an asynchronous generator that never ends.',
    body: 'async function* go() { for (;;) yield 1 } for await (const _ of go());',
  },
  'Promise.all of very many': {
    tries: 'Waits for a hundred thousand promises again and again.',
    body: 'for (;;) await Promise.all(Array.from({ length: 1e5 }, (_, n) => n))',
    ends: byTurn,
  },
  'rejections without end': {
    tries: 'Rejects and handles without end.',
    body: 'for (;;) await Promise.reject(new Error("x")).catch(() => {})',
    ends: byTurn,
  },
}

const spinning: readonly Attack[] = Object.entries(spinners).map(
  ([name, { tries, body, ends = byCpu, notInline }]) => ({
    name,
    tries,
    source: program(body),
    ends,
    budget: { cpu: '150ms' },
    ...(notInline !== undefined && { notInline }),
  }),
)

export const cpu: Family = {
  name: 'time',
  property:
    'A process that does not give back the processor ends by its CPU time, whatever it is doing; the kernel answers meanwhile.',
  attacks: [
    ...spinning,
    {
      name: 'a loop before the program',
      tries: 'Never returns while its module is evaluated.',
      budget: { cpu: '150ms' },
      source: 'for (;;);\nexport default 1',
      ends: byCpu,
    },
    {
      name: 'an await before the program',
      tries: 'Waits for nothing while its module is evaluated.',
      source: 'await new Promise(() => {})\nexport default 1',
      ends: [{ failed: 'EDEADLK' }],
    },
    {
      name: 'a program that is hard to parse',
      tries: 'Has a program compiled that is nested, long and wrong.',
      source: `export default ${'['.repeat(20_000)}`,
      ends: [{ failed: 'EFAULT' }, { failed: 'ENOMEM' }],
    },
    {
      name: 'time bought by waiting',
      tries: 'Works in many short turns, hoping that only long ones are counted.',
      budget: { cpu: '200ms' },
      source: program(
        'for (;;) { for (let n = 0; n < 2e6; n += 1); await new Promise((resolve) => setTimeout(resolve, 1)) }',
      ),
      ends: byCpu,
    },
    {
      name: 'time bought by children',
      tries: 'Lets children work in its place, each within its own budget.',
      budget: { cpu: '200ms' },
      source: program(
        `for (;;) await proc.wait((await proc.spawn('export default () => { for (let n = 0; n < 5e7; n += 1); }')).pid)`,
      ),
      ends: byCpu,
    },
    {
      name: 'time after its end',
      tries: 'Exits and goes on working.',
      source: program(`sys('proc.exit', { value: 'ended' }); for (;;);`),
      ends: [{ value: 'ended' }],
    },
    {
      name: 'recursion',
      tries:
        'Overflows the stack in functions, getters, proxies, conversions, JSON and regular expressions, and catches it.',
      budget: { cpu: '6s', memory: '96MiB' },
      source:
        probing(`const f = () => f() + 1, getter = { get a() { return getter.a } }, text = { toString: () => '' + text }
        const proxy = new Proxy({}, { get: (_t, key, self) => self[key] })
        let nested = '1'; for (let n = 0; n < 1e5; n += 1) nested = '[' + nested + ']'
        let deep = []; for (let n = 0; n < 2e4; n += 1) deep = [deep]
        const names = []
        for (const go of [f, () => getter.a, () => '' + text, () => proxy.x, () => JSON.stringify(deep), () => deep.toString(), () => new Function(nested), () => new RegExp('('.repeat(1e5)), () => eval('('.repeat(1e5)), () => String(new (class A { constructor() { new A() } })())])
          try { go(); names.push('returned') } catch (error) { names.push(error.name) }
        return [[...new Set(names)].filter((name) => !['RangeError', 'SyntaxError', 'returned'].includes(name)), names.length]`),
      ends: gives([[], 10]),
    },
    {
      name: 'recursion through the stubs',
      tries: 'Overflows the stack inside the stubs at every depth, so that a call would be left half made.',
      budget: { cpu: '3s', memory: '96MiB' },
      source: probing(`let made = 0
        const go = (n) => { try { if (n > 0) go(n - 1); else go(0) } finally { if (made < 200) { try { const call = proc.self(); made += 1; call.catch(() => {}) } catch {} } } }
        try { go(0) } catch {}
        return [made > 0, (await proc.self()).name, await codeOf(fs.read('/none'))]`),
      ends: gives([true, 'attacker', 'ENOENT']),
    },
    {
      name: 'recursion in handlers',
      tries: 'Overflows the stack in handlers, timers and microtasks, where the kernel’s own code is below.',
      source: probing(`const deep = () => deep() + 1, safe = () => { try { deep() } catch {} }
        await proc.on('SIGUSR1', safe)
        await proc.signal((await proc.self()).pid, 'SIGUSR1')
        setTimeout(safe, 1); queueMicrotask(safe)
        Object.defineProperty(Object.prototype, 'then', { configurable: true, get() { safe(); return undefined } })
        await fs.stat('/tmp')
        delete Object.prototype.then
        await sleep(10)
        return 'done'`),
      budget: { cpu: '2s' },
      ends: gives('done'),
    },
  ],
}
