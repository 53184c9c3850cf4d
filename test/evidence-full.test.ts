/** A full disk under the evidence: nothing more is done, and what was acknowledged is on record. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Entry, Exit } from '../src/index.ts'
import { boot, tempFolder } from './support/kernel.ts'

const runner = fileURLToPath(new URL('./support/full-disk.ts', import.meta.url))

interface Report {
  /** How often the tool's function ran. */
  readonly effects: number
  /** What agents were answered, and the application was told they printed. */
  readonly acknowledged: readonly number[]
  readonly exits: readonly Exit[]
  /** What a kernel does that is asked for one more process after its record has failed. */
  readonly after: Exit
}

/** Runs agents that call and print without end, in a process of its own. */
function fill(dir: string, isolation: string, durability: string, blocks?: number): Promise<Report> {
  const command = `${blocks === undefined ? '' : `ulimit -f ${blocks}; trap '' XFSZ; `}exec "$0" "$@"`
  const args = ['-c', command, process.execPath, runner, dir, isolation, durability]
  return new Promise((resolve, reject) => {
    execFile('bash', args, { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(JSON.parse(stdout))
    })
  })
}

/** What is on record as whole lines; a torn last line is none. */
const recorded = (dir: string): readonly Entry[] =>
  readdirSync(dir)
    .filter((name) => name.startsWith('log-'))
    .toSorted()
    .flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line))

function expectKept(report: Report, dir: string): void {
  const entries = recorded(dir)
  const intents = entries.filter(({ kind, syscall }) => kind === 'intent' && syscall === 'tool.call')
  const printed = entries.filter(({ kind, syscall }) => kind === 'intent' && syscall === 'proc.output')
  expect(report.effects).toBeGreaterThan(0)
  expect(report.effects).toBeLessThanOrEqual(intents.length)
  expect(report.acknowledged.length).toBeLessThanOrEqual(printed.length)
  for (const exit of [...report.exits, report.after]) {
    expect(exit.status).toBe('failed')
    expect(exit.reason).toContain('evidence cannot be written, so nothing more is done')
    expect(['ENOSPC', 'EIO']).toContain(exit.error?.code)
  }
}

describe.each(['inline', 'cell'])('%s', (isolation) => {
  test.each(['process', 'disk'])(
    'a limit on file size, durability `%s`: no effect without its record',
    async (durability) => {
      const dir = join(tempFolder(), 'evidence')
      expectKept(await fill(dir, isolation, durability, 200), dir)
    },
  )
})

test('a record that was cut short by a full disk is repaired by the next kernel, and goes on', async () => {
  const dir = join(tempFolder(), 'evidence')
  const { effects } = await fill(dir, 'inline', 'process', 200)
  const kernel = boot({ evidence: { dir }, policy: 'strict' })
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
  expect(await kernel.execute({ source: 'export default () => 1' })).toBe(1)
  const intents = kernel.evidence
    .entries()
    .filter(({ kind, syscall }) => kind === 'intent' && syscall === 'tool.call')
  expect(intents.length).toBeGreaterThanOrEqual(effects)
})

const mountable = ((): boolean => {
  try {
    const folder = tempFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

test.skipIf(!mountable)('a disk that is really full: no effect without its record', async () => {
  const disk = tempFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', disk])
  try {
    const dir = join(disk, 'evidence')
    mkdirSync(dir, { mode: 0o700 })
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(64 * 1024))
    expectKept(await fill(dir, 'inline', 'process'), dir)
  } finally {
    execFileSync('umount', ['-l', disk])
  }
})
