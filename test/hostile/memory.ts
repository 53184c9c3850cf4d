/** Attacks that use up memory. */
import { type Attack, type Family, gives, program, usedUp } from '../support/attack.ts'

/** V8 ends the whole process where memory runs out inside one of its own steps. */
const breaksV8 =
  'Memory runs out inside one step of V8: its isolate can never be freed, and the application may crash when it ends.'
const beyondHeap = 'The memory lies outside the heap that V8 limits, in the application’s own process.'

interface Eater {
  readonly tries: string
  readonly body: string
  readonly notInline?: string
}

const eaters: Readonly<Record<string, Eater>> = {
  'an array of a billion elements': {
    tries: 'Fills one array that is larger than the heap.',
    body: 'new Array(1e9).fill(0)',
    notInline: breaksV8,
  },
  'arrays without end': {
    tries: 'Keeps small arrays until the heap is full.',
    body: 'const all = []; for (;;) all.push(new Array(1_000).fill(all.length))',
  },
  'arrays of one number without end': {
    tries: 'Keeps arrays that V8 fills in one step, in a loop that it goes on with past its memory limit.',
    body: 'const all = []; for (;;) all.push(new Array(1_000).fill(1))',
    notInline:
      'V8 gives the isolate up, and its loop goes on taking memory: the process ends, and the application has to be restarted.',
  },
  'objects with ever more keys': {
    tries: 'Adds keys to one object without end.',
    body: 'const all = {}; for (let n = 0; ; n += 1) all["k" + n] = n',
    notInline: breaksV8,
  },
  'a map without end': {
    tries: 'Lets one map grow, which doubles in one step.',
    body: 'const map = new Map(); for (let n = 0; ; n += 1) map.set(n, n)',
    notInline: breaksV8,
  },
  'a set without end': {
    tries: 'Lets one set grow, which doubles in one step.',
    body: 'const set = new Set(); for (let n = 0; ; n += 1) set.add(n)',
    notInline: breaksV8,
  },
  'weak maps without end': {
    tries: 'Keeps keys of a weak map alive by each other.',
    body: 'let key = {}; const map = new WeakMap(); for (;;) { const next = { key }; map.set(next, new Array(100).fill(key)); key = next }',
    notInline: breaksV8,
  },
  'a text that doubles': {
    tries: 'Doubles a text until it is longer than any may be, and flattens it.',
    body: 'let text = "x"; for (;;) text = (text + text).replaceAll("x", "xy")',
    notInline: breaksV8,
  },
  'ropes of text': {
    tries: 'Joins texts without copying, and then asks for one character of the whole.',
    body: 'const all = []; for (;;) { const text = "é".repeat(2 ** 26) + all.length; all.push(text, text.codePointAt(7)) }',
  },
  'texts without end': {
    tries: 'Keeps different texts until the heap is full.',
    body: 'const all = []; for (;;) all.push(("x" + all.length).repeat(500).split("").reverse().join(""))',
  },
  'big integers': {
    tries: 'Keeps big integers of many thousand digits.',
    body: 'const all = []; for (let n = 1n; ; n += 1n) all.push(1n << (100_000n + n))',
  },
  'array buffers': {
    tries: 'Keeps buffers, which lie outside the heap, until their limit.',
    body: 'const all = []; for (;;) all.push(new Uint8Array(2 ** 24).fill(1))',
  },
  'buffers that can grow': {
    tries: 'Reserves buffers that could grow to a gigabyte each, and grows them.',
    body: 'const all = []; for (;;) { const buffer = new ArrayBuffer(1, { maxByteLength: 2 ** 30 }); buffer.resize(2 ** 24); all.push(new Uint8Array(buffer).fill(1)) }',
    notInline: beyondHeap,
  },
  'buffers that are never touched': {
    tries: 'Reserves buffers without writing into them.',
    body: 'const all = []; for (;;) all.push(new ArrayBuffer(2 ** 26))',
  },
  'functions without end': {
    tries: 'Compiles ever new functions and keeps their code.',
    body: 'const all = []; for (let n = 0; ; n += 1) all.push(new Function("a", "return a + " + n + "; // " + "x".repeat(1_000)))',
  },
  'symbols and names': {
    tries: 'Makes ever new names that V8 keeps in a table of its own.',
    body: 'const all = []; for (let n = 0; ; n += 1) all.push(Symbol.for("s" + n), { ["k" + n]: n })',
  },
  'closures without end': {
    tries: 'Keeps scopes alive by functions that are never called.',
    body: 'const all = []; for (;;) { const scope = new Array(100).fill(all.length); all.push(() => scope) }',
  },
  'proxies of proxies': {
    tries: 'Stacks proxies without end.',
    body: 'let p = {}; for (;;) p = new Proxy(p, {})',
  },
  'promises without end': {
    tries: 'Keeps promises that never settle.',
    body: 'const all = []; for (;;) all.push(new Promise(() => {}))',
  },
  'errors with long stacks': {
    tries: 'Keeps errors whose stacks are as long as V8 lets them be.',
    body: 'Error.stackTraceLimit = 1e6; const all = []; const deep = (n) => { if (n === 0) { all.push(new Error("x")); return } deep(n - 1) }; for (;;) deep(500)',
  },
  'regular expressions without end': {
    tries: 'Compiles ever new regular expressions and runs each.',
    body: 'const all = []; for (let n = 0; ; n += 1) { const r = new RegExp(("(a|b" + n + "){1,500}x").repeat(3)); r.test("abab"); all.push(r) }',
  },
  'JSON of one huge text': {
    tries: 'Makes JSON of texts that are longer than the heap.',
    body: 'const text = "é".repeat(2 ** 28); JSON.stringify([text, text, text])',
    notInline: breaksV8,
  },
  'JSON of many values': {
    tries: 'Parses JSON that becomes a mountain of values.',
    body: 'const text = "[" + "{},".repeat(3e6) + "{}]"; const all = []; for (;;) all.push(JSON.parse(text))',
    notInline: breaksV8,
  },
  'a join of everything': {
    tries: 'Joins an array that holds itself and long texts.',
    body: 'let all = ["x".repeat(1e6)]; for (;;) all = [all.join(), all.join()]',
  },
  'matches without end': {
    tries: 'Collects every match of a pattern that matches everywhere.',
    body: 'const all = []; for (;;) all.push([..."ab".repeat(1e5).matchAll(/a|b/g)])',
  },
  'intervals of Intl': {
    tries: 'Makes formatters and collators of Intl, which hold memory of their own library.',
    body: 'const all = []; for (;;) all.push(new Intl.DateTimeFormat("de-DE", { dateStyle: "full" }), new Intl.Collator("zh"), new Intl.NumberFormat("ar"))',
    notInline: beyondHeap,
  },
  'segments of Intl': {
    tries: 'Segments long texts, and keeps the segments.',
    body: 'const all = [], segmenter = new Intl.Segmenter("th", { granularity: "word" }); for (;;) all.push([...segmenter.segment("ภาษาไทย ".repeat(1_000))])',
  },
  'iterators that are kept open': {
    tries: 'Keeps generators in the middle of their work, each with its frame.',
    body: 'const all = []; function* go() { const kept = new Array(200).fill(0); yield kept; yield kept } for (;;) { const it = go(); it.next(); all.push(it) }',
  },
}

const eating: readonly Attack[] = Object.entries(eaters).map(([name, { tries, body, notInline }]) => ({
  name,
  tries,
  source: program(body),
  ends: usedUp,
  ...(notInline !== undefined && { notInline }),
}))

export const memory: Family = {
  name: 'memory',
  property: 'A process that uses up its memory ends by it; the kernel and the others do not notice.',
  attacks: [
    ...eating,
    {
      name: 'memory bit by bit',
      tries: 'Keeps a little more in each of many turns, with all the time that it needs.',
      budget: { cpu: '10s', memory: '16MiB' },
      source: program(
        'const all = []; while (all.length < 300) { all.push(new Array(65_536).fill(all.length)); await proc.self() } return "150 MiB"',
      ),
      // With the debugger ready (V8 14 and later) what ran out of memory is noticed at a limit of time only.
      ends: [{ failed: 'ENOMEM' }, { killed: 'SIGBUDGET', reason: /(CPU|wall) time/ }],
    },
    {
      name: 'memory up to its limit, and then a call',
      tries: 'Catches the errors of a heap that is nearly full and goes on calling the kernel.',
      source: program(`const all = []
        for (let n = 0; n < 20; n += 1) try { all.push(new Uint8Array(2 ** 22).fill(1)) } catch { break }
        await fs.write('/tmp/a', 'still here')
        return fs.read('/tmp/a')`),
      ends: [{ value: 'still here' }, ...usedUp],
    },
    {
      name: 'a length beyond what V8 has',
      tries: 'Asks for texts, arrays and buffers of lengths that V8 refuses.',
      source: program(`const names = []
        for (const make of [() => 'x'.repeat(2 ** 30), () => new Array(-1), () => new ArrayBuffer(2 ** 53 - 1), () => new Uint8Array(2 ** 40), () => 1n << (2n ** 40n), () => 'x'.padEnd(2 ** 31), () => Array(2 ** 31).join('xx'), () => Array.from({ length: -1 }).length])
          try { names.push(make() === 0 ? 'none' : 'made') } catch (error) { names.push(error.name) }
        return names`),
      ends: gives([
        'RangeError',
        'RangeError',
        'RangeError',
        'RangeError',
        'RangeError',
        'RangeError',
        'RangeError',
        'none',
      ]),
    },
  ],
}
