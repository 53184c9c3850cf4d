/** A host mount leads nowhere else, by no link, device or race. */
import { execFileSync, spawn } from 'node:child_process'
import { linkSync, lstatSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Hidden } from '../../../src/drivers/vfs/hidden.ts'
import { type HostMount, openHostMount } from '../../../src/drivers/vfs/host.ts'
import { SyscallError } from '../../../src/errors.ts'
import { refused, text } from '../../contracts/mount.ts'
import { type HostFolderForTest, makeHostFolder } from '../../support/host-folder.ts'

const onLinux = process.platform === 'linux'
const data = Buffer.from('written')
let outside: HostFolderForTest
let inside: HostFolderForTest

beforeEach(() => {
  outside = makeHostFolder({ secret: 'OUTSIDE', 'deep/secret': 'OUTSIDE' })
  inside = makeHostFolder({ 'notes.txt': 'inside', 'folder/f': 'inside' })
})
afterEach(() => {
  inside.remove()
  outside.remove()
})

describe.each(onLinux ? [true, false] : [false])('pinned: %s', (pinned) => {
  const mounted = (use: (mount: HostMount) => Promise<void>): Promise<void> => withMount(pinned, use)

  test('a link to a file is ELOOP for every call and is not listed', async () => {
    symlinkSync(outside.at('secret'), inside.at('link'))
    symlinkSync(inside.at('notes.txt'), inside.at('inner-link'))
    await mounted(async (mount) => {
      for (const path of ['/link', '/inner-link']) {
        await refused('ELOOP', () => mount.read(path, 0, undefined))
        await refused('ELOOP', () => mount.stat(path))
        await refused('ELOOP', () => mount.write(path, data, 'replace'))
        await refused('ELOOP', () => mount.write(path, data, 'append'))
        await refused('ELOOP', () => mount.remove(path, false))
        await refused('ELOOP', () => mount.move(path, '/taken'))
        await refused('ELOOP', () => mount.move('/notes.txt', path))
      }
      expect((await mount.list('/')).map(({ name }) => name)).toEqual(['folder', 'notes.txt'])
    })
    expect(readFileSync(outside.at('secret'), 'utf8')).toBe('OUTSIDE')
  })

  test('a link to a folder is ELOOP for what lies below it', async () => {
    symlinkSync(outside.path, inside.at('link'))
    symlinkSync('..', inside.at('up'))
    await mounted(async (mount) => {
      await refused('ELOOP', () => mount.list('/link'))
      await refused('ELOOP', () => mount.read('/link/secret', 0, undefined))
      await refused('ELOOP', () => mount.read('/link/deep/secret', 0, undefined))
      await refused('ELOOP', () => mount.write('/link/new', data, 'replace'))
      await refused('ELOOP', () => mount.mkdir('/link/new'))
      await refused('ELOOP', () => mount.remove('/link/deep', true))
      await refused('ELOOP', () => mount.move('/link/secret', '/taken'))
      await refused('ELOOP', () => mount.move('/notes.txt', '/link/given'))
      await refused('ELOOP', () => mount.list('/up'))
    })
    expect(readdirSync(outside.path)).toEqual(['deep', 'secret'])
  })

  test('a link that leads nowhere makes no file there', async () => {
    symlinkSync(outside.at('new'), inside.at('dangling'))
    await mounted(async (mount) => {
      await refused('ELOOP', () => mount.write('/dangling', data, 'replace'))
      await refused('ELOOP', () => mount.write('/dangling', data, 'append'))
      await refused('EEXIST', () => mount.mkdir('/dangling'))
    })
    expect(readdirSync(outside.path)).toEqual(['deep', 'secret'])
  })

  test('removing a folder with a link in it leaves the link and what it leads to', async () => {
    symlinkSync(outside.path, inside.at('folder/link'))
    await mounted(async (mount) => {
      await refused('ENOTEMPTY', () => mount.remove('/folder', true))
    })
    expect(lstatSync(inside.at('folder/link')).isSymbolicLink()).toBe(true)
    expect(readFileSync(outside.at('deep/secret'), 'utf8')).toBe('OUTSIDE')
  })

  test('a file with several links is read and not written', async () => {
    linkSync(outside.at('secret'), inside.at('hard'))
    await mounted(async (mount) => {
      await refused('EPERM', () => mount.write('/hard', data, 'replace'))
      await refused('EPERM', () => mount.write('/hard', data, 'append'))
      await refused('EPERM', () => mount.move('/notes.txt', '/hard'))
      expect(await text(mount, '/hard')).toBe('OUTSIDE')
    })
    expect(readFileSync(outside.at('secret'), 'utf8')).toBe('OUTSIDE')
  })

  test.runIf(process.platform !== 'win32')(
    'four pipes are refused, unlisted, and stall nothing',
    async () => {
      const pipes = ['p1', 'p2', 'p3', 'p4']
      for (const pipe of pipes) execFileSync('mkfifo', [inside.at(pipe)])
      await mounted(async (mount) => {
        await Promise.all([
          ...pipes.map((pipe) => refused('EPERM', () => mount.read(`/${pipe}`, 0, undefined))),
          ...pipes.map((pipe) => refused('EPERM', () => mount.write(`/${pipe}`, data, 'append'))),
          ...pipes.map((pipe) => refused('EPERM', () => mount.write(`/${pipe}`, data, 'replace'))),
          ...pipes.map((pipe) => refused('EPERM', () => mount.stat(`/${pipe}`))),
          text(mount, '/notes.txt').then((read) => expect(read).toBe('inside')),
        ])
        expect(await mount.list('/')).toHaveLength(2)
      })
    },
  )

  test('a socket is refused', async () => {
    const server = createServer().listen(inside.at('socket'))
    try {
      await new Promise((resolve) => server.once('listening', resolve))
      await mounted(async (mount) => {
        await refused('EPERM', () => mount.read('/socket', 0, undefined))
        await refused('EPERM', () => mount.write('/socket', data, 'append'))
      })
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })

  test.runIf(onLinux)('a device is refused', async () => {
    const mount = openHostMount({ host: '/dev', mode: 'ro', hidden: new Hidden([]), pinned })
    try {
      for (const device of ['/null', '/zero', '/tty']) await refused('EPERM', () => mount.read(device, 0, 1))
      expect((await mount.list('/')).map(({ name }) => name)).not.toContain('null')
    } finally {
      await mount.close()
    }
  })
})

/** Swaps a folder and a file for links to the outside and back, as fast as it can. */
const swapper = `
const { renameSync, symlinkSync, unlinkSync } = require('node:fs')
const [root, outside] = process.argv.slice(1)
process.stdout.write('ready')
for (;;) {
  renameSync(root + '/swap', root + '/aside'); symlinkSync(outside, root + '/swap')
  unlinkSync(root + '/swap'); renameSync(root + '/aside', root + '/swap')
  renameSync(root + '/file', root + '/file-aside'); symlinkSync(outside + '/secret', root + '/file')
  unlinkSync(root + '/file'); renameSync(root + '/file-aside', root + '/file')
}`

test.runIf(onLinux)('a swap between check and open never leads out', async () => {
  const root = makeHostFolder({ 'swap/secret': 'inside', 'swap/deep/secret': 'inside', file: 'inside' })
  const child = spawn(process.execPath, ['-e', swapper, root.path, outside.path])
  const mount = openHostMount({ host: root.path, mode: 'rw', hidden: new Hidden([]) })
  const seen = new Map<string, number>()
  const note = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
  const attempt = async (act: () => Promise<string>): Promise<void> => {
    try {
      note(await act())
    } catch (cause) {
      if (!(cause instanceof SyscallError)) throw cause
      note(cause.code)
    }
  }
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve))
    for (let round = 0; round < 400; round += 1) {
      await Promise.all([
        attempt(() => text(mount, '/swap/secret')),
        attempt(() => text(mount, '/swap/deep/secret')),
        attempt(() => text(mount, '/file')),
        attempt(async () => (await mount.list('/swap')).map(({ name }) => name).join()),
        attempt(async () => `${(await mount.write('/swap/planted', data, 'append')) ?? 'planted'}`),
        attempt(async () => `${(await mount.mkdir(`/swap/made-${round}`)) ?? 'made'}`),
        attempt(async () => `${(await mount.remove('/swap/planted', false)) ?? 'removed'}`),
      ])
    }
  } finally {
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    await mount.close()
    root.remove()
  }
  expect([...seen.keys()].filter((what) => what.includes('OUTSIDE'))).toEqual([])
  expect(seen.get('inside')).toBeGreaterThan(0)
  expect(readdirSync(outside.path)).toEqual(['deep', 'secret'])
  expect(readFileSync(outside.at('secret'), 'utf8')).toBe('OUTSIDE')
})

test.runIf(process.platform !== 'win32')(
  'a refused read of a pipe is not noticed at its other end',
  async () => {
    execFileSync('mkfifo', [inside.at('pipe')])
    const writer = spawn('sh', ['-c', 'echo open > "$1"', 'sh', inside.at('pipe')])
    try {
      await sleep(100)
      await withMount(onLinux, async (mount) => {
        await refused('EPERM', () => mount.read('/pipe', 0, undefined))
      })
      await sleep(100)
      expect(writer.exitCode).toBeNull()
    } finally {
      writer.kill('SIGKILL')
      await new Promise((resolve) => writer.once('exit', resolve))
    }
  },
)

async function withMount(pinned: boolean, use: (mount: HostMount) => Promise<void>): Promise<void> {
  const mount = openHostMount({ host: inside.path, mode: 'rw', hidden: new Hidden([]), pinned })
  try {
    await use(mount)
  } finally {
    await mount.close()
  }
}
