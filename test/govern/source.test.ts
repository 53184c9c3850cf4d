import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { AnyFunction } from '../../src/govern/refusal.ts'
import { programOf } from '../../src/govern/source.ts'

/** Runs the text that travels as the ES module that it is, in this process. */
async function travel(fn: AnyFunction, ...args: unknown[]): Promise<unknown> {
  const { text } = programOf(fn)
  const url = `data:text/javascript,${encodeURIComponent(text)}`
  const module = await import(/* @vite-ignore */ url)
  return await module.default(...args)
}

const refusals: readonly (readonly [what: string, fn: unknown, why: RegExp])[] = [
  ['a native function', Math.max, /`max` .* its source is hidden, because it is native, bound or a proxy/],
  [
    'a bound function',
    ((n: number) => n).bind(null),
    /native, bound or a proxy.*govern the function it was made from/,
  ],
  ['a proxy', new Proxy(() => 1, {}), /native, bound or a proxy/],
  ['a class', class Desk {}, /`Desk` cannot travel into user space: it is a class; govern its methods/],
  ['a generator', function* steps() {}, /`steps` .* it is a generator, .*; return an array/],
  ['an async generator', { async *steps() {} }.steps, /it is a generator/],
  [
    'a getter',
    Object.getOwnPropertyDescriptor(
      {
        get a() {
          return 1
        },
      },
      'a',
    )?.get,
    /it is a getter; write it as a method/,
  ],
  ['a setter', Object.getOwnPropertyDescriptor({ set a(_: number) {} }, 'a')?.set, /it is a setter/],
  [
    'sloppy code',
    new Function('with (Math) { return 1 }'),
    /agent code is an ES module, .*'with' in strict mode/,
  ],
]

for (const [what, fn, why] of refusals) {
  test(`${what} is refused when it is given`, () => {
    expect(() => programOf(fn as AnyFunction)).toThrow(
      expect.objectContaining({ code: 'EINVAL', message: expect.stringMatching(why) }),
    )
  })
}

test('an import is named as the author wrote it, with its module and line, under this test runner', () => {
  expect(() => programOf(async (name: string) => join('/', name))).toThrow(
    /it uses `join` \(imported from `node:path`, test\/govern\/source\.test\.ts:\d+\), which agent code does not have; pass/,
  )
})

test('a dynamic import and import.meta are refused under this test runner too', () => {
  expect(() => programOf(async () => [import.meta.url, await import('node:os')])).toThrow(
    /`import\.meta` \(.*source\.test\.ts:\d+\) and `import\(\)` \(/,
  )
})

test('an arrow function that calls itself is told how to have a name', () => {
  const fall = (n: number): number => (n < 1 ? 0 : fall(n - 1))
  expect(() => programOf(fall)).toThrow(/`fall` \(its own name, which `async function fall\(…\)` would have/)
})

test('at most six things are named', () => {
  const code = 'async () => [a, b, c, d, e, f, g, h]'
  const fn = Function(`return ${code}`)()
  expect(() => programOf(fn)).toThrow(
    /`a` \(line 1 of the function\), .*`f` \(line 1 of the function\) and 2 more, which/,
  )
})

test('code whose file nobody knows is located by the line of the function', () => {
  const fn = Function('return async () => {\n\n  return db.size\n}')()
  expect(() => programOf(fn, 'Desk.size')).toThrow(
    /^`Desk\.size` .* it uses `db` \(line 3 of the function\), which/,
  )
})

test('every shape of function travels and runs', async () => {
  const symbol = Symbol('s')
  const object = {
    method(n: number) {
      return n + 1
    },
    async later(n: number) {
      return n + 1
    },
    async [`com${'puted'}`](n: number) {
      return n + 1
    },
    [symbol](n: number) {
      return n + 1
    },
    async 'a-b'(n: number) {
      return n + 1
    },
    1(n: number) {
      return n + 1
    },
    async async(n: number) {
      return n + 1
    },
    get(n: number) {
      return n + 1
    },
    static(n: number) {
      return n + 1
    },
    async function(n: number) {
      return n + 1
    },
  }
  class Mixed {
    kept = 0
    static async method(n: number) {
      return n + 1
    }
  }
  const fns = [
    (n: number) => n + 1,
    async (n: number) => n + 1, // a comment at the end
    (n: number) => n + 1,
    async function named(n: number): Promise<number> {
      return n > 0 ? n + 1 : named(1)
    },
    Mixed.method,
    ...Reflect.ownKeys(object).map((key) => Reflect.get(object, key)),
  ]
  for (const fn of fns) expect(await travel(fn, 1), String(fn)).toBe(2)
})

test('a private method travels under another key', async () => {
  class Desk {
    kept = 0
    static async #hidden(n: number) {
      return n + 1
    }
    static hidden = Desk.#hidden
  }
  expect(await travel(Desk.hidden, 1)).toBe(2)
})

test('the first line of the text is the first line of the function', () => {
  const { text } = programOf(async () => {
    return 1
  })
  expect(text.split('\n')[0]).toMatch(/^export default \(async \(\) => \{/)
})

test('helpers that compilers leave are supplied', async () => {
  const fn = Function(`return async (source, more) => {
    const named = __name((n) => n + 1, 'named')
    const one = await __awaiter(this, void 0, void 0, function* () { return (yield Promise.resolve(1)) + 1 })
    const two = await __async(this, null, function* () { try { yield Promise.reject(3) } catch (error) { return error } })
    const rest = __rest(source, ['a'])
    const spread = __spreadProps(__spreadValues({}, rest), { more })
    return [named.name, one, two, rest, spread, __objRest(source, ['b']), __publicField({}, 'x', 1)]
  }`)()
  expect(await travel(fn, { a: 1, b: 2 }, 3)).toEqual([
    'named',
    2,
    3,
    { b: 2 },
    { b: 2, more: 3 },
    { a: 1 },
    1,
  ])
})

test('`this` inside an asynchronous helper is still found', () => {
  const fn = Function(`return function () {
    return __awaiter(this, void 0, void 0, function* () {
      return this.db
    })
  }`)()
  expect(() => programOf(fn)).toThrow(/it uses `this` \(line 3 of the function\)/)
})

test('coverage counters are supplied, and count nothing', async () => {
  const fn = Function(`return async (n) => {
    cov_1a2b3c4d5e().f[0]++
    cov_1a2b3c4d5e().s[3]++
    if (n > 0) { cov_1a2b3c4d5e().b[1][0]++; cov_1a2b3c4d5e().s[4]++; return (cov_1a2b3c4d5e().b[2][1]++, n) }
    return 0
  }`)()
  expect(await travel(fn, 2)).toBe(2)
})

test('a name that only looks like a counter is not one', () => {
  expect(() => programOf(Function('return () => cov_1a2b3c4d5e.size')())).toThrow('`cov_1a2b3c4d5e`')
})
