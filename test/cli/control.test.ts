/** A running kernel from another terminal: ps, kill, logs, inspect, as processes of their own. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findDir } from '../../src/cli/find-kernel.ts'
import { KernelSpace } from '../../src/index.ts'
import { folderWith, gatehouse, start } from '../support/cli.ts'
import { main, until } from '../support/kernel.ts'

const waits = main(`console.log('up'); await ipc.receive()`)

/** A kernel of this process, in a folder of its own. */
function kernelIn(folder: string): KernelSpace {
  const evidence = { dir: join(folder, '.gatehouse') }
  const kernel = new KernelSpace({ policy: 'permissive', isolation: 'inline', evidence })
  onTestFinished(() => kernel.shutdown())
  return kernel
}

function kernelWith(source: string, name: string) {
  const folder = folderWith()
  const kernel = kernelIn(folder)
  return { folder, kernel, child: kernel.spawn({ source }, { name }) }
}

test('a run is seen, looked at and ended from another terminal', async () => {
  const folder = folderWith({ 'agent.ts': waits })
  mkdirSync(join(folder, 'deeper/down'), { recursive: true })
  const { ended, until: printed } = start(folder, ['run', 'agent.ts', '--policy', 'permissive'])
  await printed('up\n')
  const ps = await gatehouse(join(folder, 'deeper/down'), ['ps'])
  expect(ps).toMatchObject({ code: 0, stderr: '' })
  expect(ps.stdout).toMatch(/^PID +PPID +NAME +STATE/)
  expect(ps.stdout).toMatch(/^1 +0 +agent +(waiting|running) +cell +permissive /m)
  const inspected = await gatehouse(folder, ['inspect', 'agent'])
  expect(inspected.stdout).toMatch(/^agent \(pid 1\): waiting\n/)
  expect(inspected.stdout).toMatch(/^calls in flight:\n {2}#\d+ ipc\.receive \* open for /m)
  const killed = await gatehouse(folder, ['kill', 'agent'])
  expect(killed).toEqual({ code: 0, stdout: 'agent (pid 1): ended the process\n', stderr: '' })
  const { code, stderr } = await ended
  expect(code).toBe(143)
  expect(stderr).toMatch(/was ended by SIGTERM: SIGTERM from a terminal \(uid \d+\)/)
  expect(existsSync(join(folder, '.gatehouse/control'))).toBe(false)
  expect((await gatehouse(folder, ['evidence', 'verify'])).code).toBe(0)
})

test('STOP and CONT, by pid; what is not there is said, and the rest is done', async () => {
  const { folder, kernel, child } = kernelWith(waits, 'worker')
  await until(() => child.state === 'waiting', 'it waits')
  const stopped = await gatehouse(folder, ['kill', '-s', 'STOP', '1', 'nobody', '--json'])
  expect(stopped.code).toBe(1)
  expect(stopped.stderr).toBe('gatehouse: no live process is called `nobody`\n')
  expect(JSON.parse(stopped.stdout)).toEqual({
    signal: 'SIGSTOP',
    sent: [
      { target: '1', pid: 1, name: 'worker', effect: expect.any(String) },
      { target: 'nobody', error: { code: 'ESRCH', message: 'no live process is called `nobody`' } },
    ],
  })
  await until(() => child.state === 'stopped', 'it stands still')
  const continued = await gatehouse(folder, ['kill', '--signal', 'cont', 'worker', '--dir', '.gatehouse'])
  expect(continued).toMatchObject({ code: 0, stderr: '' })
  await until(() => kernel.inspect('worker').process.state === 'waiting', 'it goes on')
})

test('a name that several have lists their pids', async () => {
  const { folder, kernel } = kernelWith(waits, 'twin')
  kernel.spawn({ source: waits }, { name: 'twin' })
  expect(await gatehouse(folder, ['kill', 'twin'])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'gatehouse: 2 live processes are called `twin`: name one by pid (1, 2)\n',
  })
  expect((await gatehouse(folder, ['inspect', 'twin'])).stderr).toContain('name one by pid (1, 2)')
})

test('logs: what was printed, on the stream where it was printed; then what comes, until the end', async () => {
  const source = main(
    `console.log('to stdout'); console.error('to stderr'); await ipc.receive(); console.log('late')`,
  )
  const { folder, kernel, child } = kernelWith(source, 'talker')
  await until(() => child.state === 'waiting', 'it waits')
  expect(await gatehouse(folder, ['logs', 'talker'])).toEqual({
    code: 0,
    stdout: 'to stdout\n',
    stderr: 'to stderr\n',
  })
  const { ended, until: shown } = start(folder, ['logs', '-f', '--calls', 'talker'])
  await shown('to stderr')
  kernel.spawn({ source: main(`await ipc.send('talker', 1)`) })
  const { code, stdout, stderr } = await ended
  expect(code).toBe(0)
  expect(stdout).toMatch(/^-- [\d:.]+ created → running\nto stdout\n-- [\d:.]+ proc\.output committed\n/)
  expect(stdout).toMatch(/ipc\.receive \* committed\nlate\n/)
  expect(stderr).toBe('to stderr\ngatehouse: talker (pid 1) has exited\n')
})

test('logs -f --json is one document a line, and Ctrl-C ends it in order', async () => {
  const { folder, child } = kernelWith(waits, 'worker')
  await until(() => child.state === 'waiting', 'it waits')
  const { child: command, ended, until: shown } = start(folder, ['logs', '-f', '--json', 'worker'])
  await shown('up')
  command.kill('SIGINT')
  const { code, stdout } = await ended
  expect(code).toBe(0)
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { kind: 'process', pid: 1, name: 'worker' },
    { kind: 'output', text: 'up\n' },
  ])
})

test('a guest cannot steer the terminal of a person who looks', async () => {
  const evil = '\\u001b[2J\\u001b]0;owned\\u0007\\u202e\\r'
  const source = main(
    `console.log('${evil}'); await fs.read('/tmp/${evil}').catch(() => {}); await ipc.receive()`,
  )
  const { folder, child } = kernelWith(source, 'evil')
  await until(() => child.state === 'waiting', 'it waits')
  child.signal('SIGSTOP')
  for (const words of [
    ['logs', 'evil'],
    ['logs', '--calls', 'evil'],
    ['inspect', 'evil'],
    ['ps'],
    ['inspect', 'evil', '--json'],
    ['logs', '--json', '--calls', 'evil'],
  ]) {
    const { code, stdout, stderr } = await gatehouse(folder, words)
    expect({ words, code }).toEqual({ words, code: 0 })
    expect(`${stdout}${stderr}`.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  }
  expect((await gatehouse(folder, ['logs', 'evil'])).stdout).toContain('\\x1b[2J')
})

test('a process that ended can be looked at, and is not there to be killed', async () => {
  const { folder, child } = kernelWith(main(`throw new Error('broke')`), 'failing')
  await child.exit
  const { code, stdout } = await gatehouse(folder, ['inspect', 'failing'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^failing \(pid 1\): failed\n {2}ended +failed by EFAULT: /)
  expect((await gatehouse(folder, ['ps'])).stdout).not.toContain('failing')
  expect((await gatehouse(folder, ['ps', '--all'])).stdout).toMatch(/^1 +0 +failing +failed /m)
  expect(await gatehouse(folder, ['kill', '1'])).toMatchObject({
    code: 1,
    stderr: 'gatehouse: process 1 (`failing`) has ended\n',
  })
})

test('a directory that another user has closed is not said to have no kernel', () => {
  const folder = folderWith({ '.gatehouse/lock': '' })
  chmodSync(folder, 0o755)
  const isRoot = process.geteuid?.() === 0
  chmodSync(join(folder, '.gatehouse'), isRoot ? 0o700 : 0)
  if (isRoot) process.seteuid?.(65_534)
  try {
    expect(() => findDir(folder)).toThrow(/`\.gatehouse` is closed to this user/)
  } finally {
    if (isRoot) process.seteuid?.(0)
    chmodSync(join(folder, '.gatehouse'), 0o700)
  }
})

test('no kernel, one that has ended, and one that was killed are told apart', async () => {
  const empty = folderWith()
  const none = await gatehouse(empty, ['ps'])
  expect(none).toMatchObject({ code: 1, stdout: '' })
  expect(none.stderr).toMatch(
    /^gatehouse: no kernel runs here: there is no `\.gatehouse` in this folder, above it/,
  )
  const folder = folderWith({ 'agent.ts': waits })
  await kernelIn(folder).shutdown()
  expect((await gatehouse(folder, ['ps'])).stderr).toBe(
    'gatehouse: no kernel runs here: the one that kept `.gatehouse` has ended, or does not listen\n',
  )
  const { child, ended, until: printed } = start(folder, ['run', 'agent.ts', '--policy', 'permissive'])
  await printed('up\n')
  child.kill('SIGKILL')
  await ended
  const stale = await gatehouse(folder, ['ps', '--json'])
  expect(stale.code).toBe(1)
  expect(JSON.parse(stale.stdout).error).toEqual({
    code: 'ECONNREFUSED',
    message: expect.stringMatching(/has ended without closing/),
  })
})

test('the only kernel one folder below is meant; of several none', () => {
  const folder = folderWith()
  for (const name of ['one', 'two']) mkdirSync(join(folder, name))
  mkdirSync(join(folder, 'plain/.gatehouse'), { recursive: true })
  kernelIn(join(folder, 'one'))
  expect(findDir(folder)).toBe(join('one', '.gatehouse'))
  kernelIn(join(folder, 'two'))
  expect(() => findDir(folder)).toThrow(
    /^2 kernels have their directory below this folder; name one: --dir (one|two)\/\.gatehouse, --dir /,
  )
  kernelIn(folder)
  expect(findDir(folder)).toBe('.gatehouse')
  expect(findDir(join(folder, 'plain'))).toBe(join('..', '.gatehouse'))
})

test('wrong usage is told before any kernel is asked', async () => {
  const folder = folderWith()
  for (const [words, sentence] of [
    [['kill'], "missing required argument 'target'; see `gatehouse kill --help`"],
    [['kill', '-s', 'SIGHUP', '1'], 'SIGHUP` is no signal'],
    [['kill', '-s', 'SIGPOLICY', '1'], "SIGPOLICY is the kernel's own"],
    [['inspect'], "missing required argument 'target'"],
    [['logs', 'a', 'b'], 'too many arguments'],
    [['top'], '`gatehouse top` needs a terminal to draw on'],
  ] as const) {
    const { code, stdout, stderr } = await gatehouse(folder, words)
    expect({ words, code, stdout }).toEqual({ words, code: 2, stdout: '' })
    expect(stderr).toContain(sentence)
  }
  writeFileSync(join(folder, 'file'), '')
  expect((await gatehouse(folder, ['ps', '--dir', 'file'])).code).toBe(1)
})
