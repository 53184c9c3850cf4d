/** Writers of evidence killed at random points: what they had acknowledged has to be there, and the log has to open. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/clock.ts'
import { FileStore } from '../../src/evidence/file-store.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { finishRemoval } from '../../src/evidence/redact.ts'
import { leafHash } from '../../src/evidence/verify.ts'
import { progress, type Table } from './report.ts'

const writer = fileURLToPath(new URL('../evidence/writer.ts', import.meta.url))
/** A folder sees so many kills, one after another, and then the next one is taken. */
const killsPerFolder = 20
const segmentBytes = 65_536

interface Count {
  acknowledged: number
  lost: number
  deleted: number
  undeleted: number
  unopened: number
  tampered: number
  repaired: number
}

/** What was said on one folder so far. */
interface Said {
  readonly entries: Set<string>
  readonly deleted: Set<number>
}

/** @param kills how many writers */
export async function evidenceKills(kills: number): Promise<Table> {
  const rows = []
  for (const durability of ['process', 'disk'] as const) {
    const count: Count = {
      ...{ acknowledged: 0, lost: 0, deleted: 0, undeleted: 0, unopened: 0, tampered: 0, repaired: 0 },
    }
    let left = Math.ceil(kills / 2)
    const all = left
    const worker = async (): Promise<void> => {
      while (left > 0) {
        const now = Math.min(left, killsPerFolder)
        left -= now
        await killIn(now, durability, count)
        progress(`${durability}: ${all - left} of ${all} kills`)
      }
    }
    await Promise.all([worker(), worker()])
    rows.push([durability, String(all), ...Object.values(count).map(String)])
  }
  return {
    columns: [
      ...(['level', 'kills', 'acknowledged entries', 'lost', 'deletions acknowledged', 'not done'] as const),
      ...['logs that fail to open', 'that do not verify', 'torn tails repaired'],
    ],
    rows,
  }
}

async function killIn(kills: number, durability: string, count: Count): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-kills-'))
  const said: Said = { entries: new Set(), deleted: new Set() }
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      take(await outputOfKilled(dir, durability), said, count)
      await check(dir, said, count)
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function outputOfKilled(dir: string, durability: string): Promise<string> {
  const args = [writer, dir, String(segmentBytes), durability, '4000', 'deletes']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const closed = once(child, 'close')
  // Some die while they start and repair, most while they write.
  if (Math.random() < 0.8) await Promise.race([once(child.stdout, 'data'), closed])
  await sleep(Math.random() * 120)
  child.kill('SIGKILL')
  await closed
  return output
}

function take(output: string, said: Said, count: Count): void {
  for (const line of output.split('\n').slice(0, -1)) {
    const deleted = /^deleted (\d+)$/.exec(line)?.[1]
    if (deleted !== undefined) {
      said.deleted.add(Number(deleted))
      count.deleted += 1
    }
    if (!/^\d+ [0-9a-f]{64}$/.test(line)) continue
    said.entries.add(line)
    count.acknowledged += 1
  }
}

/** Opens the folder as the next kernel would, and looks for everything that was said. */
async function check(dir: string, said: Said, count: Count): Promise<void> {
  try {
    const store = FileStore.open(dir, segmentBytes)
    const log = EvidenceLog.open({ store, clock: systemClock, durability: 'process' })
    await finishRemoval(store)
    count.repaired += store.repairs.length
    if (!log.verify().ok) count.tampered += 1
    const found = new Set([...store.lines('log')].map((line, seq) => `${seq} ${leafHash(line)}`))
    for (const entry of said.entries) if (!found.has(entry)) count.lost += 1
    const named = [...said.deleted].map((seq): string => Object(store.read().entry(seq)?.args).hash)
    count.undeleted += store.read().payloads(new Set(named)).size
    await log.close()
  } catch (error) {
    count.unopened += 1
    progress(`did not open: ${error instanceof Error ? error.message : String(error)}`)
  }
}
