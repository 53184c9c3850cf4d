/** What `govern` looks like to those who write it, in all its forms, and what it needs of the kernel. */
import type { Isolation } from '../policy/types.ts'
import type { AnyFunction } from './refusal.ts'

export interface GovernOptions {
  /** The agent's name in the process table, in policies and in evidence; by default the function's. */
  readonly name?: string
  /** Narrows the kernel's policy: a preset's name, a path, a policy, or several that must all agree. */
  readonly policy?: string | object | readonly (string | object)[]
  /** Limits of each call: numbers with a unit, such as `{ wall: '3s', memory: '64MiB' }`. */
  readonly budget?: Readonly<Record<string, string | number>>
  /** Where the function runs; `host` for one that needs Node.js, and of which only tools and models are governed. */
  readonly isolation?: Isolation
  /** Labels that each call starts with. */
  readonly labels?: readonly string[]
}

/**
 * Runs one governed function in a process of its own.
 * @param self what `this` was, which only a function in `host` isolation may use
 * @param args as the caller gave them; checked to be JSON unless they stay on the host
 * @returns the function's result; rejects with KernelError
 */
export type GovernedCall = (self: unknown, args: readonly unknown[]) => Promise<unknown>

/** What `govern` needs of a kernel. */
export interface GovernedBy {
  /**
   * Called once for each function, when it is decorated or wrapped.
   * @param fn the author's function; nothing has called it
   * @param options checked to be known and of the right type; what they name is the kernel's to check
   * @param name how messages call the function, such as `Desk.triage`; may be empty
   * @throws KernelError where the function cannot be governed; the decoration fails with it
   */
  prepare(fn: AnyFunction, options: GovernOptions, name: string): GovernedCall
}

/** A method that decorators take: its callers await it already, so nothing changes for them. */
export type GovernableMethod = (...args: never[]) => Promise<unknown>

export interface GovernFunction {
  /** Standard (TC39) decorator of a method, instance or static. */
  <Method extends GovernableMethod>(method: Method, context: ClassMethodDecoratorContext): Method
  /** Legacy (`experimentalDecorators`) decorator of a method, instance or static. */
  <Method extends GovernableMethod>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): TypedPropertyDescriptor<Method>
  /** Plain wrapper: the same arguments, and a promise of the same result. */
  <Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
  ): (...args: Args) => Promise<Awaited<Result>>
}

/** One function, told apart by its arguments; it needs no `this` and may be taken off the kernel. */
export interface Govern extends GovernFunction {
  /** With options: gives the decorator and wrapper that applies them. */
  (options?: GovernOptions & NotCallable): GovernFunction
}

/** A function has a `name` too and would pass for options. */
interface NotCallable {
  readonly call?: never
}
