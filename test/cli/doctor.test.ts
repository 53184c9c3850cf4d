/** The doctor says what is there, what is missing, and what to do. */
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkJail, checkNode, checkPlatform, checkProtections } from '../../src/cli/doctor-checks.ts'
import { KernelError } from '../../src/index.ts'
import { folderWith, gatehouse } from '../support/cli.ts'

test('evidence that cannot be written is a failure, with what to do', async () => {
  const folder = folderWith({ file: '' })
  const { code, stdout } = await gatehouse(folder, ['doctor', '--evidence', 'file/below'])
  expect(code).toBe(1)
  expect(stdout).toMatch(/^fail evidence in `file\/below`: cannot be written \(ENOTDIR\)\n +name a folder/m)
  expect(stdout).toMatch(/Something that gatehouse needs is missing\.\n$/)
})

test.each([
  ['18.20.4', 'fail', 'install Node.js 22.19 or newer'],
  ['22.18.0', 'fail', 'install Node.js 22.19 or newer'],
  ['23.1.0', 'warn', 'gatehouse is tested on Node.js 22, 24, 26'],
  ['22.19.0', 'ok', undefined],
  ['26.0.0', 'ok', undefined],
])('Node.js %s is %s', (version, state, advice) => {
  expect(checkNode(version)).toEqual({ state, what: 'Node.js', found: version, ...(advice && { advice }) })
})

test('a platform without all promises is a warning', () => {
  expect(['linux', 'darwin', 'win32'].map((platform) => checkPlatform(platform).state)).toEqual([
    'ok',
    'warn',
    'warn',
  ])
})

test('what is not in force for cells is a warning with what to do, and never a failure', () => {
  const none = { permissions: true, network: 'none', priority: false, resources: false } as const
  const rest = { parentDeath: false, noNewPrivileges: true, noCapabilities: false, jail: 'none' } as const
  const checks = checkProtections({ ...none, ...rest }, false)
  expect(checks.map(({ state }) => state)).toEqual(['ok', ...Array(6).fill('warn')])
  expect(checks.filter(({ state, advice }) => (state === 'warn') !== (advice !== undefined))).toEqual([])
  const full = { priority: true, resources: true, parentDeath: true, noCapabilities: true } as const
  const sound = checkProtections({ ...none, ...rest, ...full, network: 'permissions' }, true)
  expect(sound.map(({ state }) => state)).toEqual(Array(7).fill('ok'))
})

test('a jail that does not work is a warning that says why', () => {
  const refuse = () => {
    throw new KernelError('ENOSYS', 'cells cannot run in a jail: bubblewrap (`bwrap`) is not installed')
  }
  expect(checkJail(refuse)).toMatchObject({ state: 'warn', found: expect.stringMatching(/is not installed/) })
  expect(checkJail(() => undefined)).toMatchObject({ state: 'ok' })
})

test('here everything needed is there, and nothing is left behind', async () => {
  const folder = folderWith()
  const { code, stdout } = await gatehouse(folder, ['doctor'])
  expect(stdout).toMatch(/^ok {3}isolated-vm: loads$/m)
  expect(stdout).toMatch(/^ok {3}an isolate: starts, runs and ends$/m)
  expect(stdout).toMatch(/^ok {3}a cell: starts, runs and ends$/m)
  expect(stdout).toMatch(/^ok {3}evidence in `\.gatehouse`: can be made$/m)
  expect(code).toBe(0)
  expect(readdirSync(folder)).toEqual([])
})

test('in JSON every check has its state', async () => {
  const { code, stdout } = await gatehouse(folderWith(), ['doctor', '--json'])
  const { ok, checks } = JSON.parse(stdout)
  expect({ code, ok }).toEqual({ code: 0, ok: true })
  expect(checks.map(({ what }: { what: string }) => what)).toEqual([
    ...['Node.js', 'platform', 'isolated-vm', 'an isolate', 'a cell', 'evidence in `.gatehouse`'],
    ...['files, children, workers', 'network', 'priority', 'resources', 'end with the kernel', 'privileges']
      .concat('watchdog', 'jail')
      .map((part) => `cells: ${part}`),
  ])
})
