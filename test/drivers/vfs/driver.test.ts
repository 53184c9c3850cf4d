import { expect, test } from 'vitest'
import { VfsDriver } from '../../../src/drivers/vfs/driver.ts'
import { MemoryMount } from '../../../src/drivers/vfs/memory.ts'
import { Tree } from '../../../src/drivers/vfs/tree.ts'
import { Grant } from '../../../src/grant.ts'
import { refused } from '../../contracts/mount.ts'

const mint = Grant.claimMint()
const vfs = new VfsDriver()
const makeTree = (): Tree => new Tree([{ at: '/tmp', mount: new MemoryMount({ mode: 'rw', now: () => 7 }) }])
const granted = (syscall: string, ...resources: string[]): Grant =>
  grantedUntil(AbortSignal.any([]), syscall, resources)
const grantedUntil = (signal: AbortSignal, syscall: string, resources: readonly string[]): Grant =>
  mint.make(
    { pid: 1, agent: 'a', syscall, resources, addresses: [] },
    {
      signal,
      get aborted() {
        return signal.aborted
      },
    },
  )

test('nothing is done without the grant for exactly this call', async () => {
  const refuse = (act: () => unknown): void => expect(act).toThrow(/kernel invariant/)
  const tree = makeTree()
  refuse(() => vfs.read(granted('fs.read', '/tmp/b'), tree, '/tmp/a'))
  refuse(() => vfs.write(granted('fs.read', '/tmp/a'), tree, '/tmp/a', { text: 'x' }))
  refuse(() => vfs.append(granted('fs.write', '/tmp/a'), tree, '/tmp/a', { text: 'x' }))
  refuse(() => vfs.list(granted('fs.stat', '/tmp'), tree, '/tmp'))
  refuse(() => vfs.stat(granted('fs.list', '/tmp'), tree, '/tmp'))
  refuse(() => vfs.mkdir(granted('fs.mkdir', '/tmp'), tree, '/tmp/a'))
  refuse(() => vfs.remove(granted('fs.remove', '/tmp'), tree, '/tmp/a'))
  refuse(() => vfs.move(granted('fs.move', '/tmp/a'), tree, '/tmp/a', '/tmp/b'))
  refuse(() => vfs.move(granted('fs.move', '/tmp/b'), tree, '/tmp/a', '/tmp/b'))
  const over = granted('fs.mkdir', '/tmp/a')
  mint.end(over)
  refuse(() => vfs.mkdir(over, tree, '/tmp/a'))
  expect(await vfs.list(granted('fs.list', '/tmp'), tree, '/tmp')).toEqual([])
})

test('a call of a process that has ended is EINTR and does nothing', async () => {
  const tree = makeTree()
  const grant = grantedUntil(AbortSignal.abort(), 'fs.write', ['/tmp/a'])
  await refused('EINTR', () => vfs.write(grant, tree, '/tmp/a', { text: 'x' }))
  await refused('ENOENT', () => vfs.stat(granted('fs.stat', '/tmp/a'), tree, '/tmp/a'))
})

test.each([['AA'], ['AA=A'], ['AAAA\n'], ['!!!!'], ['AB=='], ['-_-_'], ['AAAA====']])(
  'base64 that is not canonical is EINVAL: %j',
  async (base64) => {
    const grant = granted('fs.write', '/tmp/a')
    await refused('EINVAL', () => vfs.write(grant, makeTree(), '/tmp/a', { base64 }))
  },
)

test('text that UTF-8 cannot carry is EINVAL', async () => {
  const grant = granted('fs.write', '/tmp/a')
  await refused('EINVAL', () => vfs.write(grant, makeTree(), '/tmp/a', { text: 'a\ud800' }))
})

test('bytes that are not text are EINVAL as text, and say how to read them', async () => {
  const tree = makeTree()
  await vfs.write(granted('fs.write', '/tmp/a'), tree, '/tmp/a', { base64: '/w==' })
  const read = granted('fs.read', '/tmp/a')
  expect((await refused('EINVAL', () => vfs.read(read, tree, '/tmp/a'))).message).toMatch('`bytes`')
  expect(await vfs.read(read, tree, '/tmp/a', { encoding: 'bytes' })).toEqual({ base64: '/w==' })
})

test('half a character is not text', async () => {
  const tree = makeTree()
  await vfs.write(granted('fs.write', '/tmp/a'), tree, '/tmp/a', { text: 'ü' })
  const read = granted('fs.read', '/tmp/a')
  await refused('EINVAL', () => vfs.read(read, tree, '/tmp/a', { length: 1 }))
  expect(await vfs.read(read, tree, '/tmp/a', { offset: 1, encoding: 'bytes' })).toEqual({ base64: 'vA==' })
})

test.each([[-1], [0.5], [Number.NaN], [2 ** 60]])('an offset or length of %d is EINVAL', async (count) => {
  const read = granted('fs.read', '/tmp/a')
  await refused('EINVAL', () => vfs.read(read, makeTree(), '/tmp/a', { offset: count }))
  await refused('EINVAL', () => vfs.read(read, makeTree(), '/tmp/a', { length: count }))
})

test('a life of a file, as JSON', async () => {
  const tree = makeTree()
  await vfs.mkdir(granted('fs.mkdir', '/tmp/a'), tree, '/tmp/a')
  expect(await vfs.write(granted('fs.write', '/tmp/a/f'), tree, '/tmp/a/f', { text: '\ufeffhé' })).toBeNull()
  await vfs.append(granted('fs.append', '/tmp/a/f'), tree, '/tmp/a/f', { base64: 'IQ==' })
  expect(await vfs.read(granted('fs.read', '/tmp/a/f'), tree, '/tmp/a/f')).toEqual({ text: '\ufeffhé!' })
  expect(await vfs.read(granted('fs.read', '/tmp/a/f'), tree, '/tmp/a/f', { offset: 3, length: 1 })).toEqual({
    text: 'h',
  })
  expect(await vfs.stat(granted('fs.stat', '/tmp/a/f'), tree, '/tmp/a/f')).toEqual({
    type: 'file',
    size: 7,
    modified: 7,
  })
  await vfs.move(granted('fs.move', '/tmp/a/f', '/tmp/g'), tree, '/tmp/a/f', '/tmp/g')
  expect(await vfs.list(granted('fs.list', '/tmp'), tree, '/tmp')).toEqual([
    { name: 'a', type: 'folder' },
    { name: 'g', type: 'file' },
  ])
  await vfs.remove(granted('fs.remove', '/tmp/a'), tree, '/tmp/a', { recursive: true })
  await vfs.remove(granted('fs.remove', '/tmp/g'), tree, '/tmp/g')
  expect(await vfs.list(granted('fs.list', '/tmp'), tree, '/tmp')).toEqual([])
  expect(vfs.isExternal(tree, '/tmp/g')).toBe(false)
})
