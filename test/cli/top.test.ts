/** `gatehouse top`: what it shows, what its keys mean, and that it gives the terminal back. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import pc from 'picocolors'
import { expect, onTestFinished, test } from 'vitest'
import { begun, moved, pressesOf, refreshed, screenOf, type TopState } from '../../src/cli/top-screen.ts'
import { KernelSpace, type ProcessRow } from '../../src/index.ts'
import { commandLine, folderWith } from '../support/cli.ts'
import { main, until } from '../support/kernel.ts'

const plain = pc.createColors(false)

const rowOf = (pid: number, name = `agent-${pid}`): ProcessRow => ({
  ...{ pid, ppid: 0, run: 'r', name, state: 'waiting', isolation: 'cell', policy: 'strict' },
  ...{ cpuMs: 12.5, heapBytes: 2_000_000, wallMs: 61_000, syscalls: 7, inFlight: 1 },
  ...{ budgetLeft: { syscalls: 93 }, labels: ['web'] },
})

const replyOf = (...processes: readonly ProcessRow[]) => ({
  kernel: { pid: 4_711, policy: { name: 'strict', hash: 'h', mode: 'enforce' as const } },
  processes,
})

const stateOf = (...pids: readonly number[]): TopState => begun(replyOf(...pids.map((pid) => rowOf(pid))))

test('keys: arrows in both forms, letters, several at once, and what means nothing', () => {
  expect(pressesOf('j\u001b[Bk\u001bOA')).toEqual([1, 1, -1, -1].map((by) => ({ do: 'move', by })))
  expect(pressesOf('sctK')).toEqual(
    ['SIGSTOP', 'SIGCONT', 'SIGTERM', 'SIGKILL'].map((signal) => ({ do: 'signal', signal })),
  )
  for (const key of ['q', '\u0003', '\u0004']) expect(pressesOf(key)).toEqual([{ do: 'quit' }])
  // An arrow to the side is neither of the keys it is made of.
  expect(pressesOf('x\u001b[C\u001b[DST\u001b')).toEqual([])
  expect(pressesOf('\u001b[Ds')).toEqual([{ do: 'signal', signal: 'SIGSTOP' }])
})

test('the selection stays with its process, and ends with it, so that no key hits its neighbour', () => {
  const state = moved(stateOf(1, 2, 3), 1)
  expect(state.selected).toBe(2)
  expect(refreshed(state, replyOf(rowOf(2), rowOf(9))).selected).toBe(2)
  const ended = refreshed(state, replyOf(rowOf(1), rowOf(3)))
  expect(ended.selected).toBeUndefined()
  expect(moved(ended, 1).selected).toBe(1)
  expect(moved(refreshed(state, replyOf()), 1).selected).toBeUndefined()
  expect([moved(state, -9).selected, moved(state, 9).selected]).toEqual([1, 3])
})

test('a screen: title, table, message, help; the selected row stands out', () => {
  const state = { ...moved(stateOf(1, 2), 1), message: 'SIGSTOP to agent-2' }
  const marked = { ...plain, inverse: (text: string | number) => `>${text}` } as typeof plain
  const lines = screenOf(state, { columns: 120, rows: 20 }, marked)
  expect(lines[0]).toBe('gatehouse, process 4711, policy strict: 2 processes')
  expect(lines[1]).toMatch(/^PID {2}PPID {2}NAME {5}STATE/)
  expect(lines[2]).toMatch(
    /^1 +0 +agent-1 +waiting +cell +strict +0\.01s +1\.9M +1m01s +7 +1 +93 calls +web$/,
  )
  expect(lines[3]).toMatch(/^>2 +0 +agent-2 /)
  expect(lines.slice(4)).toEqual(['SIGSTOP to agent-2', expect.stringMatching(/K kill · q quit$/)])
})

test.each([
  [200, 40],
  [20, 6],
  [1, 1],
  [3, 2],
])('no screen is larger than %i by %i, and the selected row is on it', (columns, rows) => {
  const state = moved(stateOf(...Array.from({ length: 300 }, (_, index) => index + 1)), 150)
  const lines = screenOf(state, { columns, rows }, plain)
  expect(lines.length).toBeLessThanOrEqual(rows)
  for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(columns)
  if (rows > 4) expect(lines.join('\n')).toContain('151')
})

test('names and messages cannot steer the terminal', () => {
  const reply = replyOf(rowOf(1, 'a\u001b[2J\nb'))
  const state = { ...begun(reply), message: '\u001b]0;owned\u0007' }
  const text = screenOf(state, { columns: 200, rows: 20 }, plain).join('')
  expect(text).not.toMatch(/\p{Cc}/u)
  expect(text).toContain('a\\x1b[2J\\nb')
})

const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux')

/** `gatehouse top` under a pseudo terminal, with a kernel of this process beside it. */
function topOnTerminal(before = '') {
  const folder = folderWith()
  const evidence = { dir: join(folder, '.gatehouse') }
  const kernel = new KernelSpace({ policy: 'permissive', isolation: 'inline', evidence })
  onTestFinished(() => kernel.shutdown())
  const worker = kernel.spawn({ source: main('await ipc.receive()') }, { name: 'worker' })
  const line = `stty cols 120 rows 30; ${before} ${commandLine.map((word) => `'${word}'`).join(' ')} top; echo "code $?"; stty -a`
  const terminal = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: folder,
    env: { ...process.env, TERM: 'xterm', NO_COLOR: undefined, FORCE_COLOR: undefined },
  })
  onTestFinished(() => void terminal.kill('SIGKILL'))
  const screen = { text: '' }
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen.text += text
  })
  return { kernel, worker, terminal, screen }
}

/** The other screen was left, the cursor is back, lines wrap, and what is typed is echoed again. */
const given = (text: string) => ({
  screen: text.lastIndexOf('\u001b[?1049l') > text.lastIndexOf('\u001b[?1049h'),
  cursor: text.lastIndexOf('\u001b[?25h') > text.lastIndexOf('\u001b[?25l'),
  echo: /\s echo\b|\becho\b/.test(text) && !/-echo\b/.test(text) && !/-icanon\b/.test(text),
})
const all = { screen: true, cursor: true, echo: true }

test.runIf(hasScript)('on a terminal: it shows, its keys act, and it gives the terminal back', async () => {
  const { worker, terminal, screen } = topOnTerminal()
  await until(() => screen.text.includes('worker'), 'it shows the process')
  terminal.stdin.write('s')
  await until(() => worker.state === 'stopped', 'it is stopped')
  await until(() => screen.text.includes('SIGSTOP to worker (pid 1)'), 'it says so')
  terminal.stdin.write('c')
  await until(() => worker.state === 'waiting', 'it goes on')
  terminal.stdin.write('K')
  expect((await worker.exit).signal).toBe('SIGKILL')
  terminal.stdin.write('q')
  await once(terminal, 'close')
  expect(screen.text).toContain('code 0')
  expect(given(screen.text)).toEqual(all)
})

test.runIf(hasScript)('a kernel that ends meanwhile ends it, with the terminal given back', async () => {
  const { kernel, terminal, screen } = topOnTerminal()
  await until(() => screen.text.includes('worker'), 'it shows the process')
  await kernel.shutdown()
  await once(terminal, 'close')
  expect(screen.text).toMatch(/gatehouse: the kernel in `\.gatehouse` has ended/)
  expect(screen.text).toContain('code 1')
  expect(given(screen.text)).toEqual(all)
})

test.runIf(hasScript)('a signal to it ends it, with the terminal given back', async () => {
  const { terminal, screen } = topOnTerminal('timeout --foreground -s TERM 3')
  await once(terminal, 'close')
  expect(screen.text).toContain('worker')
  expect(given(screen.text)).toEqual(all)
})
