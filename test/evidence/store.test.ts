import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FileStore } from '../../src/evidence/file-store.ts'
import { MemoryStore } from '../../src/evidence/memory-store.ts'
import type { EvidenceStore } from '../../src/evidence/store.ts'
import { leafHash, noEntry } from '../../src/evidence/verify.ts'
import { tempDir } from './support.ts'

/** What every place for evidence has to do. */
function storeContract(name: string, make: () => EvidenceStore): void {
  test(`${name}: an empty store has no lines and no last one`, async () => {
    const store = make()
    expect([...store.lines('log'), ...store.lines('pack')]).toEqual([])
    expect(store.last()).toBeUndefined()
    expect(store.repairs).toEqual([])
    await store.close()
  })

  test(`${name}: a line is there once it is committed, and not before`, async () => {
    const store = make()
    store.append('log', 'one')
    expect([...store.lines('log')]).toEqual([])
    store.commit()
    expect([...store.lines('log')]).toEqual(['one'])
    await store.close()
  })

  test(`${name}: lines come back in order, each in its own stream`, async () => {
    const store = make()
    const lines = Array.from({ length: 500 }, (_, index) => `line ${index} ü€😀`)
    for (const line of lines) store.append('log', line)
    store.append('pack', 'payload')
    store.commit()
    store.append('log', 'the last')
    store.commit()
    await store.sync()
    expect([...store.lines('log')]).toEqual([...lines, 'the last'])
    expect([...store.lines('pack')]).toEqual(['payload'])
    expect(store.last()).toBe('the last')
    await store.close()
  })

  test(`${name}: a line may be far longer than what is read at a time`, async () => {
    const store = make()
    const long = 'ä'.repeat(1_000_000)
    for (const line of ['before', long, 'after', long]) store.append('log', line)
    store.commit()
    expect([...store.lines('log')]).toEqual(['before', long, 'after', long])
    expect(store.last()).toBe(long)
    await store.close()
  })

  test(`${name}: of the newest bytes there are the whole lines`, async () => {
    const store = make()
    const lines = Array.from({ length: 40 }, (_, index) => `line ${index} ${'ü'.repeat(index)}`)
    for (const line of lines) {
      store.append('log', line)
      store.commit()
    }
    const sizes = lines.map((line) => Buffer.byteLength(line) + 1)
    for (let bytes = 0; bytes < 3_500; bytes += 7) {
      let first = lines.length
      for (let left = bytes; first > 0 && left >= (sizes[first - 1] ?? 0); first -= 1)
        left -= sizes[first - 1] ?? 0
      expect([...store.lines('log', bytes)]).toEqual(lines.slice(first))
    }
    await store.close()
  })

  test(`${name}: those who wait for the device at once are all answered`, async () => {
    const store = make()
    const waits = Array.from({ length: 50 }, async (_, index) => {
      store.append('log', `${index}`)
      store.commit()
      await store.sync()
    })
    await Promise.all(waits)
    expect([...store.lines('log')]).toHaveLength(50)
    await store.close()
  })
}

storeContract('memory', () => new MemoryStore())
storeContract('files', () => FileStore.open(tempDir()))
storeContract('files in many segments', () => FileStore.open(tempDir(), 64))

test('memory that is full refuses, and says so', () => {
  const store = new MemoryStore(10)
  store.append('log', '12345678901')
  expect(() => store.commit()).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
})

test('a file that another program has written to is not written any more', async () => {
  const dir = tempDir()
  const store = FileStore.open(dir)
  store.append('log', JSON.stringify({ kind: 'open', prev: noEntry, seq: 0, time: 1, v: 1 }))
  store.commit()
  appendFileSync(join(dir, 'log-000001.jsonl'), `${leafHash('')}\n`)
  store.append('log', 'next')
  expect(() => store.commit()).toThrow('another program has written to the evidence')
  await store.close()
})
