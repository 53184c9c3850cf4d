/** Small texts of the host that are read whole: policies and their cases. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'

/**
 * Reads a regular file; a pipe or device in its place must not stall the kernel.
 * @param shown how the user named it
 * @param what it is, for messages
 * @throws KernelError EINVAL where it cannot be read, is longer than `limits.policyBytesMax`, or is no UTF-8
 */
export function readText(file: string | URL, shown: string, what = 'policy'): string {
  return decodeText(readBytes(file, shown, what, limits.policyBytesMax), shown, what)
}

/** @throws KernelError EINVAL for what is no UTF-8 */
export function decodeText(bytes: Uint8Array, shown: string, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalid(`${what} \`${shown}\` is not text in UTF-8`)
  }
}

/**
 * @param max bytes
 * @throws KernelError EINVAL where it cannot be read or is longer
 */
export function readBytes(file: string | URL, shown: string, what: string, max: number): Uint8Array {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!fstatSync(descriptor).isFile()) throw invalid(`${what} \`${shown}\` is not a regular file`)
    const buffer = new Uint8Array(max + 1)
    let length = 0
    for (;;) {
      const count = readSync(descriptor, buffer, length, buffer.length - length, null)
      length += count
      if (length > max) throw invalid(`${what} \`${shown}\` is longer than ${max} bytes`)
      if (count === 0) return buffer.slice(0, length)
    }
  } catch (error) {
    throw error instanceof KernelError ? error : invalid(`${what} \`${shown}\` ${whyUnread(error)}`)
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function whyUnread(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return 'is not there; a relative path starts at the working directory'
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user'
  return `cannot be read (${code ?? 'no reason given'})`
}

const invalid = (why: string): KernelError => new KernelError('EINVAL', why)
