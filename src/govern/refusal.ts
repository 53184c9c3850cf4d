/** Why a function cannot be governed, in one sentence: which one, what it uses, where, and what to do. */
import { KernelError } from '../errors.ts'

/** Any function, whatever it takes. */
export type AnyFunction = (...args: never[]) => unknown

/**
 * @param name how people call the function; may be empty
 * @param why the end of "it cannot travel, because …"
 * @param help what would help, each an imperative
 */
export function cannotTravel(name: string, why: string, help: readonly string[]): KernelError {
  return new KernelError('EINVAL', `${subject(name)} cannot travel into user space: ${why}; ${either(help)}`)
}

/** A misuse of `govern` itself. */
export function cannotGovern(name: string, why: string, help: readonly string[]): KernelError {
  return new KernelError('EINVAL', `${subject(name)} cannot be governed: ${why}; ${either(help)}`)
}

/** `a`, `b` and `c`. */
export const inWords = (parts: readonly string[], last = 'and'): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} ${last} ${parts.at(-1)}`

const either = (help: readonly string[]): string => inWords(help, 'or')

const subject = (name: string): string => (name === '' ? 'the function' : `\`${name}\``)
