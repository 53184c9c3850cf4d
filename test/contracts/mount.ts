/** What every kind of mount keeps, whatever device it is. */
import { describe, expect, test } from 'vitest'
import type { Awaitable, Mount, MountMode } from '../../src/drivers/vfs/mount.ts'
import { SyscallError } from '../../src/errors.ts'

/** What a mount holds before the claims are tested. */
export interface Fixture {
  readonly mode: MountMode
  /** Path → text; the folders on the way exist too. */
  readonly files: Readonly<Record<string, string>>
}

export interface Made {
  readonly mount: Mount
  close(): Awaitable<void>
}

export type MakeMount = (fixture: Fixture) => Awaitable<Made>

const files = { '/notes.txt': 'alpha beta', '/folder/inner.txt': 'inner', '/folder/deep/last.txt': 'ünï' }
const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')

/**
 * @param name of the kind, for the report
 * @param make a fresh mount that holds the fixture
 * @param skips `changes`: why this kind takes no changes in any mode
 */
export function mountContract(
  name: string,
  make: MakeMount,
  skips: { readonly changes?: string } = {},
): void {
  describe(`${name}: reading`, () => readingContract(make))
  describe(`${name}: read-only`, () => readOnlyContract(make))
  if (skips.changes !== undefined) {
    test.skip(`${name}: changing and adding, since ${skips.changes}`, () => undefined)
    return
  }
  describe(`${name}: changing`, () => changingContract(make))
  describe(`${name}: moving`, () => movingContract(make))
  describe(`${name}: append-only`, () => appendContract(make))
}

function readingContract(make: MakeMount): void {
  const claim = claimsOn(make, 'ro')

  claim('what is not there is ENOENT', async (mount) => {
    await refused('ENOENT', () => mount.read('/nope', 0, undefined))
    await refused('ENOENT', () => mount.stat('/nope'))
    await refused('ENOENT', () => mount.list('/nope'))
    await refused('ENOENT', () => mount.read('/nope/below', 0, undefined))
  })
  claim('a path below a file is ENOTDIR', async (mount) => {
    await refused('ENOTDIR', () => mount.read('/notes.txt/below', 0, undefined))
    await refused('ENOTDIR', () => mount.stat('/notes.txt/below'))
    await refused('ENOTDIR', () => mount.list('/notes.txt'))
  })
  claim('a folder is not read as a file', async (mount) => {
    await refused('EISDIR', () => mount.read('/folder', 0, undefined))
    await refused('EISDIR', () => mount.read('/', 0, undefined))
  })
  claim('names of the language are only names', async (mount) => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      await refused('ENOENT', () => mount.stat(`/${name}`))
    }
  })
  claim('a file is read whole, or by offset and length', async (mount) => {
    expect(await text(mount, '/notes.txt')).toBe('alpha beta')
    expect(Buffer.from(await mount.read('/notes.txt', 6, undefined)).toString()).toBe('beta')
    expect(Buffer.from(await mount.read('/notes.txt', 6, 2)).toString()).toBe('be')
    expect(await mount.read('/notes.txt', 99, 2)).toHaveLength(0)
    expect(await mount.read('/notes.txt', 0, 0)).toHaveLength(0)
  })
  claim('a listing is ordered by name and tells files from folders', async (mount) => {
    expect(await mount.list('/')).toEqual([
      { name: 'folder', type: 'folder' },
      { name: 'notes.txt', type: 'file' },
    ])
    expect(await mount.list('/folder')).toEqual([
      { name: 'deep', type: 'folder' },
      { name: 'inner.txt', type: 'file' },
    ])
  })
  claim('sizes are in bytes, and a folder has none', async (mount) => {
    expect(await mount.stat('/folder/deep/last.txt')).toMatchObject({ type: 'file', size: 5 })
    expect(await mount.stat('/folder')).toMatchObject({ type: 'folder', size: 0 })
    expect(await mount.stat('/')).toMatchObject({ type: 'folder', size: 0, modified: expect.any(Number) })
  })
}

function readOnlyContract(make: MakeMount): void {
  claimsOn(make, 'ro')('every change is EROFS and changes nothing', async (mount) => {
    await refused('EROFS', () => mount.write('/notes.txt', bytes('x'), 'replace'))
    await refused('EROFS', () => mount.write('/notes.txt', bytes('x'), 'append'))
    await refused('EROFS', () => mount.write('/new.txt', bytes('x'), 'replace'))
    await refused('EROFS', () => mount.mkdir('/new'))
    await refused('EROFS', () => mount.remove('/notes.txt', false))
    await refused('EROFS', () => mount.remove('/folder', true))
    await refused('EROFS', () => mount.move('/notes.txt', '/other.txt'))
    expect(await tree(mount)).toEqual(files)
  })
}

function changingContract(make: MakeMount): void {
  const claim = claimsOn(make, 'rw')

  claim('nothing is written over a folder, below a file, or where no folder is', async (mount) => {
    await refused('EISDIR', () => mount.write('/folder', bytes('x'), 'replace'))
    await refused('EISDIR', () => mount.write('/', bytes('x'), 'append'))
    await refused('ENOTDIR', () => mount.write('/notes.txt/x', bytes('x'), 'replace'))
    expect((await refused('ENOENT', () => mount.write('/no/x', bytes('x'), 'append'))).message).toMatch(
      'fs.mkdir',
    )
    expect(await tree(mount)).toEqual(files)
  })
  claim('a folder is not made twice, below a file, or where no folder is', async (mount) => {
    await refused('EEXIST', () => mount.mkdir('/folder'))
    await refused('EEXIST', () => mount.mkdir('/notes.txt'))
    await refused('EEXIST', () => mount.mkdir('/'))
    await refused('ENOTDIR', () => mount.mkdir('/notes.txt/x'))
    await refused('ENOENT', () => mount.mkdir('/no/x'))
  })
  claim('a folder that holds something is removed only with all of it', async (mount) => {
    await refused('ENOTEMPTY', () => mount.remove('/folder', false))
    await refused('ENOENT', () => mount.remove('/nope', true))
    await refused('EBUSY', () => mount.remove('/', true))
    await mount.remove('/folder', true)
    await mount.mkdir('/folder')
    await mount.remove('/folder', false)
    await mount.remove('/notes.txt', false)
    expect(await mount.list('/')).toEqual([])
  })
  claim('a file is replaced whole, and added to at its end', async (mount) => {
    await mount.write('/notes.txt', bytes('short'), 'replace')
    expect(await text(mount, '/notes.txt')).toBe('short')
    await mount.write('/notes.txt', bytes('er'), 'append')
    expect(await text(mount, '/notes.txt')).toBe('shorter')
    await mount.write('/fresh.txt', bytes('a'), 'append')
    await mount.write('/folder/made.txt', bytes('b'), 'replace')
    expect(await tree(mount)).toEqual({
      ...files,
      '/notes.txt': 'shorter',
      '/fresh.txt': 'a',
      '/folder/made.txt': 'b',
    })
  })
  claim('what was handed in may be changed afterwards', async (mount) => {
    const data = bytes('kept')
    await mount.write('/notes.txt', data, 'replace')
    data.fill(0)
    expect(await text(mount, '/notes.txt')).toBe('kept')
    ;(await mount.read('/notes.txt', 0, undefined)).fill(0)
    expect(await text(mount, '/notes.txt')).toBe('kept')
  })
  claim('any bytes and any name that a path can hold come back', async (mount) => {
    const all = Uint8Array.from({ length: 256 }, (_, index) => index)
    for (const path of [
      '/__proto__',
      '/constructor',
      '/a b',
      '/*?[]{}!',
      '/é.txt',
      '/-',
      '/...',
      '/%2e%2e',
    ]) {
      await mount.write(path, all, 'replace')
      expect(Buffer.from(await mount.read(path, 0, undefined)).equals(all)).toBe(true)
    }
    await mount.write('/none', bytes(''), 'replace')
    expect(await mount.read('/none', 0, undefined)).toHaveLength(0)
  })
}

function movingContract(make: MakeMount): void {
  const claim = claimsOn(make, 'rw')

  claim('a move without sense is refused and changes nothing', async (mount) => {
    await refused('ENOENT', () => mount.move('/nope', '/x'))
    await refused('ENOENT', () => mount.move('/notes.txt', '/no/x'))
    await refused('ENOTDIR', () => mount.move('/folder/inner.txt', '/notes.txt/x'))
    await refused('EISDIR', () => mount.move('/notes.txt', '/folder'))
    await refused('ENOTDIR', () => mount.move('/folder', '/notes.txt'))
    await refused('EINVAL', () => mount.move('/folder', '/folder/deep/in'))
    await mount.mkdir('/other')
    await refused('ENOTEMPTY', () => mount.move('/other', '/folder'))
    await refused('EBUSY', () => mount.move('/', '/other/x'))
    expect(await tree(mount)).toEqual(files)
  })
  claim('a file moves over a file, a folder moves with what it holds', async (mount) => {
    await mount.move('/folder/inner.txt', '/notes.txt')
    await mount.move('/folder', '/moved')
    expect(await tree(mount)).toEqual({ '/notes.txt': 'inner', '/moved/deep/last.txt': 'ünï' })
    await mount.write('/moved/deep/last.txt', bytes('!'), 'append')
    await mount.mkdir('/empty')
    await mount.move('/moved', '/empty')
    expect(await tree(mount)).toEqual({ '/notes.txt': 'inner', '/empty/deep/last.txt': 'ünï!' })
  })
  claim('a move to the same name changes nothing', async (mount) => {
    await mount.move('/notes.txt', '/notes.txt')
    await mount.move('/folder', '/folder')
    expect(await tree(mount)).toEqual(files)
  })
}

function appendContract(make: MakeMount): void {
  const claim = claimsOn(make, 'append')

  claim('what is there stays: replacing, removing and moving are EPERM', async (mount) => {
    await refused('EPERM', () => mount.write('/notes.txt', bytes('x'), 'replace'))
    await refused('EPERM', () => mount.remove('/notes.txt', false))
    await refused('EPERM', () => mount.remove('/folder', true))
    await refused('EPERM', () => mount.move('/notes.txt', '/other.txt'))
    expect(await tree(mount)).toEqual(files)
  })
  claim('new files and folders are made, and files grow', async (mount) => {
    await mount.write('/notes.txt', bytes('!'), 'append')
    await mount.mkdir('/more')
    await mount.write('/more/new.txt', bytes('first'), 'replace')
    await mount.write('/more/log.txt', bytes('line'), 'append')
    expect(await tree(mount)).toEqual({
      ...files,
      '/notes.txt': 'alpha beta!',
      '/more/new.txt': 'first',
      '/more/log.txt': 'line',
    })
  })
}

function claimsOn(
  make: MakeMount,
  mode: MountMode,
): (claim: string, holds: (mount: Mount) => Promise<void>) => void {
  return (claim, holds) =>
    test(claim, async () => {
      const made = await make({ mode, files })
      try {
        await holds(made.mount)
      } finally {
        await made.close()
      }
    })
}

/** Expects a refusal with this errno, in words that show nothing of the host. */
export async function refused(code: string, act: () => unknown): Promise<SyscallError> {
  let thrown: unknown
  try {
    await act()
  } catch (cause) {
    thrown = cause
  }
  if (!(thrown instanceof SyscallError)) throw new Error(`expected ${code}, got ${String(thrown)}`)
  expect(thrown.code).toBe(code)
  // Test folders of the host are named `gatehouse-vfs-…`.
  expect(thrown.message).not.toMatch(/gatehouse-vfs|\/proc\/self|\/home\/|node:|\bat .*:\d+:\d+/)
  expect(thrown.message).toMatch(/^[a-z`0-9].*[^.]$/)
  return thrown
}

export const text = async (mount: Mount, path: string): Promise<string> =>
  Buffer.from(await mount.read(path, 0, undefined)).toString('utf8')

/** All files of a mount, by path. */
export async function tree(mount: Mount, folder = '/'): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const { name, type } of await mount.list(folder)) {
    const path = folder === '/' ? `/${name}` : `${folder}/${name}`
    if (type === 'folder') Object.assign(found, await tree(mount, path))
    else found[path] = await text(mount, path)
  }
  return found
}
