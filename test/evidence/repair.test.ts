import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Entry } from '../../src/evidence/entry.ts'
import { FileStore } from '../../src/evidence/file-store.ts'
import { inFolder, linesOf, recordCall, tempDir } from './support.ts'

/** The files of a log of three calls. */
async function recorded(): Promise<{ log: Buffer; pack: Buffer }> {
  const dir = tempDir()
  const log = inFolder(dir)
  for (let call = 0; call < 3; call += 1) recordCall(log, call, `{"text":"ü${call}"}`)
  await log.close()
  return {
    log: readFileSync(join(dir, 'log-000001.jsonl')),
    pack: readFileSync(join(dir, 'pack-000001.jsonl')),
  }
}

/** A folder with these files in it. */
function folderWith(files: Record<string, string | Buffer>): string {
  const dir = join(tempDir(), 'evidence')
  mkdirSync(dir)
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content)
  return dir
}

/** What a kernel finds that opens a folder, with what it then says about the repair. */
async function opened(dir: string): Promise<{ ok: boolean; entries: number; repairs: Entry[] }> {
  const log = inFolder(dir)
  const { ok, entries } = log.verify()
  const repairs = [...log.entries({ kind: 'repair' })]
  await log.close()
  return { ok, entries, repairs }
}

const wholeLines = (bytes: Buffer): number => bytes.toString('latin1').split('\n').length - 1

test('a log that was torn at any byte of its last two lines opens with every line that was whole', async () => {
  const { log, pack } = await recorded()
  const from = log.subarray(0, -1).lastIndexOf('\n', log.subarray(0, -1).lastIndexOf('\n') - 1) + 1
  for (let size = from; size < log.length; size += 1) {
    const torn = log.subarray(0, size)
    const dir = folderWith({ 'log-000001.jsonl': torn, 'pack-000001.jsonl': pack })
    const { ok, entries, repairs } = await opened(dir)
    const cut = torn.subarray(torn.lastIndexOf('\n') + 1)
    expect({ size, ok, entries }).toEqual({
      size,
      ok: true,
      entries: wholeLines(torn) + (cut.length > 0 ? 1 : 0),
    })
    if (cut.length > 0) {
      expect(repairs).toMatchObject([{ file: 'log-000001.jsonl', bytes: cut.length }])
      expect(readFileSync(join(dir, String(repairs[0]?.kept)))).toEqual(cut)
    }
    rmSync(dir, { recursive: true })
  }
})

test('a pack that was torn at any byte of its last line opens with every payload that was whole', async () => {
  const { log, pack } = await recorded()
  for (let size = pack.subarray(0, -1).lastIndexOf('\n') + 2; size < pack.length; size += 1) {
    const dir = folderWith({ 'log-000001.jsonl': log, 'pack-000001.jsonl': pack.subarray(0, size) })
    const { ok, repairs } = await opened(dir)
    expect({ size, ok, files: repairs.map(({ file }) => file) }).toEqual({
      size,
      ok: true,
      files: ['pack-000001.jsonl'],
    })
    expect(linesOf(dir, 'pack-000001.jsonl')).toHaveLength(5)
    rmSync(dir, { recursive: true })
  }
})

test.each([
  ['zeros', Buffer.alloc(100_000)],
  ['lines that are not entries', Buffer.from('{"half":\nxx\n\n')],
  ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 10])],
  ['more than is read at a time', Buffer.alloc(1_000_000, 'x')],
])('a loss of power that left %s at the end is repaired', async (_, garbage) => {
  const { log, pack } = await recorded()
  const dir = folderWith({ 'log-000001.jsonl': Buffer.concat([log, garbage]), 'pack-000001.jsonl': pack })
  const { ok, entries, repairs } = await opened(dir)
  expect({ ok, entries, bytes: repairs[0]?.bytes }).toEqual({ ok: true, entries: 7, bytes: garbage.length })
  expect(readFileSync(join(dir, String(repairs[0]?.kept)))).toEqual(garbage)
})

test('a segment in which nothing was whole is emptied, and the one before is repaired too', async () => {
  const { log, pack } = await recorded()
  const torn = Buffer.concat([log, Buffer.from('{"a')])
  const dir = folderWith({ 'log-000001.jsonl': torn, 'log-000002.jsonl': '{"b', 'pack-000001.jsonl': pack })
  const { ok, entries, repairs } = await opened(dir)
  expect({ ok, entries }).toEqual({ ok: true, entries: 8 })
  expect(repairs.map(({ file, bytes }) => [file, bytes])).toEqual([
    ['log-000002.jsonl', 3],
    ['log-000001.jsonl', 3],
  ])
  expect(linesOf(dir, 'log-000002.jsonl')).toHaveLength(2)
})

test('two tears at the same place keep both pieces', async () => {
  const { log, pack } = await recorded()
  const dir = folderWith({
    'log-000001.jsonl': Buffer.concat([log, Buffer.from('{"second')]),
    'pack-000001.jsonl': pack,
    [`torn-log-000001-${log.length}.bin`]: '{"first',
  })
  const { repairs } = await opened(dir)
  expect(repairs.map(({ kept }) => kept)).toEqual([`torn-log-000001-${log.length}-2.bin`])
  expect(readFileSync(join(dir, `torn-log-000001-${log.length}.bin`), 'utf8')).toBe('{"first')
})

test('damage further up is not cut away as if it were a crash: it stays for the verifier', async () => {
  const { log: bytes, pack } = await recorded()
  bytes[10] = 0
  const dir = folderWith({ 'log-000001.jsonl': bytes, 'pack-000001.jsonl': pack })
  const log = inFolder(dir)
  expect(log.verify()).toMatchObject({
    ok: false,
    entries: 6,
    problems: [{ entry: 0, kind: 'unparsable' }, {}, {}],
  })
  await log.close()
  expect(readFileSync(join(dir, 'log-000001.jsonl'))).toEqual(bytes)
})

test('a file that holds no entry at all is left alone, and refused', () => {
  const dir = folderWith({ 'log-000001.jsonl': 'dear diary\n' })
  expect(() => FileStore.open(dir)).toThrow('`log-000001.jsonl` has no sound line')
  expect(readdirSync(dir).sort()).toEqual(['log-000001.jsonl', 'pack-000001.jsonl'])
})

test.each([
  ['a link to a file', (at: string) => symlinkSync('/dev/null', at), 'ELOOP'],
  ['a folder', (at: string) => mkdirSync(at), 'EISDIR'],
  ['a second name of a file', (at: string) => linkSync(writeAnd(`${at}.other`), at), 'a hard link'],
])('%s in the place of the log is refused', (_, place, why) => {
  const dir = folderWith({})
  place(join(dir, 'log-000001.jsonl'))
  expect(() => FileStore.open(dir)).toThrow(why)
})

function writeAnd(path: string): string {
  writeFileSync(path, '')
  return path
}

test('a folder that is a link, or a file, is refused with what to do', () => {
  const dir = tempDir()
  symlinkSync(dir, join(dir, 'link'))
  writeFileSync(join(dir, 'file'), '')
  expect(() => FileStore.open(join(dir, 'link'))).toThrow(
    'it is a link, which is not followed; name the folder',
  )
  expect(() => FileStore.open(join(dir, 'file'))).toThrow('it is a file; name a folder')
})

test('the folder and its files are for their owner alone', async () => {
  const dir = join(tempDir(), 'a', 'evidence')
  const store = FileStore.open(dir)
  expect(statSync(dir).mode & 0o777).toBe(0o700)
  for (const file of readdirSync(dir)) expect(statSync(join(dir, file)).mode & 0o777).toBe(0o600)
  await store.close()
})
