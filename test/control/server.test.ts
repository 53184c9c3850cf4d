/** The socket of a running kernel: there while it runs, for its owner alone, and no burden on the kernel. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { ControlClient } from '../../src/control/client.ts'
import type { KernelEvents, KernelSpace } from '../../src/index.ts'
import { ask, boot, entriesOf, kernelErrorOf, main, refusalOf, tempFolder, until } from '../support/kernel.ts'

const waits = main('await ipc.receive()')
const index = fileURLToPath(new URL('../../src/index.ts', import.meta.url))

/** A kernel that listens, its directory, and a client of it. */
function listening(dir = join(tempFolder(), '.gatehouse')) {
  const kernel = boot({ evidence: { dir } })
  return { kernel, dir, client: clientOf(dir) }
}

function clientOf(dir: string): ControlClient {
  const client = new ControlClient(dir)
  onTestFinished(() => client.close())
  return client
}

function errorsOf(kernel: KernelSpace): readonly KernelEvents['error'][] {
  const errors: KernelEvents['error'][] = []
  kernel.on('error', (error) => errors.push(error))
  return errors
}

test('folder and socket are there for their owner alone at once, and gone after the shutdown', async () => {
  const { kernel, dir, client } = listening()
  expect(lstatSync(join(dir, 'control')).mode & 0o777).toBe(0o700)
  expect(lstatSync(join(dir, 'control', 'socket')).isSocket()).toBe(true)
  const child = kernel.spawn({ source: waits }, { name: 'waiter' })
  const { kernel: about, processes } = await client.ps(false)
  expect(about).toEqual({ pid: process.pid, policy: kernel.policy })
  expect(processes).toMatchObject([{ pid: child.pid, name: 'waiter' }])
  expect(lstatSync(join(dir, 'control', 'socket')).mode & 0o777).toBe(0o600)
  await kernel.shutdown()
  expect(existsSync(join(dir, 'control'))).toBe(false)
  expect(kernel.evidence.verify().ok).toBe(true)
})

test('without a directory there is none, and asking for it is refused', async () => {
  const refused = await kernelErrorOf(() => boot({ control: true }))
  expect(refused).toMatchObject({ code: 'EINVAL' })
  expect(refused.message).toMatch(/^the option `control` of KernelSpace needs evidence in a directory/)
  const dir = tempFolder()
  boot({ evidence: { dir }, control: false })
  expect(existsSync(join(dir, 'control'))).toBe(false)
})

test('a signal is on record with who sent it, and does what it says', async () => {
  const { kernel, client } = listening()
  const child = kernel.spawn({ source: waits }, { name: 'waiter' })
  expect(await client.signal('waiter', 'SIGTERM')).toEqual({
    pid: child.pid,
    name: 'waiter',
    effect: 'ended the process',
  })
  expect((await child.exit).signal).toBe('SIGTERM')
  expect(entriesOf(kernel, 'signal')).toMatchObject([
    { signal: 'SIGTERM', by: `from a terminal (uid ${process.geteuid?.()})`, pid: child.pid },
  ])
  expect(await client.signal('waiter', 'SIGTERM').catch((error) => error)).toMatchObject({ code: 'ESRCH' })
  expect(await client.signal('1', 'SIGPOLICY').catch((error) => error)).toMatchObject({ code: 'EINVAL' })
})

test('inspect gives what the kernel gives', async () => {
  const { kernel, client } = listening()
  const child = kernel.spawn({ source: waits }, { name: 'waiter' })
  await until(() => child.state === 'waiting', 'it waits')
  const there = await client.inspect('waiter')
  expect(there.live?.inFlight).toMatchObject([{ syscall: 'ipc.receive' }])
  expect(there.live?.policy).toEqual(kernel.inspect(child.pid).live?.policy)
})

test('what is far from the root can be reached all the same', async () => {
  const far = join(
    tempFolder(),
    ...Array.from({ length: 12 }, () => 'a-folder-with-a-long-name'),
    '.gatehouse',
  )
  expect(far.length).toBeGreaterThan(200)
  const { kernel, client } = listening(far)
  expect((await client.ps(false)).processes).toEqual([])
  await kernel.shutdown()
  expect(existsSync(join(far, 'control'))).toBe(false)
})

test('where it cannot listen the kernel runs, and says so', async () => {
  const dir = tempFolder()
  writeFileSync(join(dir, 'control'), 'no folder')
  const kernel = boot({ evidence: { dir } })
  const errors = errorsOf(kernel)
  expect(await ask(kernel, 'return 1')).toBe(1)
  expect(errors).toMatchObject([{ where: 'control', error: { code: 'ENOTDIR' } }])
  await kernel.shutdown()
  expect(readFileSync(join(dir, 'control'), 'utf8')).toBe('no folder')
})

test('where something is in the way of the socket nothing is left behind that seems to listen', async () => {
  const dir = tempFolder()
  mkdirSync(join(dir, 'control', 'socket'), { recursive: true })
  const kernel = boot({ evidence: { dir } })
  const errors = errorsOf(kernel)
  expect(await ask(kernel, 'return 1')).toBe(1)
  expect(errors).toHaveLength(1)
  expect(() => new ControlClient(dir)).toThrow(/is no socket of a kernel$/)
})

test('a link in place of the folder is not followed', async () => {
  const [dir, elsewhere] = [tempFolder(), tempFolder()]
  symlinkSync(elsewhere, join(dir, 'control'))
  const kernel = boot({ evidence: { dir } })
  const errors = errorsOf(kernel)
  await until(() => errors.length > 0, 'it is told')
  expect(errors).toMatchObject([{ where: 'control', error: { code: 'ENOTDIR' } }])
  expect(existsSync(join(elsewhere, 'socket'))).toBe(false)
})

test('a folder that others could open is closed to them, and what lies in the socket’s place is replaced', async () => {
  const [dir, elsewhere] = [tempFolder(), join(tempFolder(), 'kept')]
  mkdirSync(join(dir, 'control'))
  chmodSync(join(dir, 'control'), 0o777)
  writeFileSync(elsewhere, 'kept')
  symlinkSync(elsewhere, join(dir, 'control', 'socket'))
  const { client } = listening(dir)
  expect(statSync(join(dir, 'control')).mode & 0o777).toBe(0o700)
  expect((await client.ps(false)).processes).toEqual([])
  expect(readFileSync(elsewhere, 'utf8')).toBe('kept')
})

test('it does not keep the application alive', () => {
  const script = `import { KernelSpace } from ${JSON.stringify(index)}
    const kernel = new KernelSpace({ isolation: 'inline', evidence: { dir: ${JSON.stringify(tempFolder())} } })
    kernel.on('error', ({ error }) => { throw error })`
  execFileSync(process.execPath, ['--input-type=module', '--eval', script], { timeout: 20_000 })
})

test('a kernel that was killed leaves a socket that answers nobody, and the next kernel replaces it', async () => {
  const dir = tempFolder()
  const script = `import { KernelSpace } from ${JSON.stringify(index)}
    new KernelSpace({ isolation: 'inline', evidence: { dir: ${JSON.stringify(dir)} } })
    setTimeout(() => console.log('up'), 50)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(existsSync(join(dir, 'control', 'socket'))).toBe(true)
  const stale = await clientOf(dir)
    .ps(false)
    .catch((error) => error)
  expect(stale.code).toBe('ECONNREFUSED')
  expect(stale.message).toMatch(/has ended without closing; the next one there clears that up$/)
  const { client } = listening(dir)
  expect((await client.ps(false)).processes).toEqual([])
})

test('a second kernel in the same directory is refused, and the first one still answers', async () => {
  const { dir, client } = listening()
  expect(() => boot({ evidence: { dir } })).toThrow(/another kernel writes there/)
  expect((await client.ps(false)).processes).toEqual([])
})

test('nothing of it is visible to guests, even where the kernel’s directory lies in a mount', async () => {
  const project = tempFolder()
  const dir = join(project, '.gatehouse')
  const kernel = boot({ evidence: { dir }, mounts: { '/data': { host: project, mode: 'rw' } } })
  await clientOf(dir).ps(false)
  const seen = await ask(
    kernel,
    `const names = (await fs.list('/data')).map(({ name }) => name)
     return [names, ${['list', 'stat', 'read', 'remove']
       .map((call) => refusalOf(`fs.${call}('/data/.gatehouse/control${call === 'list' ? '' : '/socket'}')`))
       .join(', ')}, ${refusalOf(`fs.write('/data/.gatehouse/control/socket', 'x')`)}]`,
  )
  expect(seen).toEqual([[], ...Array.from({ length: 5 }, () => expect.stringMatching(/^ENOENT/))])
  expect(lstatSync(join(dir, 'control', 'socket')).isSocket()).toBe(true)
})
