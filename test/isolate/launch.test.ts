/** What is taken from the process of a cell, tried out by code that runs in its place. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findCellFiles, permissionFlags } from '../../src/isolate/cell-files.ts'
import { findTool } from '../../src/isolate/confine.ts'
import { assertJail, countsProcesses, type Jail } from '../../src/isolate/jail.ts'
import { type Launched, launchCell, protectionsOf } from '../../src/isolate/launch.ts'
import { limits } from '../../src/limits.ts'
import { isGone, linesOf, nicesOf, openFilesOf, stateOf } from '../support/cell-process-state.ts'
import { boot, entriesOf, main, tempFolder, until } from '../support/kernel.ts'

const program = (name: string): string => fileURLToPath(new URL(`../support/${name}.ts`, import.meta.url))
const onLinux = process.platform === 'linux'
const nodeMajor = Number(process.versions.node.split('.')[0])
const hasNetPermission = process.allowedNodeEnvironmentFlags.has('--allow-net')
const worksHere = (jail: Jail): boolean => {
  try {
    assertJail(jail)
    return true
  } catch {
    return false
  }
}
/** Where bubblewrap is not installed, what it does is not tested. */
const jails: readonly Jail[] = worksHere('bubblewrap') ? ['none', 'bubblewrap'] : ['none']

const children = new Set<ChildProcess>()
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  children.clear()
})

function launch(jail: Jail, ...of: readonly string[]): Launched & { readonly pipe: Readable } {
  const launched = launchCell({ jail, ...(of.length > 0 && { program: of }) })
  children.add(launched.child)
  return { ...launched, pipe: launched.child.stdio[3] as Readable }
}

/** A cell that is ready for guests. */
async function launchReady(jail: Jail) {
  const launched = launch(jail)
  await once(launched.pipe, 'data')
  const pid = launched.pid()
  if (pid === undefined) throw new Error('a cell that is ready has no pid')
  return { ...launched, pid }
}

let server: Server
beforeAll(async () => {
  server = createServer((_, response) => response.end('reached')).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => server.close())

/** What the attempts of test/support/cell-attempts.ts came to. */
async function attempt(jail: Jail) {
  const folder = tempFolder()
  const file = join(folder, 'file')
  writeFileSync(file, 'of the host')
  const { port } = server.address() as AddressInfo
  const { child, pipe } = launch(jail, program('cell-attempts'), String(port), file, String(process.pid))
  let text = ''
  pipe.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  const report = JSON.parse(text) as Record<'before' | 'after', Record<string, string>> & {
    readonly environment: readonly string[]
    readonly cwd: string
  }
  return { ...report, left: readdirSync(folder) }
}

const denied = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, 'ERR_ACCESS_DENIED']))
const network = ['connect', 'listen', 'fetch a page', 'resolve a name', 'send a datagram']

describe.each(jails)('a cell with the jail `%s`', (jail) => {
  test('has no files, no children, no workers, no inspector; the rest is as the documentation says', async () => {
    const { before, after, environment, cwd, left } = await attempt(jail)
    expect(before).toMatchObject({
      ...denied(['read a file', 'read its environment', 'ask for a file', 'ask whether a file exists']),
      ...denied([
        'list a folder',
        'open a file',
        'write a file',
        'load a variable file',
        'change the folder',
      ]),
      ...denied(['write a heap snapshot', 'write a report', 'mount a folder for WASI']),
      ...denied(['run a command', 'run a command and wait', 'fork itself', 'start a worker']),
      ...denied(['use a binding of Node.js', 'open the inspector', 'inspect itself']),
      'import other code': jail === 'none' ? 'ERR_ACCESS_DENIED' : 'ERR_MODULE_NOT_FOUND',
      'open a database': 'ERR_UNKNOWN_BUILTIN_MODULE',
      'raise its priority': 'ERR_SYSTEM_ERROR',
      // What is not refused: a cell that was taken over may do it to itself.
      'set flags of V8': 'done',
    })
    const reached = Object.fromEntries(network.map((name) => [name, before[name]]))
    if (hasNetPermission) expect(reached).toEqual(denied(network))
    else if (jail === 'none')
      expect(reached).toEqual(Object.fromEntries(network.map((name) => [name, 'done'])))
    else
      expect(reached).toMatchObject({
        connect: 'ECONNREFUSED',
        'fetch a page': 'ECONNREFUSED',
        'resolve a name': 'EAI_AGAIN',
      })
    expect(before['signal the kernel']).toBe(jail === 'none' ? 'done' : 'ESRCH')
    // Node.js 22 cannot give back what a cell needed to begin.
    expect(after).toMatchObject(
      nodeMajor < 24
        ? { 'read its own program': 'done' }
        : denied(['read its own program', 'load a library']),
    )
    expect({ environment: environment.filter((name) => name !== 'PWD'), cwd, left }).toEqual({
      environment: ['LANG', 'LC_ALL', 'TZ'],
      cwd: '/',
      left: ['file'],
    })
    if (jail === 'none') expect(environment).not.toContain('PWD')
  })

  test.runIf(onLinux)('has a lower priority in all threads, and few resources', async () => {
    const { pid, protections } = await launchReady(jail)
    expect(protections).toMatchObject({ permissions: true, priority: true, resources: true, jail })
    const [own = 0] = nicesOf(process.pid)
    const nices = nicesOf(pid)
    expect(nices.length).toBeGreaterThan(3)
    expect(new Set(nices)).toEqual(new Set([Math.min(19, own + limits.cellNice)]))
    const of = linesOf(pid, 'limits')
    expect(of.get('Max core file size')).toBe('0 0')
    expect(of.get('Max file size')).toBe('0 0')
    expect(of.get('Max open files')).toBe(`${limits.cellFilesMax} ${limits.cellFilesMax}`)
    if (jail === 'bubblewrap' && countsProcesses() && findTool('prlimit') !== undefined)
      expect(of.get('Max processes')).toBe(`${limits.cellThreadsMax} ${limits.cellThreadsMax}`)
  })

  test.runIf(onLinux && findTool('setpriv') !== undefined)('has no privileges and gets none', async () => {
    const { pid, protections } = await launchReady(jail)
    expect(protections).toMatchObject({ noNewPrivileges: true, noCapabilities: true, parentDeath: true })
    const status = linesOf(pid, 'status')
    expect(status.get('NoNewPrivs')).toBe('1')
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      expect([set, status.get(set)]).toEqual([set, '0'.repeat(16)])
    if (process.getuid?.() === 0) expect(status.get('CapBnd')).toBe('0'.repeat(16))
  })

  test.runIf(onLinux && findTool('setpriv') !== undefined)(
    'dies with the kernel, even while the system has stopped it',
    async () => {
      const parent = spawn(process.execPath, [program('cell-parent'), jail], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      children.add(parent)
      const [chunk] = await once(parent.stdout, 'data')
      const pid = Number(chunk)
      process.kill(pid, 'SIGSTOP')
      await until(() => stateOf(pid) === 'T', 'the cell is stopped')
      parent.kill('SIGKILL')
      try {
        await until(() => isGone(pid), 'the cell is gone')
      } finally {
        if (!isGone(pid)) process.kill(pid, 'SIGKILL')
      }
    },
  )

  test.runIf(onLinux)('is gone when its child process is killed, also while it is stopped', async () => {
    const { child, pid } = await launchReady(jail)
    process.kill(pid, 'SIGSTOP')
    await until(() => stateOf(pid) === 'T', 'the cell is stopped')
    child.kill('SIGKILL')
    await until(() => isGone(pid), 'the cell is gone')
  })

  test.runIf(onLinux)('ends by itself when the kernel closes the pipe', async () => {
    const { child, pid, pipe } = await launchReady(jail)
    const exit = once(child, 'exit')
    pipe.destroy()
    await exit
    expect(isGone(pid)).toBe(true)
  })

  test('opens few enough files for the most guests that a cell can have', async () => {
    const { pipe, pid } = launch(jail, program('cell-full'), String(limits.processesPerCellMax))
    const [chunk] = await once(pipe, 'data')
    expect(Number(chunk)).toBe(limits.processesPerCellMax)
    const openFiles = onLinux ? openFilesOf(pid() ?? 0) : 0
    expect(openFiles).toBeLessThanOrEqual(limits.cellFilesMax / 2)
  })
})

/** A user without rights, for what does not hold for root. */
const asNobody = [
  findTool('setpriv') ?? '',
  '--reuid=65534',
  '--regid=65534',
  '--clear-groups',
  process.execPath,
]
const canBeNobody = (): boolean => {
  const [tool = '', ...args] = asNobody
  const probe = ['-e', 'require("node:fs").readFileSync(process.argv[1])', program('cell-parent')]
  return process.getuid?.() === 0 && spawnSync(tool, [...args, ...probe], { stdio: 'ignore' }).status === 0
}

test.runIf(jails.includes('bubblewrap') && findTool('prlimit') !== undefined && canBeNobody())(
  'the processes inside a jail are limited, for all users but root',
  async () => {
    const [tool = '', ...args] = asNobody
    const parent = spawn(tool, [...args, program('cell-parent'), 'bubblewrap'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: '/',
    })
    children.add(parent)
    const [chunk] = await once(parent.stdout, 'data')
    const { cellThreadsMax } = limits
    expect(linesOf(Number(chunk), 'limits').get('Max processes')).toBe(`${cellThreadsMax} ${cellThreadsMax}`)
  },
)

test('the protections of this machine are plain data', () => {
  for (const jail of jails) {
    const protections = protectionsOf(jail)
    expect(JSON.parse(JSON.stringify(protections))).toEqual(protections)
    expect(protections.network).toBe(
      jail === 'bubblewrap' ? 'jail' : hasNetPermission ? 'permissions' : 'none',
    )
  }
})

test.each(['cell', 'inline'] as const)(
  'what is in force for cells is on record from the start, where agents run in them: %s',
  async (isolation) => {
    const kernel = boot({ isolation, evidence: { dir: join(tempFolder(), 'evidence') } })
    const [open] = entriesOf(kernel, 'open')
    expect(open?.protections).toEqual(isolation === 'cell' ? protectionsOf('none') : undefined)
    expect(kernel.evidence.verify()).toMatchObject({ ok: true })
  },
)

test('a jail that is not there, or does not work, is refused and never left out', () => {
  const refusal = (find: (name: string) => string | undefined) =>
    expect(() => assertJail('bubblewrap', find)).toThrow(
      expect.objectContaining({
        code: 'ENOSYS',
        message: expect.stringMatching(/^cells cannot run in a jail: bubblewrap .*or leave out `cells.jail`/),
      }),
    )
  refusal(() => undefined)
  refusal(() => '/bin/false')
  // It starts and does nothing: no jail either.
  refusal(() => '/bin/true')
})

test.runIf(jails.includes('bubblewrap'))('a kernel with a jail runs agents in it', async () => {
  const kernel = boot({ isolation: 'cell', cells: { jail: 'bubblewrap' } })
  expect(await kernel.execute({ source: main('return 6 * 7') })).toBe(42)
})

test('an installation whose path the permissions cannot name is refused', () => {
  const files = findCellFiles()
  expect(() => permissionFlags({ ...files, own: ['/opt/a*b/src/'] })).toThrow(
    expect.objectContaining({ code: 'EINVAL', message: expect.stringMatching(/has a `\*`/) }),
  )
})

test.runIf(onLinux)('a folder with a similar name is not readable', () => {
  const [folder = ''] = findCellFiles().own
  const probe = `process.stdout.write(['frames.ts', '../isolate-other/x', '../kernel.ts'].map((name) =>
    process.permission.has('fs.read', require('node:path').join(process.argv[1], name))).join())`
  const out = execFileSync(process.execPath, [...permissionFlags(findCellFiles()), '-e', probe, folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  expect(existsSync(folder)).toBe(true)
  expect(out).toBe('true,false,false')
})
