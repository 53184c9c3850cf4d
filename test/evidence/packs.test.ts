/** Packs that are full: compressed in frames, found by an index, and bounded for whoever reads them. */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readFrames } from '../../src/evidence/files/frames.ts'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import { limits } from '../../src/limits.ts'
import { until } from '../support/kernel.ts'
import { inFolder, linesOf, recordCall, tempDir } from './support.ts'

const packed = 'pack-000001.jsonl.zst'

/** A folder of small segments, all full packs compressed and all full segments of the log indexed. */
async function full(calls: number, segmentBytes = 20_000): Promise<string> {
  const dir = tempDir()
  const log = inFolder(dir, segmentBytes)
  for (let call = 0; call < calls; call += 1) {
    recordCall(log, call, `{"call":${call},"text":"${'lorem ipsum '.repeat(20)}"}`)
    if (call % 10 === 9) log.commit()
  }
  await settled(dir)
  await log.close()
  return dir
}

/** Waits until nothing is left to be done beside the writing. */
async function settled(dir: string): Promise<void> {
  const numbers = (pattern: RegExp) => readdirSync(dir).filter((file) => pattern.test(file)).length
  await until(
    () =>
      numbers(/^pack-\d+\.jsonl$/) === 1 && numbers(/^log-\d+\.index$/) === numbers(/^log-\d+\.jsonl$/) - 1,
    'packs are compressed and the log is indexed',
  )
}

test('a full pack is compressed and loses nothing: the same lines, in order, by our reader and by zstd itself', async () => {
  const dir = await full(300)
  const plain = [...new EvidenceFolder(dir).packs()]
  expect(plain).toHaveLength(600)
  expect(new Set(plain.map((line) => JSON.parse(line).hash)).size).toBe(600)
  expect(new EvidenceFolder(dir).verify()).toMatchObject({ ok: true, entries: 600 })
  const lines = plain.slice(0, 40).join('\n').length
  expect(statSync(join(dir, packed)).size).toBeLessThan(lines)
  expect(readdirSync(dir).filter((file) => file.endsWith('.new'))).toEqual([])
})

const hasZstd = (() => {
  try {
    execFileSync('zstd', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

test.skipIf(!hasZstd)('anybody’s zstd prints the lines of a pack', async () => {
  const dir = await full(100)
  const text = execFileSync('zstd', ['-dc', join(dir, packed)], { encoding: 'utf8' })
  expect([...new EvidenceFolder(dir).packs()].join('\n').startsWith(text.slice(0, -1))).toBe(true)
})

test('a payload is found by its hash, in a compressed pack, and in the one that is written', async () => {
  const dir = tempDir()
  const log = inFolder(dir, 5_000)
  const refs = Array.from({ length: 300 }, (_, nth) => {
    const ref = log.payload(`payload ${nth} ${'x'.repeat(200)}`)
    log.commit()
    return ref
  })
  await until(() => existsSync(join(dir, 'pack-000002.index')), 'packs are compressed')
  const evidence = new EvidenceFolder(dir)
  for (const nth of [0, 1, 17, 150, 298, 299]) {
    const { hash = '' } = refs[nth] ?? {}
    expect(evidence.payloads(new Set([hash])).get(hash)?.text).toContain(`payload ${nth} `)
  }
  const all = evidence.payloads(new Set(refs.map(({ hash }) => hash)))
  expect(all.size).toBe(300)
  expect(evidence.payloads(new Set(['0'.repeat(64)])).size).toBe(0)
  await log.close()
})

test('an index that is gone, cut, of another file or full of nonsense changes nothing but the time', async () => {
  const dir = await full(200)
  const hashes = new Set([...new EvidenceFolder(dir).packs()].map((line) => JSON.parse(line).hash))
  const index = join(dir, 'pack-000001.index')
  const whole = readFileSync(index)
  for (const bytes of [
    Buffer.alloc(0),
    whole.subarray(0, 7),
    whole.subarray(0, -3),
    Buffer.from(whole).fill(9, 0, 16),
  ]) {
    writeFileSync(index, bytes)
    expect(new EvidenceFolder(dir).payloads(hashes).size).toBe(hashes.size)
  }
  await inFolder(dir).close()
})

/** A file of one frame that says how much it is. */
function frameOf(lines: Buffer, said = lines.length): Buffer {
  const frame = zstdCompressSync(lines)
  const head = Buffer.from('5e2a4d18080000000000000000000000', 'hex')
  head.writeUInt32LE(frame.length, 8)
  head.writeUInt32LE(said, 12)
  return Buffer.concat([head, frame])
}

const zeros = (length: number): Buffer =>
  Buffer.alloc(length)
    .fill('0')
    .fill('\n', length - 1)

test.each([
  ['a frame that holds more than it says', () => frameOf(zeros(50_000_000), 1_000)],
  ['a frame that says more than any kernel writes', () => frameOf(zeros(1_000), 4_000_000_000)],
  ['a frame that holds less than it says', () => frameOf(zeros(1_000), 2_000)],
  ['a frame that is cut short', () => frameOf(Buffer.from(`${'abcdefghij'.repeat(99)}\n`)).subarray(0, -9)],
  ['what is no frame', () => Buffer.from('hello, world; this is no frame at all')],
  ['a head without an end', () => Buffer.from('5e2a4d1808', 'hex')],
])('%s is refused without being unpacked, and named', async (_, make) => {
  const dir = await full(60)
  writeFileSync(join(dir, packed), make())
  const before = process.memoryUsage().arrayBuffers
  const { ok, problems } = new EvidenceFolder(dir).verify()
  expect(ok).toBe(false)
  expect(problems).toMatchObject([
    { entry: null, kind: 'payload', detail: 'a line of a pack is not a payload' },
  ])
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40_000_000)
})

test('many frames together are bounded too', () => {
  const file = join(tempDir(), 'bomb')
  const bomb = frameOf(zeros(2 ** 20))
  writeFileSync(file, Buffer.concat(Array.from({ length: 6 }, () => bomb)))
  const fd = openSync(file, 'r')
  let unpacked = 0
  let refused = 0
  for (const { lines } of readFrames(fd, statSync(file).size, 0, 4 * 2 ** 20)) {
    unpacked += lines?.length ?? 0
    if (lines === undefined) refused += 1
  }
  closeSync(fd)
  expect({ unpacked, refused }).toEqual({ unpacked: 4 * 2 ** 20, refused: 1 })
})

test('one damaged frame costs its own lines, and not those after it', async () => {
  const dir = tempDir()
  const log = inFolder(dir, 800_000)
  for (let nth = 0; nth < 40; nth += 1) {
    log.payload(`payload ${nth} ${Math.random()} ${'x'.repeat(30_000)}`)
    log.commit()
  }
  await until(() => existsSync(join(dir, 'pack-000001.index')), 'the pack is compressed')
  await log.close()
  const bytes = readFileSync(join(dir, packed))
  bytes[40] = 255 - (bytes[40] ?? 0)
  writeFileSync(join(dir, packed), bytes)
  const texts = [...new EvidenceFolder(dir).packs()].filter((line) => line.startsWith('{'))
  expect(texts.length).toBeGreaterThan(30)
  expect(texts.length).toBeLessThan(40)
})

test('a crash while a pack is compressed leaves it readable once, and the next start clears up', async () => {
  const dir = await full(100)
  const before = [...new EvidenceFolder(dir).packs()]
  const first = readFileSync(join(dir, packed))
  writeFileSync(join(dir, `${packed}.new`), first.subarray(0, 100))
  // Both forms: the name of the new one was on the device, and the old one not yet gone.
  const lines = before.slice(0, 40).join('\n')
  writeFileSync(join(dir, 'pack-000001.jsonl'), `${lines}\n`)
  expect([...new EvidenceFolder(dir).packs()]).toEqual(before)
  const log = inFolder(dir)
  await log.close()
  expect(existsSync(join(dir, 'pack-000001.jsonl'))).toBe(false)
  expect(existsSync(join(dir, `${packed}.new`))).toBe(false)
  expect([...new EvidenceFolder(dir).packs()]).toEqual(before)
})

test('of a text beyond the limit only the digest is kept, and the entry says so', async () => {
  const dir = tempDir()
  const log = inFolder(dir)
  const text = 'x'.repeat(limits.evidencePayloadBytesMax + 1)
  expect(log.payload(text)).toEqual({ bytes: text.length, hash: expect.any(String), kept: false })
  expect(log.payload('short')).toEqual({ bytes: 5, hash: expect.any(String) })
  await log.close()
  expect(linesOf(dir, 'pack-000001.jsonl').map((line) => Object.keys(JSON.parse(line)))).toEqual([
    ['hash', 'salt'],
    ['hash', 'salt', 'text'],
  ])
})

test('a torn end of the pack that is written is repaired beside compressed ones', async () => {
  const dir = await full(100)
  const last = readdirSync(dir).filter((file) => /^pack-\d+\.jsonl$/.test(file))[0] ?? ''
  const { size } = statSync(join(dir, last))
  if (size > 10) truncateSync(join(dir, last), size - 10)
  const log = inFolder(dir)
  expect([...log.entries({ kind: 'repair' })]).toHaveLength(size > 10 ? 1 : 0)
  expect(log.verify().ok).toBe(true)
  await log.close()
})
