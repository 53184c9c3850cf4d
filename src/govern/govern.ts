/** `govern` is one function: a decorator, standard or legacy, with or without options, and a wrapper. */
import { isGoverned, keepGoverned, keepOnMember } from './metadata.ts'
import { readGovernOptions } from './options.ts'
import { isClass } from './parse.ts'
import { type AnyFunction, cannotGovern } from './refusal.ts'
import { nameOf } from './source.ts'
import type { Govern, GovernedBy, GovernFunction, GovernOptions } from './types.ts'

/**
 * Makes the `govern` of a kernel.
 * @param kernel prepares each function once, when it is decorated, and runs it at each call
 * @returns `govern(fn)`, `govern(options)(fn)`, `@govern`, `@govern(options)`; free of `this`.
 *   Each throws KernelError EINVAL at decoration, for what cannot be governed and for unknown options
 */
export function makeGovern(kernel: GovernedBy): Govern {
  const withOptions = (options: GovernOptions): GovernFunction =>
    asGovern((...args) => apply(kernel, options, args))
  return asGovern((...args) => {
    const [first] = args
    if (args.length === 0) return withOptions({})
    if (args.length === 1 && typeof first !== 'function') return withOptions(readGovernOptions(first))
    return apply(kernel, {}, args)
  })
}

/** The overloads say to the compiler what `apply` tells apart when it runs. */
const asGovern = (fn: (...args: readonly unknown[]) => unknown): Govern => fn as Govern

function apply(kernel: GovernedBy, options: GovernOptions, args: readonly unknown[]): unknown {
  const [target, second, third] = args
  if (isContext(second)) return decorate(kernel, options, target, second)
  if (typeof second === 'string' || typeof second === 'symbol')
    return decorateLegacy(kernel, options, { target, key: second, descriptor: third })
  if (!isFunction(target))
    throw cannotGovern('', `\`govern\` was given ${kindOf(target)}`, ['give it a function'])
  if (args.length > 1 && second !== undefined)
    throw cannotGovern(nameOf(target), 'a function was followed by something else', [
      'write `govern(options)(fn)`',
    ])
  return wrap(kernel, options, target, nameOf(target))
}

/** What a standard decorator is told of its place (TC39 proposal-decorators, "Context"). */
interface Context {
  readonly kind: unknown
  readonly name: unknown
}

function decorate(kernel: GovernedBy, options: GovernOptions, value: unknown, context: Context): AnyFunction {
  const name = nameOfKey(context.name)
  if (context.kind !== 'method' || !isFunction(value)) throw onlyMethods(name, `a ${String(context.kind)}`)
  return wrap(kernel, options, value, name)
}

interface LegacyPlace {
  /** The class for a static member, its prototype for any other. */
  readonly target: unknown
  readonly key: string | symbol
  readonly descriptor: unknown
}

function decorateLegacy(kernel: GovernedBy, options: GovernOptions, place: LegacyPlace): PropertyDescriptor {
  const { target, key, descriptor } = place
  const name = `${classOf(target)}${nameOfKey(key)}`
  if (typeof descriptor === 'number') throw onlyMethods(name, 'a parameter')
  if (!isObject(descriptor)) throw onlyMethods(name, 'a field')
  if ('get' in descriptor || 'set' in descriptor) throw onlyMethods(name, 'an accessor')
  const method = 'value' in descriptor ? descriptor.value : undefined
  if (!isFunction(method)) throw onlyMethods(name, 'a field')
  const governed = wrap(kernel, options, method, name)
  if (isObject(target)) keepOnMember(target, key, { name, options })
  return { ...descriptor, value: governed }
}

function wrap(kernel: GovernedBy, options: GovernOptions, fn: AnyFunction, name: string): AnyFunction {
  if (isGoverned(fn)) throw cannotGovern(name, 'it is governed already', ['govern the original function'])
  if (isClass(fn)) throw onlyMethods(name, 'a class')
  const call = kernel.prepare(fn, options, name)
  const governed = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return await call(this, args)
  }
  Object.defineProperty(governed, 'name', { value: nameOf(fn), configurable: true })
  Object.defineProperty(governed, 'length', { value: fn.length, configurable: true })
  keepGoverned(governed, fn, { name, options })
  return governed
}

const onlyMethods = (name: string, what: string): Error =>
  cannotGovern(name, `it is ${what}, and only methods and functions are`, [
    'put `@govern` on a method',
    'wrap a function with `govern(fn)`',
  ])

const isFunction = (value: unknown): value is AnyFunction => typeof value === 'function'

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

const isContext = (value: unknown): value is Context =>
  typeof value === 'object' && value !== null && 'kind' in value && 'name' in value

/** `Desk.` for a member of the class `Desk`. */
function classOf(target: unknown): string {
  const owner = typeof target === 'function' ? target : isObject(target) ? target.constructor : undefined
  return typeof owner?.name === 'string' && owner.name !== '' ? `${owner.name}.` : ''
}

const nameOfKey = (key: unknown): string =>
  typeof key === 'symbol' ? `[${key.description ?? ''}]` : String(key ?? '')

const kindOf = (value: unknown): string =>
  value === null || value === undefined ? String(value) : `a ${typeof value}`
