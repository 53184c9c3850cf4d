/** What was governed, and with which options, kept so that tools can list it. */
import 'reflect-metadata'
import type { AnyFunction } from './refusal.ts'
import type { GovernOptions } from './types.ts'

/** The key under which reflect-metadata has it: on the governed function, and on a legacy-decorated method. */
export const governedKey = 'gatehouse:governed'

export interface Governed {
  /** How messages call the function. */
  readonly name: string
  readonly options: GovernOptions
}

export interface GovernedMethod extends Governed {
  readonly static: boolean
}

const governed = new WeakMap<object, Governed>()

/**
 * Keeps what a function was governed with, and hands on what other decorators kept on the original.
 * @param wrapper what callers call from now on
 * @param original the author's function
 */
export function keepGoverned(wrapper: AnyFunction, original: AnyFunction, what: Governed): void {
  governed.set(wrapper, Object.freeze(what))
  for (const key of Reflect.getOwnMetadataKeys(original))
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, original), wrapper)
  Reflect.defineMetadata(governedKey, what, wrapper)
}

/** Keeps it on the class member too, where tools of the legacy decorators look; standard ones do not tell the class. */
export function keepOnMember(target: object, key: string | symbol, what: Governed): void {
  Reflect.defineMetadata(governedKey, Object.freeze(what), target, key)
}

export const isGoverned = (fn: AnyFunction): boolean => governed.has(fn)

/**
 * Lists what is governed in a class, inherited methods included.
 * @param target a class, an instance of one, or a governed function
 * @returns one row for each method that is in force, `static` ones first; private methods are nobody else's to see
 */
export function governedMethods(target: object): readonly GovernedMethod[] {
  const own = governed.get(target)
  if (own !== undefined) return [{ ...own, static: false }]
  if (typeof target !== 'function') return listed(target, Object.prototype, false)
  const prototype: unknown = Reflect.get(target, 'prototype')
  return [
    ...listed(target, Function.prototype, true),
    ...(isObject(prototype) ? listed(prototype, Object.prototype, false) : []),
  ]
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Walks the chain of prototypes up to `end`; what is nearer hides what is further away. No accessor is run. */
function listed(from: object, end: object, isStatic: boolean): GovernedMethod[] {
  const found = new Map<PropertyKey, GovernedMethod | undefined>()
  for (let at: object | null = from; at !== null && at !== end; at = Object.getPrototypeOf(at)) {
    for (const key of Reflect.ownKeys(at)) {
      if (found.has(key)) continue
      const value: unknown = Object.getOwnPropertyDescriptor(at, key)?.value
      const what = typeof value === 'function' ? governed.get(value) : undefined
      found.set(key, what && { ...what, static: isStatic })
    }
  }
  return [...found.values()].filter((method) => method !== undefined)
}
