import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Hidden, partPrefix } from '../../../src/drivers/vfs/hidden.ts'
import { type HostMount, openHostMount } from '../../../src/drivers/vfs/host.ts'
import { MemoryMount } from '../../../src/drivers/vfs/memory.ts'
import type { Mount, MountMode } from '../../../src/drivers/vfs/mount.ts'
import { KernelError, SyscallError } from '../../../src/errors.ts'
import { limits } from '../../../src/limits.ts'
import { type Made, mountContract, refused, text, tree } from '../../contracts/mount.ts'
import { makeHostFolder } from '../../support/host-folder.ts'
import { applyStep, type Step, stepsOf } from '../../support/mount-steps.ts'

const nothing = new Hidden([])
const onLinux = process.platform === 'linux'
const bytes = (text: string): Uint8Array => Buffer.from(text)

for (const pinned of onLinux ? [true, false] : [false]) {
  mountContract(`host, ${pinned ? 'by descriptor' : 'by real path'}`, ({ mode, files }): Made => {
    const folder = makeHostFolder(files)
    const mount = openHostMount({ host: folder.path, mode, hidden: nothing, pinned })
    return {
      mount,
      close: async () => {
        await mount.close()
        folder.remove()
      },
    }
  })
}

describe('opening', () => {
  test.each([
    ['a folder that does not exist', 'missing', 'ENOENT'],
    ['a file', 'file', 'ENOTDIR'],
  ])('%s is refused, naming it as it was given', (_, name, code) => {
    const folder = makeHostFolder({ file: 'x' })
    try {
      const open = (): HostMount => openHostMount({ host: folder.at(name), mode: 'ro', hidden: nothing })
      expect(open).toThrow(KernelError)
      expect(open).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining(folder.at(name)) }),
      )
    } finally {
      folder.remove()
    }
  })

  test('the mount stays with the folder that was opened, whatever its path leads to later', async () => {
    const outside = makeHostFolder({ f: 'OUTSIDE' })
    const parent = makeHostFolder({ 'data/f': 'inside' })
    for (const pinned of onLinux ? [true, false] : [false]) {
      const mount = openHostMount({ host: parent.at('data'), mode: 'ro', hidden: nothing, pinned })
      renameSync(parent.at('data'), parent.at('moved'))
      symlinkSync(outside.path, parent.at('data'))
      if (pinned) expect(await text(mount, '/f')).toBe('inside')
      else await refused('ELOOP', () => mount.read('/f', 0, undefined))
      await mount.close()
      renameSync(parent.at('data'), parent.at(`link-${pinned}`))
      renameSync(parent.at('moved'), parent.at('data'))
    }
    parent.remove()
    outside.remove()
  })
})

test('a closed mount is EIO, after the calls in flight have ended', async () => {
  await withMount({ f: 'x' }, 'rw', async (mount) => {
    const reads = Array.from({ length: 100 }, () =>
      text(mount, '/f').catch((cause: SyscallError) => cause.code),
    )
    await mount.close()
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['x', 'EIO']))
    await refused('EIO', () => mount.read('/f', 0, undefined))
    await refused('EIO', () => mount.stat('/'))
    await mount.close()
  })
})

test('a read beyond the limit is EFBIG, and its parts are not', async () => {
  await withMount({}, 'ro', async (mount, at) => {
    writeFileSync(at('large'), Buffer.alloc(limits.fileBytesMax + 3, 'a'))
    expect((await refused('EFBIG', () => mount.read('/large', 0, undefined))).message).toMatch('`offset`')
    await refused('EFBIG', () => mount.read('/large', 0, limits.fileBytesMax + 1))
    expect(await mount.read('/large', limits.fileBytesMax, undefined)).toHaveLength(3)
  })
})

test('a write beyond the limit is EFBIG', async () => {
  await withMount({}, 'rw', async (mount) => {
    await refused('EFBIG', () => mount.write('/large', Buffer.alloc(limits.fileBytesMax + 1), 'replace'))
  })
})

test('a listing beyond the limit is EFBIG', async () => {
  await withMount({}, 'ro', async (mount, at) => {
    for (let index = 0; index <= limits.listMax; index += 1) writeFileSync(at(`${index}`), '')
    await refused('EFBIG', () => mount.list('/'))
  })
})

test('names that no guest path can hold are not listed', async () => {
  await withMount(
    { 'good.txt': 'x', 'a\\b': 'x', 'a\nb': 'x', 'e\u0301': 'x', 'a\u202eb': 'x' },
    'ro',
    async (mount) => {
      expect(await mount.list('/')).toEqual([{ name: 'good.txt', type: 'file' }])
    },
  )
})

describe('replacing a file', () => {
  test('keeps its mode and leaves no part file', async () => {
    await withMount({ f: 'old' }, 'rw', async (mount, at) => {
      chmodSync(at('f'), 0o640)
      await mount.write('/f', bytes('new'), 'replace')
      expect(statSync(at('f')).mode & 0o777).toBe(0o640)
      expect(readdirSync(at('.'))).toEqual(['f'])
    })
  })

  test('puts a new file in its place, so that a reader has the old one or the new one, whole', async () => {
    await withMount({ f: 'old' }, 'rw', async (mount, at) => {
      const before = statSync(at('f')).ino
      await mount.write('/f', bytes('new'), 'replace')
      expect(statSync(at('f')).ino).not.toBe(before)
      const large = [...'abcdefgh'].map((letter) => letter.repeat(50_000))
      await Promise.all([
        ...large.map((data) => mount.write('/f', bytes(data), 'replace')),
        ...large.map(async () => expect(['new', ...large]).toContain(await text(mount, '/f'))),
      ])
      expect(readdirSync(at('.'))).toEqual(['f'])
    })
  })

  test('works past the leftovers of a crash, which are never shown', async () => {
    await withMount({ [`${partPrefix}${process.pid}-0`]: 'torn', f: 'old' }, 'rw', async (mount) => {
      await mount.write('/f', bytes('new'), 'replace')
      expect(await tree(mount)).toEqual({ '/f': 'new' })
      await refused('ENOENT', () => mount.read(`/${partPrefix}${process.pid}-0`, 0, undefined))
    })
  })

  test.skipIf(process.getuid?.() === 0)(
    'that the host protects is EACCES (skipped as root, who may)',
    async () => {
      await withMount({ f: 'old' }, 'rw', async (mount, at) => {
        chmodSync(at('f'), 0o444)
        await refused('EACCES', () => mount.write('/f', bytes('new'), 'replace'))
        expect(readFileSync(at('f'), 'utf8')).toBe('old')
      })
    },
  )
})

test('appends that meet are all there', async () => {
  await withMount({ log: '' }, 'append', async (mount, at) => {
    await Promise.all(Array.from({ length: 50 }, () => mount.write('/log', bytes('line\n'), 'append')))
    expect(readFileSync(at('log'), 'utf8')).toBe('line\n'.repeat(50))
  })
})

test.runIf(onLinux)('no descriptor stays open, whatever is refused', async () => {
  await withMount({ 'a/b/f': 'x' }, 'rw', async (mount, at) => {
    symlinkSync('/', at('a/link'))
    const before = readdirSync('/proc/self/fd').length
    const paths = ['/a/b/f', '/a/b', '/a/b/f/x', '/nope', '/a/nope/x', '/a/link', '/a/link/etc']
    const calls = paths.flatMap((path) => [
      () => mount.read(path, 0, undefined),
      () => mount.list(path),
      () => mount.stat(path),
      () => mount.mkdir(path),
      () => mount.write(path, bytes('x'), 'append'),
      () => mount.write(`${path}/y`, bytes('x'), 'replace'),
      () => mount.move(path, '/a/b/c/d'),
      () => mount.remove(`${path}/z`, true),
    ])
    await Promise.allSettled(calls.map((call) => call()))
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })
})

test('a file does not replace a folder, least of all the one it is in', async () => {
  await withMount({ 'a/f': 'x', 'b/g': 'y' }, 'rw', async (mount) => {
    await refused('EISDIR', () => mount.move('/a/f', '/b'))
    await refused('EISDIR', () => mount.move('/a/f', '/a'))
    await refused('ENOTEMPTY', () => mount.move('/b', '/a'))
    expect(await tree(mount)).toEqual({ '/a/f': 'x', '/b/g': 'y' })
  })
})

test('whatever is done, a memory mount and the host agree', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepsOf(), { maxLength: 25 }), async (steps) => {
      await withMount({}, 'rw', async (host) => {
        const memory = new MemoryMount({ mode: 'rw', now: () => 0 })
        for (const step of steps) expect(await outcome(memory, step)).toBe(await outcome(host, step))
        expect(await tree(memory)).toEqual(await tree(host))
      })
    }),
    { numRuns: 60 },
  )
})

test('a file that the application opens by path is the file that the mount wrote', async () => {
  await withMount({}, 'rw', async (mount, at) => {
    await mount.mkdir('/out')
    await mount.write('/out/report.md', bytes('# Report'), 'replace')
    expect(readFileSync(at('out/report.md'), 'utf8')).toBe('# Report')
    await mount.remove('/out', true)
    expect(existsSync(at('out'))).toBe(false)
    mkdirSync(at('made'))
    expect(await mount.list('/')).toEqual([{ name: 'made', type: 'folder' }])
  })
})

async function outcome(mount: Mount, step: Step): Promise<string> {
  try {
    await applyStep(mount, step)
    return 'done'
  } catch (cause) {
    if (cause instanceof SyscallError) return cause.code
    throw cause
  }
}

async function withMount(
  files: Readonly<Record<string, string>>,
  mode: MountMode,
  use: (mount: HostMount, at: (name: string) => string) => Promise<void>,
): Promise<void> {
  const folder = makeHostFolder(files)
  const mount = openHostMount({ host: folder.path, mode, hidden: nothing })
  try {
    await use(mount, folder.at)
  } finally {
    await mount.close()
    folder.remove()
  }
}
