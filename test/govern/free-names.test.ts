import vm from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { freeUses } from '../../src/govern/free-names.ts'
import { guestGlobalNames, guestGlobals } from '../../src/govern/guest-globals.ts'
import { parseFunction } from '../../src/govern/parse.ts'

/** What a function's source uses beyond itself, each with its line. */
const usesOf = (source: string): readonly string[] =>
  freeUses(parseFunction(vm.runInThisContext(`(${source})`), ''), guestGlobals).map(
    ({ what, at }) => `${what}:${at.line}`,
  )

/** A method's source, as `toString` gives it. */
const usesOfMethod = (source: string): readonly string[] =>
  freeUses(parseFunction(vm.runInThisContext(`Object.values({${source}})[0]`), ''), guestGlobals).map(
    ({ what, at }) => `${what}:${at.line}`,
  )

const shapes: readonly (readonly [source: string, uses: readonly string[]])[] = [
  ['() => db', ['db:1']],
  ['(db) => db', []],
  ['() =>\n\n db + table', ['db:3', 'table:3']],
  ['function () { return this.x }', ['this:1']],
  ['() => this', ['this:1']],
  ['() => () =>\n this', ['this:2']],
  ['() => function () { return this }', []],
  ['() => ({ get a() { return this }, b() { return super.x } })', []],
  ['() => class { x = this; static { this.y = 1 } [db]() { return this } }', ['db:1']],
  ['() => class { [this.k] = 1 }', ['this:1']],
  ['() => class extends Base { constructor() { super() } }', ['Base:1']],
  ['() => class { #a = 1; has(o) { return #a in o } }', []],
  ['(a = b, { c = d } = {}) => a + c', ['b:1', 'd:1']],
  ['() => arguments[0]', ['arguments:1']],
  ['function () { return arguments[0] }', []],
  ['function f() { return f }', []],
  ['() => { try { x() } catch { } }', ['x:1']],
  ['() => { try { } catch (x) { x() } }', []],
  ['() => { label: for (;;) { break label } }', []],
  ['() => ({ db: 1 }).db', []],
  ['() => ({ db })', ['db:1']],
  ['() => { hoisted(); function hoisted() {} }', []],
  ['() => { if (1) { var v = 1 } return v }', []],
  ['() => { if (1) { let v = 1 } return v }', ['v:1']],
  ['() => typeof process === "undefined"', []],
  ['() => typeof process !== "undefined" && process.env', ['process:1']],
  ['() => { total = 1 }', ['total:1']],
  ['() => `$' + '{db}`', ['db:1']],
  ['async () => { for await (const x of xs) x() }', ['xs:1']],
  ['() => import("node:fs")', ['import():1']],
  ['() => require("node:fs")', ['require:1']],
  ['function () { return new.target }', ['new.target:1']],
  ['() => fs.read("/workspace/a").then(JSON.parse)', []],
  ['() => WebAssembly', ['WebAssembly:1']],
  ['() => new WeakRef({})', ['WeakRef:1']],
  ['() => { using x = open() }', ['open:1']],
]

for (const [source, uses] of shapes) {
  test(`\`${source.replaceAll('\n', '⏎')}\` uses ${uses.join(', ') || 'nothing else'}`, (context) => {
    if (source.includes('using ') && Number(process.versions.node.split('.')[0]) < 24)
      context.skip('this engine does not know `using`')
    expect(usesOf(source)).toEqual(uses)
  })
}

test('a method is read like a function, its key left out', () => {
  expect(usesOfMethod('async triage(t) {\n return super.x(this, t) }')).toEqual(['super:2', 'this:2'])
  expect(usesOfMethod('[["a"][0]](t) { return t + db }')).toEqual(['db:1'])
})

test("private names of the class around are free, a nested class's own are not", () => {
  const fn = vm.runInThisContext('class Desk { #open = 1; static is(o) {\n return #open in o } }; Desk.is')
  expect(freeUses(parseFunction(fn, ''), guestGlobals)).toEqual([
    expect.objectContaining({ what: '#open', at: { line: 2, column: 8 } }),
  ])
})

test('the names of user space are each listed once, and none that the bootstrap takes away', () => {
  expect(new Set(guestGlobalNames).size).toBe(guestGlobalNames.length)
  for (const name of [
    'WebAssembly',
    'SharedArrayBuffer',
    'Atomics',
    'WeakRef',
    'FinalizationRegistry',
    'process',
  ])
    expect(guestGlobals.has(name)).toBe(false)
})

/** Builds nested scopes; every name is declared before the text that follows may use it, unless it is `free…`. */
class Builder {
  readonly free = new Set<string>()
  readonly #choose: (max: number) => number
  #count = 0
  constructor(choose: (max: number) => number) {
    this.#choose = choose
  }

  block(names: readonly string[], depth: number): string {
    const scope = [...names]
    const length = 1 + this.#choose(4)
    return Array.from({ length }, () => this.#statement(scope, depth)).join('\n')
  }

  #statement(scope: string[], depth: number): string {
    const use = (): string => this.#use(scope)
    const declared = (): string => {
      this.#count += 1
      const name = `n${this.#count}`
      scope.push(name)
      return name
    }
    const inner = (...more: string[]): string => (depth > 3 ? '' : this.block([...scope, ...more], depth + 1))
    const flat = [
      () => `void ${use()}`,
      () => `const ${declared()} = ${use()}`,
      () => `let { a: ${declared()}, b: [${declared()} = ${use()}], ...${declared()} } = ${use()}`,
      () => `label: { break label }`,
    ]
    const nested = [
      () => `{ ${inner()} }`,
      () => `function ${declared()}(p, { q = p }, ...r) { ${inner('p', 'q', 'r')} }`,
      () => `const ${declared()} = async (p = ${use()}) => { ${inner('p')} }`,
      () =>
        `class ${declared()} { static #s = 1; [${use()}](p) { ${inner('p')} } f = ${use()}; static { this.#s; ${inner()} } }`,
      () => `for (const i of [${use()}]) { ${inner('i')} }`,
      () => `try { ${inner()} } catch ({ message: m }) { ${inner('m')} }`,
      () => `({ a: ${use()}, m() { ${inner()} }, get g() { return this.p0 } })`,
    ]
    const all = [...flat, ...nested]
    return `;${all[this.#choose(all.length)]?.()};`
  }

  #use(scope: readonly string[]): string {
    const pick = this.#choose(scope.length + 3)
    if (pick === 0) {
      const name = `free${this.#choose(3)}`
      this.free.add(name)
      return name
    }
    const name = scope[pick - 1] ?? 'Math'
    return [name, `${name}.free9`, `\`\${${name}}\``, `typeof free9`][this.#choose(4)] ?? name
  }
}

test('in any nesting of scopes the free names are found, and no declared one is', () => {
  fc.assert(
    fc.property(fc.gen(), (generate) => {
      const builder = new Builder((max) => generate(fc.nat, { max: max - 1 }))
      const body = builder.block(['p0'], 0)
      const names = usesOf(`async (p0) => {${body}}`).map((use) => use.replace(/:\d+$/, ''))
      expect(new Set(names)).toEqual(builder.free)
    }),
    { numRuns: 400 },
  )
})
