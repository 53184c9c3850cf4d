import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Hidden } from '../../../src/drivers/vfs/hidden.ts'
import { Homes } from '../../../src/drivers/vfs/homes.ts'
import {
  kernelFolders,
  makeTemporary,
  openMounts,
  readMountPoint,
  standardTree,
  type Views,
} from '../../../src/drivers/vfs/layout.ts'
import { Room } from '../../../src/drivers/vfs/quota.ts'
import type { Tree } from '../../../src/drivers/vfs/tree.ts'
import { KernelError } from '../../../src/errors.ts'
import { limits } from '../../../src/limits.ts'
import { refused } from '../../contracts/mount.ts'
import { makeHostFolder } from '../../support/host-folder.ts'
import { viewOfFiles } from '../../support/view-of-files.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const now = (): number => 7
const view = (name: string) => viewOfFiles(() => new Map([[`/${name}`, name]]))
const views: Views = {
  audit: view('log'),
  ipc: viewOfFiles(() => new Map()),
  policy: view('policy.yaml'),
  proc: view('1'),
  tools: view('send.json'),
}
const nothing = new Hidden([])
const treeOf = (homes: Homes, agent: string, mounts = openMounts({}, nothing)): Tree =>
  standardTree({ home: homes.of(agent), temporary: makeTemporary(now), views, mounts })
const read = async (tree: Tree, path: string): Promise<string> =>
  Buffer.from(await tree.read(path, 0, undefined)).toString()

describe('a mount point is refused', () => {
  test.each([
    ...kernelFolders.flatMap((folder) => [folder, `${folder}/`, `${folder}/below`, `/x/..${folder}`]),
    '/',
    '//',
    '/..',
    'workspace',
    './workspace',
    '',
    '/a\\b',
    '/a\0',
    '/e\u0301',
  ])('%j', (at) => {
    expect(() => readMountPoint(at)).toThrow(KernelError)
    expect(() => openMounts({ [at]: { host: '.' } }, nothing)).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    )
  })
  test('where another is already, however it is spelled', () => {
    expect(() => openMounts({ '/w': { host: '.' }, '/x/../w/': { host: '.' } }, nothing)).toThrow(
      'two mounts at `/w`',
    )
  })
})

test('a mount beside the kernel’s folders is accepted', () => {
  for (const at of ['/workspace', '/memory', '/tmpfiles', '/data/tmp', '/Policy'])
    expect(readMountPoint(at)).toBe(at)
})

test.runIf(process.platform === 'linux')('one bad mount leaves none open', async () => {
  const folder = makeHostFolder()
  const before = readdirSync('/proc/self/fd').length
  const mounts = { '/a': { host: folder.path }, '/b': { host: folder.at('missing') } }
  expect(() => openMounts(mounts, nothing)).toThrow(KernelError)
  await new Promise((resolve) => setImmediate(resolve))
  expect(readdirSync('/proc/self/fd').length).toBe(before)
  folder.remove()
})

test('a host folder is read-only unless said', async () => {
  const folder = makeHostFolder({ f: 'host' })
  const mounts = openMounts(
    {
      '/workspace': { host: folder.path, labels: ['confidential'] },
      '/out': { host: folder.path, mode: 'rw' },
    },
    nothing,
  )
  const tree = treeOf(new Homes(now), 'a', mounts)
  expect(await read(tree, '/workspace/f')).toBe('host')
  expect(tree.resolve('/workspace/f')).toMatchObject({ labels: ['confidential'], mount: { external: true } })
  await refused('EROFS', () => tree.write('/workspace/f', bytes('x'), 'replace'))
  await tree.write('/out/g', bytes('new'), 'replace')
  expect(await read(tree, '/workspace/g')).toBe('new')
  await Promise.all(mounts.map(({ mount }) => mount.close()))
  folder.remove()
})

test('the tree of a process holds what the design says', async () => {
  const tree = treeOf(new Homes(now), 'a')
  const names = async (path: string): Promise<string[]> => (await tree.list(path)).map(({ name }) => name)
  expect(await names('/')).toEqual(kernelFolders.map((folder) => folder.slice(1)))
  expect(await names('/mem')).toEqual(['episodic', 'procedural', 'semantic', 'working'])
  expect(await names('/state')).toEqual(['checkpoints'])
  expect(await names('/ipc')).toEqual([])
  expect(await read(tree, '/policy/policy.yaml')).toBe('policy.yaml')
})

test('nobody writes what only the kernel writes', async () => {
  const tree = treeOf(new Homes(now), 'a')
  for (const folder of ['/audit', '/ipc', '/policy', '/proc', '/tools']) {
    await refused('EROFS', () => tree.write(`${folder}/x`, bytes('x'), 'replace'))
    await refused('EROFS', () => tree.write(`${folder}/x`, bytes('x'), 'append'))
    await refused('EROFS', () => tree.mkdir(`${folder}/x`))
    await refused('EROFS', () => tree.remove(`${folder}/x`, true))
    await refused('EROFS', () => tree.move(`${folder}/x`, `${folder}/y`))
    await refused('EBUSY', () => tree.remove(folder, true))
  }
})

test('/mem and /state outlive the process and belong to the name; /tmp is its alone', async () => {
  const homes = new Homes(now)
  const first = treeOf(homes, 'a')
  for (const path of ['/mem/working/f', '/mem/episodic/f', '/state/checkpoints/f', '/tmp/f']) {
    await first.write(path, bytes('kept'), 'replace')
  }
  const second = treeOf(homes, 'a')
  const other = treeOf(homes, 'b')
  for (const path of ['/mem/working/f', '/mem/episodic/f', '/state/checkpoints/f']) {
    expect(await read(second, path)).toBe('kept')
    await refused('ENOENT', () => read(other, path))
  }
  await refused('ENOENT', () => read(second, '/tmp/f'))
})

test('/mem/episodic only grows, and the folders of the layout stay', async () => {
  const tree = treeOf(new Homes(now), 'a')
  await tree.write('/mem/episodic/log', bytes('one '), 'append')
  await tree.write('/mem/episodic/log', bytes('two'), 'append')
  await refused('EPERM', () => tree.write('/mem/episodic/log', bytes('x'), 'replace'))
  await refused('EPERM', () => tree.remove('/mem/episodic/log', false))
  await refused('EXDEV', () => tree.move('/mem/episodic/log', '/mem/working/log'))
  expect(await read(tree, '/mem/episodic/log')).toBe('one two')
  for (const path of ['/mem/working', '/mem/semantic', '/mem/procedural', '/state/checkpoints']) {
    await refused('EBUSY', () => tree.remove(path, true))
  }
  await tree.write('/mem/working/f', bytes('x'), 'replace')
  await tree.move('/mem/working/f', '/mem/semantic/f')
})

test('all of an agent’s memory counts against one quota, and /tmp against its own', async () => {
  const tree = treeOf(new Homes(now), 'a')
  const full = Buffer.alloc(limits.fileBytesMax)
  const folders = ['/mem/working', '/mem/episodic', '/state', '/mem/semantic']
  for (const folder of folders) await tree.write(`${folder}/f`, full, 'replace')
  await refused('EDQUOT', () => tree.write('/state/checkpoints/g', bytes('x'), 'replace'))
  await tree.write('/tmp/f', full, 'replace')
})

test('the files of all names take no more than their room, and what one frees another can use', async () => {
  const fits = 3 * (1_000 + limits.homesFileBytes)
  const layout = 2 * 4 * limits.homesFileBytes
  const homes = new Homes(now, new Room(layout + fits))
  const [first, second] = [treeOf(homes, 'a'), treeOf(homes, 'b')]
  const full = bytes('x'.repeat(1_000))
  await first.write('/mem/working/f', full, 'replace')
  await first.write('/state/f', full, 'replace')
  await second.write('/mem/episodic/f', full, 'append')
  await refused('ENOSPC', () => second.write('/mem/working/g', bytes(''), 'replace'))
  await refused('ENOSPC', () => second.mkdir('/state/folder'))
  await refused('ENOSPC', () => second.write('/mem/episodic/f', bytes('x'), 'append'))
  await expect(async () => first.write('/state/g', bytes('x'), 'replace')).rejects.toThrow(
    'the files of all agents would pass',
  )
  // What is no agent's own is not counted, and a name that comes later has its layout.
  await second.write('/tmp/f', full, 'replace')
  expect((await treeOf(homes, 'c').list('/mem')).length).toBeGreaterThan(2)
  await first.write('/mem/working/f', bytes(''), 'replace')
  await first.remove('/state/f', false)
  for (let name = 0; name < 3; name += 1)
    await refused('ENOSPC', () => second.write(`/state/${'x'.repeat(name + 1)}`, full, 'replace'))
})
