/** A manifest stays true while its log goes on, and says what was changed. */
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkManifest } from '../../../src/evidence/report/check-manifest.ts'
import { makeManifest, type RunManifest, readManifest } from '../../../src/evidence/report/manifest.ts'
import { leafHash } from '../../../src/evidence/verify.ts'
import { limits } from '../../../src/limits.ts'
import { inFolder, intent, linesOf, tempDir } from '../support.ts'

const log1 = 'log-000001.jsonl'
const pack1 = 'pack-000001.jsonl'

/** Two runs, one call after another, in files of some three lines unless more fit into one. */
async function record(dir: string, calls = 6, segmentBytes = 900): Promise<void> {
  const log = inFolder(dir, segmentBytes)
  for (let call = 0; call < calls; call += 1) {
    const run = call % 2 === 0 ? 'even' : 'odd'
    const { seq } = log.append({ ...intent(log.payload(`{"call":${call}}`), call), run })
    log.append({
      kind: 'outcome',
      run,
      pid: 7,
      intent: seq,
      status: 'committed',
      result: log.payload('"done"'),
    })
    log.commit()
  }
  await log.close()
}

function manifestOf(dir: string, run = 'even'): RunManifest {
  const manifest = makeManifest(dir, run)
  if (manifest === undefined) throw new Error(`no run ${run}`)
  return manifest
}

const sound = { problems: [], gaps: [], remarks: [] }

function edit(dir: string, file: string, change: (text: string) => string): void {
  const text = readFileSync(join(dir, file), 'utf8')
  const changed = change(text)
  expect(changed).not.toBe(text)
  writeFileSync(join(dir, file), changed)
}

test('it names the entries of the run and the files that hold them, each by the hash of its bytes', async () => {
  const dir = tempDir()
  await record(dir)
  const manifest = manifestOf(dir)
  const lines = readdirSync(dir)
    .filter((name) => name.startsWith('log-'))
    .toSorted()
    .flatMap((name) => linesOf(dir, name))
  const own = lines.filter((line) => line.includes('"run":"even"'))
  expect(manifest.entries).toEqual({ count: 6, first: 0, last: 9, head: leafHash(own.at(-1) ?? '') })
  expect(manifest.payloads).toEqual({ kept: 6, digest: 0, deleted: 0 })
  expect(manifest.files.length).toBeGreaterThan(3)
  for (const { name, bytes, sha256, whole } of manifest.files) {
    const content = readFileSync(join(dir, name))
    expect(createHash('sha256').update(content.subarray(0, bytes)).digest('hex')).toBe(sha256)
    if (whole) expect(content.length).toBe(bytes)
  }
  expect(checkManifest(dir, manifest)).toEqual(sound)
  expect(makeManifest(dir, 'none')).toBeUndefined()
})

test('it stays true, and the same, while the log goes on', async () => {
  const dir = tempDir()
  await record(dir, 2)
  const before = manifestOf(dir)
  expect(before.files.every(({ whole }) => !whole)).toBe(true)
  const other = inFolder(dir)
  other.append({ kind: 'open' })
  await other.close()
  expect(manifestOf(dir)).toEqual(before)
  expect(checkManifest(dir, before)).toEqual(sound)
  await record(dir, 4)
  const { problems, gaps, remarks } = checkManifest(dir, before)
  expect({ problems, gaps }).toEqual({ problems: [], gaps: [] })
  expect(remarks).toContain('the run has gone on: 4 more of its entries are on record')
})

test('a torn tail is in no manifest, so that its repair changes nothing', async () => {
  const dir = tempDir()
  await record(dir, 1)
  const before = manifestOf(dir)
  appendFileSync(join(dir, log1), '{"torn')
  expect(manifestOf(dir)).toEqual(before)
  expect(checkManifest(dir, before)).toEqual(sound)
})

test.each<[string, (dir: string) => void, RegExp]>([
  [
    'an entry is edited',
    (dir) => edit(dir, log1, (text) => text.replace('notes.txt', 'other.txt')),
    /`log-000001.jsonl` was changed/,
  ],
  [
    'a line of another run is edited',
    (dir) => edit(dir, log1, (text) => text.replace('"odd"', '"ode"')),
    /`log-000001.jsonl` was changed/,
  ],
  [
    'a file is cut',
    (dir) => truncateSync(join(dir, log1), 100),
    /`log-000001.jsonl` has 100 bytes, and \d+ are/,
  ],
  [
    'a finished file goes on',
    (dir) => appendFileSync(join(dir, log1), '\n'),
    /was finished with \d+ bytes, and has/,
  ],
  ['a file is gone', (dir) => rmSync(join(dir, log1)), /`log-000001.jsonl` is not there/],
  [
    'an entry is moved to a file of its own',
    (dir) => renameSync(join(dir, log1), join(dir, 'log-000099.jsonl')),
    /the manifest does not name it/,
  ],
  [
    'a payload is edited',
    (dir) => edit(dir, pack1, (text) => text.replace('\\"call\\":0', '\\"call\\":9')),
    /is not what was hashed/,
  ],
])('what was changed is told when %s', async (what, change, problem) => {
  const dir = tempDir()
  // A finished pack is compressed.
  await record(dir, 6, what === 'a payload is edited' ? limits.evidenceSegmentBytes : 900)
  const manifest = manifestOf(dir)
  change(dir)
  const { problems } = checkManifest(dir, manifest)
  expect(problems.join('\n')).toMatch(problem)
})

test('an entry that is added between two of the run is found by their number', async () => {
  const dir = tempDir()
  await record(dir, 3)
  const manifest = manifestOf(dir)
  const forged = { ...manifest, entries: { ...manifest.entries, count: manifest.entries.count - 1 } }
  expect(checkManifest(dir, forged).problems).toEqual(['the number of entries is 4, and 3 in the manifest'])
  const lacking = { ...manifest, files: manifest.files.filter(({ name }) => name !== log1) }
  expect(checkManifest(dir, lacking).problems).toEqual([
    '`log-000001.jsonl` holds entries of the run, and the manifest does not name it',
  ])
})

test('a payload that was deleted since is a gap and no change; one of another run is neither', async () => {
  const dir = tempDir()
  await record(dir, 6, limits.evidenceSegmentBytes)
  const manifest = manifestOf(dir)
  const withoutLine = (mark: string): void =>
    edit(dir, pack1, (text) =>
      text
        .split('\n')
        .filter((line) => !line.includes(mark))
        .join('\n'),
    )
  withoutLine('\\"call\\":1}')
  const other = checkManifest(dir, manifest)
  expect(other).toMatchObject({ problems: [], gaps: [] })
  expect(other.remarks).toEqual([expect.stringMatching(/`pack-000001.jsonl` .* is what was hashed$/)])
  withoutLine('\\"call\\":0}')
  expect(checkManifest(dir, manifest)).toMatchObject({
    problems: [],
    gaps: ['1 of 6 payloads were deleted since'],
  })
})

test.each<[string, unknown]>([
  ['another document', { type: 'else' }],
  [
    'a file outside of the record',
    { files: [{ name: '../../etc/passwd', bytes: 1, sha256: '0'.repeat(64), whole: true }] },
  ],
  ['a negative length', { files: [{ name: log1, bytes: -1, sha256: '0'.repeat(64), whole: true }] }],
  ['a field that nobody knows', { more: 1 }],
])('%s is no manifest', async (_what, change) => {
  const dir = tempDir()
  await record(dir, 1)
  const manifest = manifestOf(dir)
  expect(readManifest(JSON.stringify(manifest))).toEqual(manifest)
  expect(readManifest(JSON.stringify({ ...manifest, ...(change as object) }))).toBeTypeOf('string')
  expect(readManifest('{')).toBe('it is not JSON')
})
