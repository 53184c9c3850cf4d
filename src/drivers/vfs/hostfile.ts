/** One file of the host: read in part, replaced whole by a rename, or added to at its end. */
import { constants } from 'node:fs'
import { type FileHandle, rename, rm } from 'node:fs/promises'
import { SyscallError } from '../../errors.ts'
import { spanOf } from './content.ts'
import type { HostFolder, Seen } from './folder.ts'
import { partPrefix } from './hidden.ts'
import { because } from './reasons.ts'

/** Other writers, and leftovers of a crash, may hold the first names tried. */
const attemptsMax = 100

/** @returns what is there; a file that shrinks meanwhile gives fewer bytes, one that grows no more than were asked for */
export async function readFile(
  folder: HostFolder,
  name: string,
  offset: number,
  length: number | undefined,
): Promise<Uint8Array> {
  const file = await folder.openFile(name, constants.O_RDONLY)
  try {
    const { size } = await file.stat()
    const bytes = Buffer.alloc(spanOf(size, offset, length))
    let filled = 0
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, offset + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  } finally {
    await file.close()
  }
}

/**
 * Writes a part file beside the target and renames it over: after a crash there is the old file or the new one, whole.
 * Mode and owner of the old file are kept.
 */
export async function replaceFile(folder: HostFolder, name: string, data: Uint8Array): Promise<void> {
  const seen = assertWritable(await folder.look(name))
  const [part, file] = await createPart(folder)
  try {
    try {
      await file.writeFile(data)
      if (seen === 'file') await copyOwner(folder, name, file)
      // Before the rename, so that a power loss cannot leave an empty file under the old name.
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(folder.at(part), folder.at(name))
  } catch (cause) {
    await rm(folder.at(part), { force: true })
    throw cause
  }
}

/** Adds to the end in one write; makes the file where there is none. */
export async function appendFile(folder: HostFolder, name: string, data: Uint8Array): Promise<void> {
  const seen = assertWritable(await folder.look(name))
  const access = constants.O_WRONLY | constants.O_APPEND
  const file = await (seen === 'file' ? folder.openFile(name, access) : folder.createFile(name, access))
  try {
    await assertOneLink(file)
    await file.writeFile(data)
  } finally {
    await file.close()
  }
}

/** @throws SyscallError for what is neither a file with one name nor absent */
export function assertWritable(seen: Seen): 'file' | 'absent' {
  if (seen.kind === 'absent') return 'absent'
  if (seen.kind === 'folder') throw because('EISDIR')
  if (seen.kind === 'link') throw because('ELOOP')
  if (seen.kind === 'other') throw because('ENXIO')
  if (seen.kind === 'hidden') throw reserved()
  if (seen.stat.nlink > 1n) throw severalLinks()
  return 'file'
}

/** A hidden file reads as absent; making one of its name is refused. */
export const reserved = (): SyscallError =>
  new SyscallError('EPERM', 'the name is kept for the kernel; use another')

/** What is written to one name of a file would show under its others, perhaps outside of the mount. */
const severalLinks = (): SyscallError =>
  new SyscallError('EPERM', 'the file has several links and is not written; write a copy under another name')

async function assertOneLink(file: FileHandle): Promise<void> {
  if ((await file.stat()).nlink > 1) throw severalLinks()
}

/** Opening the old file for writing asks the host whether it may be written; a rename alone would not. */
async function copyOwner(folder: HostFolder, name: string, part: FileHandle): Promise<void> {
  const old = await folder.openFile(name, constants.O_WRONLY)
  try {
    await assertOneLink(old)
    const kept = await old.stat()
    const fresh = await part.stat()
    if (kept.uid !== fresh.uid || kept.gid !== fresh.gid) await part.chown(kept.uid, kept.gid)
    await part.chmod(kept.mode & 0o777)
  } finally {
    await old.close()
  }
}

async function createPart(folder: HostFolder): Promise<[name: string, file: FileHandle]> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const name = `${partPrefix}${process.pid}-${attempt}`
    try {
      return [name, await folder.createFile(name, constants.O_WRONLY)]
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause
    }
  }
  throw new SyscallError('EAGAIN', 'too many writes to this folder at once; try again later')
}
