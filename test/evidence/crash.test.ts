import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type EvidenceFolder, findEvidence } from '../../src/evidence/read.ts'
import { leafHash } from '../../src/evidence/verify.ts'
import { inFolder, tempDir } from './support.ts'

const writer = fileURLToPath(new URL('writer.ts', import.meta.url))

function evidenceIn(dir: string): EvidenceFolder {
  const found = findEvidence(dir)
  if (found.state !== 'found') throw new Error(found.reason)
  return found.evidence
}

/** What a writer said was on record: position and hash. */
const acknowledged = (output: string): string[] =>
  output
    .split('\n')
    .slice(0, -1)
    .filter((line) => /^\d+ [0-9a-f]{64}$/.test(line))

const onRecord = (evidence: EvidenceFolder): Set<string> =>
  new Set([...evidence.lines()].map((line, seq) => `${seq} ${leafHash(line)}`))

function assertNothingLost(dir: string, output: string): void {
  const record = onRecord(evidenceIn(dir))
  expect(acknowledged(output).filter((line) => !record.has(line))).toEqual([])
}

/** Every payload that an entry refers to is there: packs are written first. */
function assertPayloadsKept(evidence: EvidenceFolder): void {
  const kept = new Set([...evidence.packs()].map((line) => JSON.parse(line).hash))
  const missing = [...evidence.entries({ kind: 'intent' })].filter(({ args }) => !kept.has(Object(args).hash))
  expect(missing).toEqual([])
}

async function killedAfter(dir: string, ms: number, durability: string): Promise<string> {
  const child = spawn(process.execPath, [writer, dir, '65536', durability, '20000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  await sleep(ms)
  child.kill('SIGKILL')
  await closed
  return output
}

test('thirty writers killed at once, one after another: the log opens, verifies, and has all they acknowledged', async () => {
  const dir = tempDir()
  let output = ''
  for (let round = 0; round < 30; round += 1) {
    output += await killedAfter(dir, (round * 7) % 40, round % 2 === 0 ? 'process' : 'disk')
    assertNothingLost(dir, output)
  }
  const log = inFolder(dir)
  expect(log.verify()).toMatchObject({ ok: true, problems: [] })
  await log.close()
  expect(acknowledged(output).length).toBeGreaterThan(100)
  assertPayloadsKept(evidenceIn(dir))
}, 120_000)

test.each([
  ['the log', '10'],
  ['the packs', '5000'],
])(
  'a device that takes no more bytes in %s: nothing happens after it, nothing acknowledged is lost',
  async (_, payloadBytes) => {
    const dir = tempDir()
    // A process may be told that files end at a size (RLIMIT_FSIZE): writes then come back short, and then fail.
    const { stdout } = spawnSync(
      'bash',
      [
        '-c',
        `ulimit -f 200; exec "$0" "$@"`,
        process.execPath,
        writer,
        dir,
        '100000000',
        'process',
        payloadBytes,
      ],
      { encoding: 'utf8' },
    )
    expect(stdout).toContain(
      '\nfailed ENOSPC evidence cannot be written, so nothing more is done: no space is left (EFBIG)\n',
    )
    expect(stdout).toContain('\nstopped evidence cannot be written')
    expect(stdout).not.toContain('appended after')
    expect(stdout).not.toContain(dir)
    assertNothingLost(dir, stdout)
    const evidence = evidenceIn(dir)
    expect(evidence.verify().ok).toBe(true)
    expect(evidence.torn).toEqual([])
    assertPayloadsKept(evidence)
    expect(stdout).toContain(`\nended ${evidence.verify().entries} ${evidence.verify().head} true\n`)
    const log = inFolder(dir)
    expect([...log.entries({ kind: 'repair' })]).toEqual([])
    await log.close()
  },
)

/** A small file system of one's own, in a namespace that ends with the command; needs leave to mount. */
const own = ['-m', '-r', 'bash', '-c', 'mount -t tmpfs -o size=400k none "$0" && shift 0 && "$@"']
const mayMount = (() => {
  try {
    execFileSync('unshare', [...own, tmpdir(), 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

test.skipIf(!mayMount)('a file system that is really full (needs leave to mount one)', () => {
  const place = tempDir()
  const { stdout } = spawnSync(
    'unshare',
    [...own, place, process.execPath, writer, join(place, 'evidence'), '65536'],
    {
      encoding: 'utf8',
    },
  )
  expect(stdout).toContain(
    '\nfailed ENOSPC evidence cannot be written, so nothing more is done: no space is left (ENOSPC)\n',
  )
  expect(stdout).toMatch(/\nended \d+ [0-9a-f]{64} true\n$/)
  const last = acknowledged(stdout).at(-1)?.split(' ')[0]
  expect(Number(/\nended (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(Number(last))
})
