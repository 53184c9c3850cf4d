/** An application with guests of every kind leaves in bounded time: told to, by a signal, by process.exit, or killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { EvidenceFolder } from '../src/evidence/read.ts'
import { isGone } from './support/cell-process-state.ts'
import { boot, tempFolder, until } from './support/kernel.ts'

const program = fileURLToPath(new URL('./support/leaving.ts', import.meta.url))
/** Of an application that is told to shut down; on two cores they take some seconds to begin. */
const guestsInCells = Number(process.env.GATEHOUSE_LEAVING_GUESTS ?? 240)

const applications = new Set<ChildProcess>()
afterEach(() => {
  for (const application of applications) application.kill('SIGKILL')
  applications.clear()
})

/** An application whose guests all live. */
async function begin(isolation: string, count: number, options: object = {}) {
  const dir = join(tempFolder(), 'evidence')
  const args = [program, dir, isolation, String(count), JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  applications.add(child)
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const exit = once(child, 'exit')
  await expect.poll(() => lines.length, { timeout: 25_000 + 100 * count }).toBeGreaterThan(0)
  const [, live, ...cells] = (lines[0] ?? '').split(' ')
  expect(Number(live)).toBeGreaterThanOrEqual(count)
  return { child, exit, lines, cells: JSON.parse(cells.join('')) as number[], dir }
}

describe.each(['cell', 'inline'] as const)('%s', (isolation) => {
  test.each(['shutdown', 'SIGTERM', 'SIGINT'] as const)(
    '%s: code 0, evidence that verifies, and no cell is left',
    async (how) => {
      const count = isolation === 'cell' && how === 'shutdown' ? guestsInCells : 24
      const { child, exit, cells, dir } = await begin(isolation, count)
      if (how === 'shutdown') child.stdin?.end('shutdown\n')
      else child.kill(how)
      expect(await exit).toEqual([0, null])
      expect(cells.every(isGone)).toBe(true)
      const verification = new EvidenceFolder(dir).verify()
      expect(verification).toMatchObject({ ok: true, problems: [] })
    },
    60_000 + 200 * guestsInCells,
  )

  test('process.exit: its code, and no cell is left', async () => {
    const { child, exit, cells } = await begin(isolation, 12)
    child.stdin?.end('exit\n')
    expect(await exit).toEqual([7, null])
    await until(() => cells.every(isGone), 'the cells are gone')
  }, 60_000)
})

test('SIGKILL leaves no cell, whatever its guests do', async () => {
  const { child, exit, cells } = await begin('cell', 12)
  expect(cells.length).toBeGreaterThan(2)
  for (const cell of cells.slice(0, 2)) process.kill(cell, 'SIGSTOP')
  child.kill('SIGKILL')
  expect(await exit).toEqual([null, 'SIGKILL'])
  await until(() => cells.every(isGone), 'the cells are gone')
}, 60_000)

test('a second signal ends the application at once', async () => {
  const { child, exit, cells } = await begin('cell', 12)
  child.kill('SIGINT')
  child.kill('SIGTERM')
  const [code] = await exit
  expect([130, 143]).toContain(code)
  await until(() => cells.every(isGone), 'the cells are gone')
}, 60_000)

test.each([
  ['listens itself', {}, 'listen\n'],
  ['has switched it off', { exitOnSignal: false }, '\n'],
])(
  'an application that %s is left alone',
  async (_why, options, told) => {
    const { child, exit, lines } = await begin('cell', 6, options)
    child.stdin?.write(told)
    await new Promise((resolve) => setTimeout(resolve, 200))
    child.kill('SIGTERM')
    if (told !== 'listen\n') return expect(await exit).toEqual([null, 'SIGTERM'])
    await until(() => lines.includes('its own listener'), 'its listener is called')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect([child.exitCode, child.signalCode]).toEqual([null, null])
    // The listener was for one signal: now there is none.
    child.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
  },
  60_000,
)

test('many kernels listen once, and not at all when they are down', async () => {
  const before = process.listenerCount('SIGTERM')
  const kernels = Array.from({ length: 50 }, () => boot())
  expect(process.listenerCount('SIGTERM')).toBe(before + 1)
  await Promise.all(kernels.map((kernel) => kernel.shutdown()))
  expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]).toEqual([before, before])
})
