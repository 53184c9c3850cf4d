/** What stands at a path now: as much as an approval is bound to, and a person is shown. Agents never see it. */
import { createHash, type Hash } from 'node:crypto'
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Awaitable, Mount } from './mount.ts'
import { inFolder } from './path.ts'

export type Looked =
  | { readonly type: 'absent' }
  /** `text` where it is UTF-8 and at most `limits.approvalTextBytesMax` long. */
  | { readonly type: 'file'; readonly bytes: number; readonly sha256: string; readonly text?: string }
  /** `sha256` is over the path, type, size and time of everything below. */
  | { readonly type: 'folder'; readonly entries: number; readonly sha256: string }

/**
 * @param path within the mount
 * @returns at once for a mount in memory, so that nothing can change between the look and what follows it
 * @throws SyscallError EFBIG for more than can be bound to, and what reading it meets
 */
export function lookAt(mount: Mount, path: string): Awaitable<Looked> {
  return attempt(
    () => readOn(mount, path, 0, createHash('sha256')),
    (error) => {
      const code = error instanceof SyscallError ? error.code : undefined
      if (code === 'ENOENT' || code === 'ENOTDIR') return { type: 'absent' }
      if (code !== 'EISDIR') throw error
      const lines: string[] = []
      return next(walk(mount, path, lines), () => ({
        type: 'folder',
        entries: lines.length,
        sha256: createHash('sha256').update(lines.join('\n')).digest('hex'),
      }))
    },
  )
}

/** @returns what a file would be that holds these bytes */
export function lookedBytes(bytes: Uint8Array): Looked {
  const text = textOf(bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { type: 'file', bytes: bytes.length, sha256, ...(text !== undefined && { text }) }
}

function readOn(mount: Mount, path: string, offset: number, hash: Hash): Awaitable<Looked> {
  return next(mount.read(path, offset, limits.fileBytesMax), (bytes) => {
    if (offset === 0 && bytes.length < limits.fileBytesMax) return lookedBytes(bytes)
    hash.update(bytes)
    const size = offset + bytes.length
    if (bytes.length < limits.fileBytesMax) return { type: 'file', bytes: size, sha256: hash.digest('hex') }
    if (size >= limits.approvalHashBytesMax)
      throw tooMuch(`more than ${limits.approvalHashBytesMax} bytes would change`)
    return readOn(mount, path, size, hash)
  })
}

function walk(mount: Mount, folder: string, lines: string[]): Awaitable<void> {
  return next(mount.list(folder), (entries) =>
    inTurn(entries, 0, ({ name, type }) => {
      if (lines.length >= limits.approvalEntriesMax)
        throw tooMuch(`the folder holds more than ${limits.approvalEntriesMax} files and folders`)
      const path = inFolder(folder, name)
      return next(mount.stat(path), ({ size, modified }) => {
        lines.push(JSON.stringify([path, type, size, modified]))
        if (type === 'folder') return walk(mount, path, lines)
      })
    }),
  )
}

const tooMuch = (why: string): SyscallError =>
  new SyscallError('EFBIG', `a person would have to approve it, and ${why} at once; do it in parts`)

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > limits.approvalTextBytesMax) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function attempt<T>(work: () => Awaitable<T>, otherwise: (error: unknown) => Awaitable<T>): Awaitable<T> {
  try {
    const value = work()
    return value instanceof Promise ? value.catch(otherwise) : value
  } catch (error) {
    return otherwise(error)
  }
}

/** Goes on at once where there is nothing to wait for. */
function next<T, U>(value: Awaitable<T>, then: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(then) : then(value)
}

function inTurn<T>(items: readonly T[], from: number, act: (item: T) => Awaitable<void>): Awaitable<void> {
  for (const [index, item] of items.entries()) {
    if (index < from) continue
    const waits = act(item)
    if (waits instanceof Promise) return waits.then(() => inTurn(items, index + 1, act))
  }
}
