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
  /** How often each was asked for. */
  calls: new Map<string, number>(),
}))

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs')>()
  const fails = (name: string): Error | undefined => {
    device.count += 1
    device.calls.set(name, (device.calls.get(name) ?? 0) + 1)
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
function disarm(failing: number): boolean {
  const reached = device.count >= failing
  device.count = Number.NEGATIVE_INFINITY
  return reached
}

/** What was acknowledged before the device failed, and the error that stopped it. */
interface Told {
  readonly acknowledged: string[]
  readonly redacted: Set<string>
  effects: number
  error?: unknown
  /** Whether the log took anything after it had failed. */
  goesOn: boolean
}

/** A kernel's worth of work: it opens, acts, fills segments, deletes, and closes. */
async function work(dir: string, durability: 'process' | 'disk'): Promise<Told> {
  const told: Told = { acknowledged: [], redacted: new Set(), effects: 0, goesOn: false }
  let store: FileStore | undefined
  let log: EvidenceLog | undefined
  try {
    store = FileStore.open(dir, 1_500)
    log = EvidenceLog.open({ store, clock: tickingClock(), durability })
    await finishRemoval(store)
    for (let call = 0; call < 4; call += 1) {
      const { seq, hash } = log.append(intent(log.payload(`secret ${call} ${'x'.repeat(300)}`), call))
      await log.durable()
      told.effects += 1
      told.acknowledged.push(`${seq} ${hash}`)
    }
    const kept = { log, store, pause: async () => {} }
    const entries = [...store.read().entries({ kind: 'intent' })].map(({ seq }) => seq).slice(0, 2)
    const author = { by: 'mia', reason: 'a test' }
    const { payloads } = await removePayloads(kept, ofEntries(store.read(), entries, author))
    if (payloads > 0) for (const call of [0, 1]) told.redacted.add(`secret ${call} `)
    await log.close()
  } catch (error) {
    told.error = error
    // The device may work again; the log does not.
    device.failing = 0
    if (log?.failed !== undefined) told.goesOn = await appended(log)
  }
  await store?.close().catch(() => {})
  return told
}

const appended = (log: EvidenceLog): Promise<boolean> =>
  (async () => {
    log.append({ kind: 'host' })
    await log.durable()
  })().then(
    () => true,
    () => false,
  )

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
  const kept = told.acknowledged.length > 3 ? ['secret 2 ', 'secret 3 '] : []
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
      reached = disarm(failing)
      expect({ failing, goesOn: told.goesOn }).toEqual({ failing, goesOn: false })
      if (told.error !== undefined && told.effects > 0 && told.effects < 4)
        expect(told.error, `operation ${failing}`).toBeInstanceOf(EvidenceError)
      if (existsSync(dir)) await assertSound(dir, told, `operation ${failing} (${[...device.hits].at(-1)})`)
    }
    expect(failing).toBeGreaterThan(40)
    for (const name of ['openSync', 'writeSync', 'renameSync', 'fdatasyncSync', 'fsyncSync', 'unlinkSync'])
      expect(device.hits).toContain(name)
  },
  60_000,
)

test('those who wait for the device at once share its flushes, and each is answered after one that has its entry', async () => {
  const dir = tempDir()
  const log = EvidenceLog.open({ store: FileStore.open(dir), clock: tickingClock(), durability: 'disk' })
  device.calls.clear()
  for (let round = 0; round < 5; round += 1)
    await Promise.all(
      Array.from({ length: 100 }, async (_, call) => {
        log.append(intent(log.payload(`${call}`), call))
        await log.durable()
      }),
    )
  // A round needs one flush of each of the two files, and one more where it came while another was under way.
  expect(device.calls.get('fdatasync')).toBeGreaterThanOrEqual(10)
  expect(device.calls.get('fdatasync')).toBeLessThanOrEqual(20)
  await log.close()
})

test('a segment that is begun has its name on the device before anything in it is acknowledged', async () => {
  const dir = tempDir()
  const log = EvidenceLog.open({ store: FileStore.open(dir, 500), clock: tickingClock(), durability: 'disk' })
  for (let call = 0; call < 5; call += 1) {
    device.calls.clear()
    log.append(intent(log.payload('x'.repeat(600)), call))
    await log.durable()
    expect(device.calls.get('fsync')).toBeGreaterThanOrEqual(1)
  }
  await log.close()
})
