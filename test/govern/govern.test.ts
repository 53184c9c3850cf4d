import { expect, test } from 'vitest'
import { KernelError } from '../../src/errors.ts'
import { makeGovern } from '../../src/govern/govern.ts'
import { governedMethods } from '../../src/govern/metadata.ts'
import type { Govern, GovernedBy } from '../../src/govern/types.ts'

/** Keeps what it was asked to prepare; calls stay on the host and say what they got. */
function desk(): { govern: Govern; prepared: unknown[] } {
  const prepared: unknown[] = []
  const kernel: GovernedBy = {
    prepare(fn, options, name) {
      prepared.push([name, options])
      return async (self, args) => Reflect.apply(fn, self, args)
    },
  }
  return { govern: makeGovern(kernel), prepared }
}

/** Calls `govern` as JavaScript lets one do. */
const untyped = (...args: unknown[]): unknown => (desk().govern as (...args: unknown[]) => unknown)(...args)

const misuses: readonly (readonly [what: string, args: readonly unknown[], message: RegExp])[] = [
  [
    'an unknown option',
    [{ isolaton: 'cell' }],
    /^`isolaton` is no option of `govern`; did you mean `isolation`\?/,
  ],
  ['an isolation that there is not', [{ isolation: 'vm' }], /`isolation` .* expected cell, inline or host$/],
  ['an empty name', [{ name: '' }], /`name` .* expected at least one character$/],
  ['labels that are not texts', [{ labels: [1] }], /`labels\.0` .* expected a text$/],
  [
    'a budget without units in a list',
    [{ budget: ['3s'] }],
    /`budget` .* expected an object of numbers with units$/,
  ],
  [
    'a policy that is a number',
    [{ policy: 1 }],
    /`policy` .* expected a preset, a path, a policy or a list of these$/,
  ],
  [
    'nothing, by an import that went wrong',
    [undefined],
    /options of `govern` are not an object; it takes a function/,
  ],
  ['a text', ['triage'], /options of `govern` are not an object/],
  [
    'a function after its options',
    [{ name: 'a' }, () => 1],
    /`govern` was given a object|write `govern\(options\)\(fn\)`/,
  ],
  ['options after their function', [() => 1, { name: 'a' }], /write `govern\(options\)\(fn\)`/],
  [
    'a class',
    [class Desk {}],
    /^`Desk` cannot be governed: it is a class, and only methods and functions are/,
  ],
  ['a legacy field', [{}, 'open', undefined], /^`Object\.open` cannot be governed: it is a field/],
  ['a legacy accessor', [{}, 'open', { get: () => 1 }], /it is an accessor/],
  ['a legacy parameter', [{}, 'open', 0], /it is a parameter/],
  [
    'a standard field',
    [undefined, { kind: 'field', name: 'open' }],
    /^`open` cannot be governed: it is a field/,
  ],
]

for (const [what, args, message] of misuses) {
  test(`${what} is refused at decoration`, () => {
    expect(() => untyped(...args)).toThrow(KernelError)
    expect(() => untyped(...args)).toThrow(
      expect.objectContaining({ code: 'EINVAL', message: expect.stringMatching(message) }),
    )
  })
}

test('a function is governed once only', () => {
  const { govern } = desk()
  const once = govern(async function greet() {})
  expect(() => govern(once)).toThrow(
    '`greet` cannot be governed: it is governed already; govern the original function',
  )
})

test('what the kernel refuses is refused at decoration', () => {
  const govern = makeGovern({
    prepare() {
      throw new KernelError('EINVAL', 'no')
    },
  })
  expect(() => govern(() => 1)).toThrow('no')
})

test('the kernel prepares once, however often the function is called', async () => {
  const { govern, prepared } = desk()
  const twice = govern({ name: 'doubler', labels: ['x'] })((n: number) => n * 2)
  expect([await twice(1), await twice(2)]).toEqual([2, 4])
  expect(prepared).toEqual([['', { name: 'doubler', labels: ['x'] }]])
})

test('a wrapper has the name and length of its function, and never throws before it returns', async () => {
  const govern = makeGovern({
    prepare: () => () => {
      throw new KernelError('EPERM', 'no')
    },
  })
  const greet = govern(async function greet(_name: string, _mark: string) {})
  expect([greet.name, greet.length]).toEqual(['greet', 2])
  await expect(greet('a', 'b')).rejects.toThrow('no')
})

test('options are kept from later changes', () => {
  const { govern, prepared } = desk()
  const options = { name: 'before' }
  const wrap = govern(options)
  options.name = 'after'
  wrap(() => 1)
  expect(prepared).toEqual([['', { name: 'before' }]])
})

test('a subclass hides what it overrides, and no accessor is run by listing', () => {
  const { govern } = desk()
  class Base {
    get trap(): never {
      throw new Error('was run')
    }
  }
  class Desk extends Base {}
  Object.defineProperty(Base.prototype, 'triage', { value: govern(function triage() {}) })
  Object.defineProperty(Base.prototype, 'close', { value: govern(function close() {}) })
  Object.defineProperty(Desk.prototype, 'close', { value: () => 1 })
  expect(governedMethods(Desk)).toEqual([{ name: 'triage', options: {}, static: false }])
  expect(governedMethods(new Desk())).toEqual(governedMethods(Desk))
})

test('what other decorators kept on the method is kept on the governed one', () => {
  const { govern } = desk()
  const route = (): number => 1
  Reflect.defineMetadata('route', '/a', route)
  expect(Reflect.getMetadata('route', govern(route))).toBe('/a')
})
