import { expect, test } from 'vitest'
import { VirtualMount } from '../../../src/drivers/vfs/virtual.ts'
import { limits } from '../../../src/limits.ts'
import { mountContract, refused, text } from '../../contracts/mount.ts'
import { viewOfFiles } from '../../support/view-of-files.ts'

mountContract(
  'virtual',
  ({ files }) => ({
    mount: new VirtualMount(viewOfFiles(() => new Map(Object.entries(files)))),
    close: () => undefined,
  }),
  { changes: 'a virtual mount is read-only for everyone' },
)

test('what is read is computed anew each time', async () => {
  let count = 0
  const mount = new VirtualMount((path) => {
    if (path === '/') return { type: 'folder', entries: [{ name: 'count', type: 'file' }] }
    count += 1
    return path === '/count' ? { type: 'file', text: String(count), modified: 5 } : undefined
  })
  expect([await text(mount, '/count'), await text(mount, '/count')]).toEqual(['1', '2'])
  expect(await mount.stat('/count')).toEqual({ type: 'file', size: 1, modified: 5 })
})

test('a read of more than the limit is EFBIG and says how to read it in parts', async () => {
  const large = 'x'.repeat(limits.fileBytesMax + 1)
  const mount = new VirtualMount(viewOfFiles(() => new Map([['/large', large]])))
  expect((await refused('EFBIG', () => mount.read('/large', 0, undefined))).message).toMatch(
    '`offset` and `length`',
  )
  expect(await mount.read('/large', 1, undefined)).toHaveLength(limits.fileBytesMax)
})

test('an empty view is an empty root', async () => {
  const mount = new VirtualMount(viewOfFiles(() => new Map()))
  expect(await mount.list('/')).toEqual([])
})
