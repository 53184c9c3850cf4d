/**
 * A device that fails at its n-th operation, for every n: once, or from there on as a crash leaves it. The operations
 * are those of node:fs, at the place where they are called; nothing of ours is replaced.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { FileStore } from '../../src/evidence/file-store.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import { finishRemoval, ofEntries, removePayloads } from '../../src/evidence/redact.ts'
import { EvidenceError } from '../../src/evidence/store.ts'
import { leafHash } from '../../src/evidence/verify.ts'
import { intent, tempDir, tickingClock } from './support.ts'

const device = vi.hoisted(() => ({
  /** Operations so far, since it was armed; which one fails; what the system says; whether all after it fail too. */
  count: Number.NEGATIVE_INFINITY,
  failing: 0,
  code: 'EIO',
  lasts: false,
  hits: new Set<string>(),
}))

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>()
  const fails = (name: string): Error | undefined => {
    device.count += 1
    if (device.count !== device.failing && !(device.lasts && device.count > device.failing)) return undefined
    device.hits.add(name)
    return Object.assign(new Error(`${device.code}: injected, ${name}`), { code: device.code })
  }
  const sync = ['openSync', 'writeSync', 'fsyncSync', 'fdatasyncSync', 'ftruncateSync'] as const
  const names = ['renameSync', 'unlinkSync', 'rmSync', 'mkdirSync', 'linkSync', 'writeFileSync'] as const
  const later = ['fsync', 'fdatasync', 'close'] as const
  const faulty: Record<string, unknown> = { ...real }
  for (const name of [...sync, ...names]) {
    const does = real[name] as (...args: unknown[]) => unknown
    faulty[name] = (...args: unknown[]) => {
      const error = fails(name)
      // A device that is nearly full takes a part of what it is given.
      if (
        error !== undefined &&
        name === 'writeSync' &&
        device.count === device.failing &&
        device.code === 'ENOSPC'
      )
        real.writeSync(args[0] as number, args[1] as Buffer, Number(args[2] ?? 0), 7)
      if (error !== undefined) throw error
      return does(...args)
    }
  }
  for (const name of later) {
    const does = real[name] as (...args: unknown[]) => void
    faulty[name] = (...args: unknown[]) => {
      const error = fails(name)
      if (error === undefined) return does(...args)
      if (name === 'close') real.closeSync(args[0] as number)
      setImmediate(args.at(-1) as (error: Error) => void, error)
    }
  }
  return { ...faulty, default: faulty }
})

function arm(failing: number, code: string, lasts: boolean): void {
  Object.assign(device, { count: 0, failing, code, lasts })
}

/** @returns whether the operation that fails was reached */
function disarm(): boolean {
  const reached = device.count >= device.failing
  device.count = Number.NEGATIVE_INFINITY
  return reached
}

/** What was acknowledged before the device failed, and the error that stopped it. */
interface Told {
  readonly acknowledged: string[]
  readonly redacted: Set<string>
  effects: number
  error?: unknown
}

/** A kernel's worth of work: it opens, acts, fills segments, deletes, and closes. */
async function work(dir: string, durability: 'process' | 'disk'): Promise<Told> {
  const told: Told = { acknowledged: [], redacted: new Set(), effects: 0 }
  let store: FileStore | undefined
  try {
    store = FileStore.open(dir, 1_500)
    const log = EvidenceLog.open({ store, clock: tickingClock(), durability })
    await finishRemoval(store)
    for (let call = 0; call < 6; call += 1) {
      const { seq, hash } = log.append(intent(log.payload(`secret ${call} ${'x'.repeat(300)}`), call))
      await log.durable()
      told.effects += 1
      told.acknowledged.push(`${seq} ${hash}`)
    }
    const kept = { log, store, pause: async () => {} }
    const entries = [...store.read().entries({ kind: 'intent' })].map(({ seq }) => seq).slice(0, 3)
    const author = { by: 'mia', reason: 'a test' }
    const { payloads } = await removePayloads(kept, ofEntries(store.read(), entries, author))
    if (payloads > 0) for (const call of [0, 1, 2]) told.redacted.add(`secret ${call} `)
    await log.close()
  } catch (error) {
    told.error = error
  }
  await store?.close().catch(() => {})
  return told
}

const everything = (dir: string): string =>
  [
    ...readdirSync(dir).map((file) => readFileSync(join(dir, file), 'latin1')),
    ...new EvidenceFolder(dir).packs(),
  ].join('\n')

/** In memory where there is such a file system: thousands of flushes are asked for. */
function fastDir(): string {
  if (!existsSync('/dev/shm')) return tempDir()
  const dir = mkdtempSync('/dev/shm/gatehouse-faults-')
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** After the fault: the log opens, verifies, holds all that was acknowledged, and what was deleted is. */
async function assertSound(dir: string, told: Told, at: string): Promise<void> {
  // The process lives, so its lock would too; after a crash nobody holds it.
  rmSync(join(dir, 'lock'), { force: true })
  const store = FileStore.open(dir, 1_500)
  const log = EvidenceLog.open({ store, clock: tickingClock(), durability: 'process' })
  await finishRemoval(store)
  const { ok, problems } = log.verify()
  expect({ at, ok, problems }).toEqual({ at, ok: true, problems: [] })
  const lines = new Set([...store.lines('log')].map((line, seq) => `${seq} ${leafHash(line)}`))
  expect({ at, lost: told.acknowledged.filter((line) => !lines.has(line)) }).toEqual({ at, lost: [] })
  expect(store.removal).toBeUndefined()
  await log.close()
  const left = everything(dir)
  const recorded = [...new EvidenceFolder(dir).entries({ kind: 'redact' })].length > 0
  for (const text of told.redacted) expect({ at, has: left.includes(text) }).toEqual({ at, has: false })
  if (recorded) expect({ at, has: left.includes('secret 0 ') }).toEqual({ at, has: false })
  const kept = told.acknowledged.length > 4 ? ['secret 3 ', 'secret 4 '] : []
  const texts = [...new EvidenceFolder(dir).packs()].join('\n')
  for (const text of kept) expect({ at, text, has: texts.includes(text) }).toEqual({ at, text, has: true })
  expect({ at, drafts: readdirSync(dir).filter((file) => file.endsWith('.new')) }).toEqual({ at, drafts: [] })
}

test.each([
  ['fails once', 'EIO', false, 'disk'],
  ['is gone from there on', 'EIO', true, 'disk'],
  ['is full from there on', 'ENOSPC', true, 'process'],
] as const)(
  'a device that %s (%s), at each of its operations: nothing acknowledged is lost, nothing happens without a record',
  async (_, code, lasts, durability) => {
    const place = fastDir()
    let reached = true
    let failing = 0
    while (reached) {
      failing += 1
      const dir = join(place, `${failing}`)
      arm(failing, code, lasts)
      const told = await work(dir, durability)
      reached = disarm()
      expect(told.effects).toBe(told.acknowledged.length)
      if (told.error !== undefined && told.effects > 0 && told.effects < 6)
        expect(told.error, `operation ${failing}`).toBeInstanceOf(EvidenceError)
      if (existsSync(dir)) await assertSound(dir, told, `operation ${failing} (${[...device.hits].at(-1)})`)
    }
    expect(failing).toBeGreaterThan(40)
    for (const name of ['openSync', 'writeSync', 'renameSync', 'fdatasyncSync', 'fsyncSync', 'unlinkSync'])
      expect(device.hits).toContain(name)
  },
  60_000,
)
