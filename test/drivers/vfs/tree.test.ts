import { expect, test } from 'vitest'
import { MemoryMount } from '../../../src/drivers/vfs/memory.ts'
import { Tree } from '../../../src/drivers/vfs/tree.ts'
import { VirtualMount } from '../../../src/drivers/vfs/virtual.ts'
import { refused } from '../../contracts/mount.ts'
import { viewOfFiles } from '../../support/view-of-files.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const memory = (files: Readonly<Record<string, string>> = {}): MemoryMount =>
  new MemoryMount({ mode: 'rw', now: () => 7, files })
const read = async (tree: Tree, path: string): Promise<string> =>
  Buffer.from(await tree.read(path, 0, undefined)).toString()

test('the longest mount point wins, at whole names only', async () => {
  const tree = new Tree([
    { at: '/work', mount: memory({ '/f': 'work', '/sub/f': 'beneath' }) },
    { at: '/workspace', mount: memory({ '/f': 'workspace' }), labels: ['confidential'] },
    { at: '/work/sub', mount: memory({ '/f': 'sub' }) },
  ])
  expect(await read(tree, '/work/f')).toBe('work')
  expect(await read(tree, '/workspace/f')).toBe('workspace')
  expect(await read(tree, '/work/sub/f')).toBe('sub')
  expect(tree.resolve('/workspace/a/b')).toMatchObject({
    path: '/a/b',
    at: '/workspace',
    labels: ['confidential'],
  })
  expect(tree.resolve('/work')).toMatchObject({ path: '/', at: '/work', labels: [] })
  await refused('ENOENT', () => read(tree, '/works/f'))
})

test('what no mount covers is read-only, and says where there is something', async () => {
  const tree = new Tree([{ at: '/tmp', mount: memory() }])
  const refusal = await refused('EROFS', () => tree.write('/f', bytes('x'), 'replace'))
  expect(refusal.message).toMatch('`/tmp`')
  await refused('EROFS', () => tree.mkdir('/new'))
  await refused('EROFS', () => tree.remove('/f', false))
  await refused('EISDIR', () => tree.write('/', bytes('x'), 'replace'))
  await refused('EISDIR', () => tree.read('/', 0, undefined))
  await refused('ENOENT', () => tree.list('/nope'))
})

test('a listing shows the mount points in it, and folders that lead to one', async () => {
  const tree = new Tree([
    { at: '/mem', mount: memory({ '/a': 'x', '/episodic': 'a file beneath a mount' }) },
    { at: '/mem/episodic', mount: memory() },
    { at: '/data/one/deep', mount: memory() },
    { at: '/mem/far/off', mount: memory() },
  ])
  expect(await tree.list('/')).toEqual([
    { name: 'data', type: 'folder' },
    { name: 'mem', type: 'folder' },
  ])
  expect(await tree.list('/mem')).toEqual([
    { name: 'a', type: 'file' },
    { name: 'episodic', type: 'folder' },
    { name: 'far', type: 'folder' },
  ])
  expect(await tree.list('/mem/far')).toEqual([{ name: 'off', type: 'folder' }])
  expect(await tree.list('/data')).toEqual([{ name: 'one', type: 'folder' }])
  for (const folder of ['/', '/data', '/data/one', '/mem/far', '/mem']) {
    expect(await tree.stat(folder)).toMatchObject({ type: 'folder' })
  }
  await refused('EEXIST', () => tree.mkdir('/mem/far'))
  await refused('EISDIR', () => tree.write('/mem/far', bytes('x'), 'replace'))
})

test('a mount point, and a folder above one, is neither removed nor moved', async () => {
  const tree = new Tree([
    { at: '/mem', mount: memory({ '/kept/x': 'x' }) },
    { at: '/mem/kept/deep', mount: memory() },
  ])
  for (const path of ['/', '/mem', '/mem/kept', '/mem/kept/deep']) {
    await refused('EBUSY', () => tree.remove(path, true))
    await refused('EBUSY', () => tree.move(path, '/mem/other'))
    await refused('EBUSY', () => tree.move('/mem/kept/x', path))
  }
  expect(await read(tree, '/mem/kept/x')).toBe('x')
})

test('a move between mounts is EXDEV, even where both are one device', async () => {
  const mount = memory({ '/f': 'x' })
  const tree = new Tree([
    { at: '/a', mount },
    { at: '/b', mount },
  ])
  expect((await refused('EXDEV', () => tree.move('/a/f', '/b/g'))).message).toMatch('write a copy')
  await tree.move('/a/f', '/a/g')
  expect(await read(tree, '/b/g')).toBe('x')
})

test('an effect in memory is not external', () => {
  const tree = new Tree([
    { at: '/tmp', mount: memory() },
    { at: '/proc', mount: new VirtualMount(viewOfFiles(() => new Map())) },
  ])
  for (const path of ['/', '/tmp/x', '/proc/x']) expect(tree.resolve(path).mount.external).toBe(false)
})

test('a tree with two mounts at one point, or one at the root, is a mistake of ours', () => {
  expect(() => new Tree([{ at: '/', mount: memory() }])).toThrow('kernel invariant')
  expect(
    () =>
      new Tree([
        { at: '/a', mount: memory() },
        { at: '/a', mount: memory() },
      ]),
  ).toThrow('kernel invariant')
})
