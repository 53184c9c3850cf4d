import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryMount } from '../../../src/drivers/vfs/memory.ts'
import { inFolder } from '../../../src/drivers/vfs/path.ts'
import { Quota } from '../../../src/drivers/vfs/quota.ts'
import { SyscallError } from '../../../src/errors.ts'
import { limits } from '../../../src/limits.ts'
import { mountContract, refused, text } from '../../contracts/mount.ts'
import { applyStep, stepsOf } from '../../support/mount-steps.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const now = (): number => 1_000

mountContract('memory', ({ mode, files }) => ({
  mount: new MemoryMount({ mode, now, files }),
  close: () => undefined,
}))

test('a write beyond the quota is EDQUOT and changes neither file nor count', async () => {
  const quota = new Quota(10, 3)
  const mount = new MemoryMount({ mode: 'rw', now, quota })
  mount.write('/a', bytes('12345'), 'replace')
  await refused('EDQUOT', () => mount.write('/b', bytes('123456'), 'replace'))
  await refused('EDQUOT', () => mount.write('/a', bytes('123456'), 'append'))
  await refused('EDQUOT', () => mount.write('/a', bytes('12345678901'), 'replace'))
  expect(await text(mount, '/a')).toBe('12345')
  expect(mount.list('/')).toEqual([{ name: 'a', type: 'file' }])
  expect(quota.used).toEqual({ bytes: 5, files: 1 })
  mount.write('/a', bytes('1234567890'), 'replace')
  expect(quota.used).toEqual({ bytes: 10, files: 1 })
})

test('files and folders are counted too', async () => {
  const quota = new Quota(10, 2)
  const mount = new MemoryMount({ mode: 'rw', now, quota })
  mount.mkdir('/a')
  mount.write('/a/b', bytes(''), 'replace')
  await refused('EDQUOT', () => mount.mkdir('/c'))
  await refused('EDQUOT', () => mount.write('/c', bytes(''), 'append'))
  mount.remove('/a', true)
  expect(quota.used).toEqual({ bytes: 0, files: 0 })
})

test('mounts that share a quota fill it together', async () => {
  const quota = new Quota(10, 10)
  const first = new MemoryMount({ mode: 'rw', now, quota })
  const second = new MemoryMount({ mode: 'append', now, quota })
  first.write('/a', bytes('123456'), 'replace')
  await refused('EDQUOT', () => second.write('/a', bytes('12345'), 'append'))
  first.remove('/a', false)
  second.write('/a', bytes('12345'), 'append')
  expect(quota.used).toEqual({ bytes: 5, files: 1 })
})

test('one file holds no more than its limit', async () => {
  const mount = new MemoryMount({ mode: 'rw', now })
  mount.write('/a', Buffer.alloc(limits.fileBytesMax), 'replace')
  await refused('EFBIG', () => mount.write('/a', bytes('x'), 'append'))
  await refused('EFBIG', () => mount.write('/b', Buffer.alloc(limits.fileBytesMax + 1), 'replace'))
})

test('folders of the layout stay, and so do those above them', async () => {
  const mount = new MemoryMount({ mode: 'rw', now, folders: ['/a', '/a/b'] })
  for (const path of ['/a', '/a/b']) {
    await refused('EBUSY', () => mount.remove(path, true))
    await refused('EBUSY', () => mount.move(path, '/c'))
  }
  mount.mkdir('/c')
  await refused('EBUSY', () => mount.move('/c', '/a/b'))
  mount.write('/a/b/file', bytes('x'), 'replace')
  mount.remove('/a/b/file', false)
})

test('moves never make a tree deeper than a path can be long', async () => {
  const mount = new MemoryMount({ mode: 'rw', now })
  const tower = '/a'.repeat(300)
  for (let depth = 1; depth <= 300; depth += 1) mount.mkdir('/a'.repeat(depth))
  mount.mkdir('/b')
  for (let depth = 2; depth <= 300; depth += 1) mount.mkdir('/b'.repeat(depth))
  await refused('ENAMETOOLONG', () => mount.move('/b', `${tower}/b`))
  expect(mount.stat('/b'.repeat(300)).type).toBe('folder')
  mount.move('/b'.repeat(150), `${tower}/b`)
  mount.remove('/a', true)
  expect(mount.list('/')).toEqual([{ name: 'b', type: 'folder' }])
})

test('times are the kernel’s, and a move keeps the file’s own', () => {
  let time = 5
  const mount = new MemoryMount({ mode: 'rw', now: () => time })
  mount.write('/a', bytes('x'), 'replace')
  time = 2_500
  mount.move('/a', '/b')
  expect(mount.stat('/b').modified).toBe(5)
  expect(mount.stat('/').modified).toBe(2_500)
  mount.write('/b', bytes('y'), 'append')
  expect(mount.stat('/b').modified).toBe(2_500)
})

test('whatever is done, and refused, the count equals what is there', () => {
  fc.assert(
    fc.property(fc.array(stepsOf(), { maxLength: 40 }), (steps) => {
      const quota = new Quota(40, 6)
      const mount = new MemoryMount({ mode: 'rw', now, quota })
      for (const step of steps) {
        const before = quota.used
        try {
          void applyStep(mount, step)
        } catch (cause) {
          if (!(cause instanceof SyscallError)) throw cause
          expect(quota.used).toEqual(before)
        }
        expect(quota.used).toEqual(recount(mount, '/'))
        expect(quota.used.bytes).toBeLessThanOrEqual(40)
        expect(quota.used.files).toBeLessThanOrEqual(6)
      }
    }),
    { numRuns: 300 },
  )
})

function recount(mount: MemoryMount, folder: string): { bytes: number; files: number } {
  const total = { bytes: 0, files: 0 }
  for (const { name, type } of mount.list(folder)) {
    const path = inFolder(folder, name)
    const below = type === 'folder' ? recount(mount, path) : { bytes: mount.stat(path).size, files: 0 }
    total.bytes += below.bytes
    total.files += below.files + 1
  }
  return total
}
