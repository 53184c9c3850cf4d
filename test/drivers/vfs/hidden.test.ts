/** The kernel's own files are absent from every mount. */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Hidden } from '../../../src/drivers/vfs/hidden.ts'
import { type HostMount, openHostMount } from '../../../src/drivers/vfs/host.ts'
import { KernelError } from '../../../src/errors.ts'
import { refused, text } from '../../contracts/mount.ts'
import { type HostFolderForTest, makeHostFolder } from '../../support/host-folder.ts'

const data = Buffer.from('written')
let project: HostFolderForTest

beforeEach(() => {
  project = makeHostFolder({
    'readme.md': 'shown',
    'sub/.gatehouse/log-0.jsonl': 'record',
    'sub/.gatehouse/keys/key': 'key',
    'policy.yaml': 'version: 1',
  })
})
afterEach(() => project.remove())

test('a hidden folder is absent: unlisted, ENOENT to read, and its name cannot be taken', async () => {
  await withMount(['sub/.gatehouse', 'policy.yaml'], async (mount) => {
    expect(await mount.list('/')).toEqual([
      { name: 'readme.md', type: 'file' },
      { name: 'sub', type: 'folder' },
    ])
    expect(await mount.list('/sub')).toEqual([])
    for (const path of ['/policy.yaml', '/sub/.gatehouse']) {
      await refused('ENOENT', () => mount.read(path, 0, undefined))
      await refused('ENOENT', () => mount.stat(path))
      await refused('ENOENT', () => mount.list(path))
      await refused('ENOENT', () => mount.remove(path, true))
      await refused('ENOENT', () => mount.move(path, '/taken'))
      await refused('EPERM', () => mount.write(path, data, 'replace'))
      await refused('EPERM', () => mount.write(path, data, 'append'))
      await refused('EPERM', () => mount.mkdir(path))
      await refused('EPERM', () => mount.move('/readme.md', path))
    }
    await refused('ENOENT', () => mount.read('/sub/.gatehouse/log-0.jsonl', 0, undefined))
    await refused('ENOENT', () => mount.write('/sub/.gatehouse/new', data, 'replace'))
  })
})

test('a folder above a hidden one is neither moved nor removed', async () => {
  await withMount(['sub/.gatehouse'], async (mount) => {
    await refused('EBUSY', () => mount.move('/sub', '/other'))
    await refused('EBUSY', () => mount.remove('/sub', true))
    expect(readFileSync(project.at('sub/.gatehouse/keys/key'), 'utf8')).toBe('key')
  })
})

test('a hidden file stays hidden under another name', async () => {
  linkSync(project.at('sub/.gatehouse/keys/key'), project.at('alias'))
  symlinkSync(project.at('sub/.gatehouse'), project.at('link'))
  await withMount(['sub/.gatehouse', 'sub/.gatehouse/keys/key'], async (mount) => {
    expect((await mount.list('/')).map(({ name }) => name)).toEqual(['policy.yaml', 'readme.md', 'sub'])
    await refused('ENOENT', () => mount.read('/alias', 0, undefined))
    await refused('EPERM', () => mount.write('/alias', data, 'append'))
    await refused('ELOOP', () => mount.list('/link'))
  })
})

test('a hidden file stays hidden when it is replaced, or made after the mount', async () => {
  await withMount(['policy.yaml', 'control.sock'], async (mount) => {
    writeFileSync(project.at('edited'), 'version: 2')
    renameSync(project.at('edited'), project.at('policy.yaml'))
    writeFileSync(project.at('control.sock'), '')
    await refused('ENOENT', () => mount.read('/policy.yaml', 0, undefined))
    await refused('ENOENT', () => mount.read('/control.sock', 0, undefined))
    expect((await mount.list('/')).map(({ name }) => name)).toEqual(['readme.md', 'sub'])
  })
})

test('what a link hides by is hidden as well', async () => {
  symlinkSync(project.at('policy.yaml'), project.at('current.yaml'))
  await withMount(['current.yaml'], async (mount) => {
    await refused('ENOENT', () => mount.read('/current.yaml', 0, undefined))
    await refused('ENOENT', () => mount.read('/policy.yaml', 0, undefined))
  })
})

test('a hidden folder, or one in it, cannot be mounted, by no path', () => {
  symlinkSync(project.at('sub/.gatehouse'), project.at('link'))
  mkdirSync(project.at('sub/.gatehouse/deep'))
  const hidden = new Hidden([project.at('sub/.gatehouse')])
  for (const name of [
    'sub/.gatehouse',
    'sub/.gatehouse/keys',
    'sub/.gatehouse/deep',
    'link',
    'link/keys',
    'sub/../link',
  ]) {
    expect(() => openHostMount({ host: project.at(name), mode: 'ro', hidden })).toThrow(KernelError)
  }
})

test('what is not hidden is served as ever', async () => {
  await withMount(['sub/.gatehouse', 'nowhere/at/all'], async (mount) => {
    expect(await text(mount, '/policy.yaml')).toBe('version: 1')
    await mount.write('/sub/new', data, 'replace')
    await mount.remove('/sub/new', false)
    expect(existsSync(project.at('sub/new'))).toBe(false)
  })
})

async function withMount(hidden: readonly string[], use: (mount: HostMount) => Promise<void>): Promise<void> {
  const mount = openHostMount({
    host: project.path,
    mode: 'rw',
    hidden: new Hidden(hidden.map((name) => project.at(name))),
  })
  try {
    await use(mount)
  } finally {
    await mount.close()
  }
}

test('the default folder of any kernel is absent wherever it lies, by its name', async () => {
  await withMount([], async (mount) => {
    expect(await mount.list('/sub')).toEqual([])
    await refused('ENOENT', () => mount.read('/sub/.gatehouse/keys/key', 0, undefined))
    await refused('ENOENT', () => mount.stat('/sub/.gatehouse'))
  })
})
