/** One attack of the public corpus: a guest program, what it tries, and what must be seen of it. */
import type { Errno, Json, PolicyRef } from '../../src/index.ts'
import type { BudgetDocument } from '../../src/policy/types.ts'
import type { SignalName } from '../../src/proc/signals.ts'

/** How the attacker's process may end. */
export type Ending =
  | { readonly value: Json }
  | { readonly failed: Errno; readonly message?: RegExp }
  | { readonly killed: SignalName; readonly reason?: RegExp }

export interface Attack {
  readonly name: string
  /** One sentence: what the program tries. */
  readonly tries: string
  /**
   * The text of an ES module. Its default export is told what to reach for: `{ port, bystander, api, thief }`: a
   * server of the host on 127.0.0.1 that nothing may ask, the pid of a process of another agent, a server that
   * secrets are for, and one that they are not for.
   */
  readonly source: string
  /** One of these is how its process ends. */
  readonly ends: readonly Ending[]
  /** What it may use, in place of the small budget of every attacker. */
  readonly budget?: BudgetDocument
  /** Narrows what the corpus permits. */
  readonly policy?: PolicyRef
  /** Why V8 alone does not contain it; it then runs in cells only, and stands in the threat model. */
  readonly notInline?: string
}

/** Attacks on one property. */
export interface Family {
  readonly name: string
  /** What holds, whatever these attacks try. */
  readonly property: string
  readonly attacks: readonly Attack[]
}

/** It exits in order, with exactly this value. */
export const gives = (value: Json): readonly Ending[] => [{ value }]

/** It is killed for what its budget or the kernel's limits say. */
export const overBudget: readonly Ending[] = [{ killed: 'SIGBUDGET' }]

/** It ends by its memory, or by its CPU time, whichever is used up first. */
export const usedUp: readonly Ending[] = [
  { failed: 'ENOMEM' },
  { killed: 'SIGBUDGET', reason: /(CPU|wall) time/ },
  { failed: 'ETIMEDOUT', message: /could not be stopped from inside/ },
  // V8 refuses one object larger than any may be.
  { failed: 'EFAULT', message: /^RangeError: (Invalid|Array buffer|Maximum)/ },
]

/** A program whose default export is an async function with this body. */
export const program = (body: string): string => `export default async (world) => {\n${body}\n}`

/**
 * For programs that reach for the host: `reach(value)` follows prototypes and constructors from a value and
 * gives what it finds that is none of its own; [] where everything is of user space.
 * `codeOf(work)` gives what a call is refused with, or `ok`.
 */
export const prelude = `
const own = { Function, Object, getPrototypeOf: Object.getPrototypeOf, objectPrototype: Object.prototype }
const hostNames = ['process', 'require', 'module', 'exports', 'global', 'Buffer', 'ivm', 'Deno', 'Bun', 'window',
  'setImmediate', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry', 'start', 'post',
  'deliver', 'bootstrap', 'bootText', 'pending', 'inspector']
const look = 'return ' + JSON.stringify(hostNames) + '.filter((name) => { try { return eval("typeof " + name) !== "undefined" } catch (error) { return true } })'
const reach = (value) => {
  const found = new Set()
  const visit = (maker) => {
    if (typeof maker !== 'function') return
    let at = maker
    for (let steps = 0; typeof at.constructor === 'function' && at.constructor !== at && steps < 6; steps += 1) at = at.constructor
    if (at !== own.Function) found.add('a Function of another realm')
    try { for (const name of at(look)()) found.add(name) } catch (error) { found.add('an error: ' + error) }
  }
  if (value === null || value === undefined) return []
  let last
  for (let at = own.Object(value); at !== null; at = own.getPrototypeOf(at)) {
    last = at
    visit(at.constructor)
    for (const key of Reflect.ownKeys(at)) {
      const { value, get, set } = Object.getOwnPropertyDescriptor(at, key) ?? {}
      for (const part of [value, get, set]) if (typeof part === 'function') visit(part)
    }
  }
  if (typeof value === 'function') visit(value)
  const isPlain = last === own.objectPrototype || own.getPrototypeOf(value) === null
  if (!isPlain) found.add('a prototype of another realm')
  return [...found]
}
const codeOf = async (work) => { try { await (typeof work === 'function' ? work() : work); return 'ok' } catch (error) { return error.code ?? error.name } }
const messageOf = async (work) => { try { await (typeof work === 'function' ? work() : work); return 'ok' } catch (error) { return String(error.message) } }
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
`

/** A program with `reach`, `codeOf`, `messageOf` and `sleep`. */
export const probing = (body: string): string => `${prelude}\n${program(body)}`
