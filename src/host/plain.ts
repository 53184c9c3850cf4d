/** Values of the application as JSON: copied once, so that nobody who holds the original changes what was read. */
import { SyscallError } from '../errors.ts'
import { asJson, type Json } from '../json.ts'
import { limits } from '../limits.ts'

/**
 * Members that are undefined are as good as absent to whoever reads JSON, and are left out.
 * @returns a copy that nobody else holds, each getter asked once; why there is none
 */
export function readOnce(value: unknown, path: string): Json | SyscallError {
  try {
    return asJson(value === undefined ? null : withoutUndefined(value, []), path)
  } catch (error) {
    if (error instanceof SyscallError) return error
    return new SyscallError('EINVAL', `\`${path}\` cannot be read: ${textOf(error)}`)
  }
}

/** What is no plain object is left as it is. */
function withoutUndefined(value: unknown, parents: readonly object[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  // A cycle, and what is too deep, is refused as it is.
  if (parents.includes(value) || parents.length > limits.jsonDepthMax) return value
  const lineage = [...parents, value]
  if (Array.isArray(value)) return Array.from(value, (item) => withoutUndefined(item, lineage))
  const prototype = Object.getPrototypeOf(value)
  const isPlain = prototype === Object.prototype || prototype === null
  if (!isPlain || Object.getOwnPropertySymbols(value).length > 0) return value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([key, member]) => [key, withoutUndefined(member, lineage)]))
}

/** What was thrown may be anything, and may not be text that UTF-8 carries. */
export function textOf(value: unknown): string {
  try {
    return String(value).toWellFormed().slice(0, limits.errorTextMax)
  } catch {
    return 'a value that has no text'
  }
}

/** @param what failed, for the message */
export function messageOf(what: string, error: unknown): string {
  const name = error instanceof Error && error.name !== 'Error' ? `${textOf(error.name)}: ` : ''
  return `${what} failed: ${name}${textOf(error instanceof Error ? error.message : error)}`
}
