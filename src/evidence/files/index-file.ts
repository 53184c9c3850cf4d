/**
 * What stands where in a segment that is not written any more: for a log its runs and its rarer kinds of entry, by
 * block; for a pack its payloads, by frame. It is derived, says too much rather than too little, and nobody believes
 * it: whoever looks something up reads the place itself, verification reads no index, and one that does not fit its
 * segment is left out of account and made anew.
 *
 * A file of 64-bit little-endian numbers: three of the head (what it is, size of the segment, how many follow), then,
 * sorted, 32 bits of a key's hash and 32 bits of a position.
 */
import { hash } from 'node:crypto'
import { closeSync, fdatasyncSync, fstatSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../../limits.ts'
import type { EntryFilter } from '../select.ts'
import { fileOf, flags, openRegular, type Segment } from './folder.ts'
import { readAt } from './read-at.ts'
import { writeWhole } from './repair.ts'

/** `ghidx001`. */
const magic = Buffer.from('ghidx001').readBigUInt64LE()
const headWords = 3
const wordBytes = 8

export const indexName = (segment: Segment): string =>
  fileOf({ ...segment, packed: false }).replace(/\.jsonl$/, '.index')

/** Entries of these kinds are too many to be found one by one. */
const frequent: readonly string[] = ['intent', 'outcome', 'turn']

/** As an index of a log knows what is looked for; `text` stands in the line of every such entry. */
export interface LogKey {
  readonly key: number
  readonly text: string
}

/** @returns what to look for to find all that fits a filter; undefined where that is the whole log */
export function keyOf({ run, kind }: EntryFilter): LogKey | undefined {
  const named = `"run":${JSON.stringify(run)}`
  if (run !== undefined) return named.replace(marks, '') === '' ? logKey(named) : undefined
  return kind === undefined || frequent.includes(kind) ? undefined : logKey(`"kind":"${kind}"`)
}

const logKey = (text: string): LogKey => ({ key: hash('sha256', text, 'buffer').readUInt32BE(0), text })

/** The key of a payload; its hash is one already. */
export const payloadKey = (hash: string): number => Number.parseInt(hash.slice(0, 8), 16)

const marks = /"(?:run":"(?:[^"\\]|\\.){0,64}|kind":"\w{1,32})"/g

/** Collects an index while a segment is read. */
export class IndexBuilder {
  #pairs = new Uint32Array(512)
  #length = 0
  readonly #keys = new Map<string, number>()
  #seen = new Set<number>()
  #seenAt = -1

  /** @param key 32 bits @param at a position, below 2 ** 32 */
  add(key: number, at: number): void {
    if (at !== this.#seenAt) this.#seen = new Set()
    this.#seenAt = at
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    if (this.#length === this.#pairs.length) {
      const pairs = new Uint32Array(this.#pairs.length * 2)
      pairs.set(this.#pairs)
      this.#pairs = pairs
    }
    this.#pairs[this.#length] = at
    this.#pairs[this.#length + 1] = key
    this.#length += 2
  }

  /** Adds what a line of a log can be found by. @param at the position of the block in which it begins */
  addEntry(line: string, at: number): void {
    for (const [mark] of line.matchAll(marks)) {
      if (mark.startsWith('"kind') && frequent.includes(mark.slice(8, -1))) continue
      const key = this.#keys.get(mark) ?? logKey(mark).key
      this.#keys.set(mark, key)
      this.add(key, at)
    }
  }

  /** @param size of the segment, in bytes */
  bytes(size: number): Buffer {
    // On a machine whose numbers begin at the other end the file begins otherwise, and is not taken for an index.
    const words = new BigUint64Array(this.#pairs.buffer, 0, this.#length / 2).toSorted()
    const head = BigUint64Array.of(magic, BigInt(size), BigInt(words.length))
    return Buffer.concat([Buffer.from(head.buffer), Buffer.from(words.buffer)])
  }
}

/** Puts an index beside its segment, whole or not at all. @throws whatever the system says */
export function writeIndex(dir: string, segment: Segment, bytes: Buffer): void {
  const draft = `${indexName(segment)}.new`
  rmSync(join(dir, draft), { force: true })
  const fd = openRegular(dir, draft, flags.create)
  try {
    writeWhole(fd, bytes)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(join(dir, draft), join(dir, indexName(segment)))
}

/**
 * @param size of the segment
 * @returns where each key may stand, in order and without doubles; undefined where there is no index that fits
 */
export function lookUp(
  dir: string,
  segment: Segment,
  size: number,
  keys: readonly number[],
): readonly number[] | undefined {
  return withIndex(dir, segment, size, (fd, count) => {
    const read = keys.length > limits.evidenceLookupsMax ? wholeIndex(fd, count) : byParts(fd)
    const found = new Set<number>()
    for (const key of keys)
      for (let nth = firstOf(key, count, read); nth < count; nth += 1) {
        const [at, other] = read(nth)
        if (other !== key) break
        found.add(at)
      }
    return [...found].sort((a, b) => a - b)
  })
}

/** Whether there is one that fits, by its head. */
export const hasIndex = (dir: string, segment: Segment, size: number): boolean =>
  withIndex(dir, segment, size, () => true) ?? false

/** The bytes of an index; undefined where there is none that fits. */
export const readIndex = (dir: string, segment: Segment, size: number): Buffer | undefined =>
  withIndex(dir, segment, size, (fd, count) => readAt(fd, 0, (headWords + count) * wordBytes))

function withIndex<T>(
  dir: string,
  segment: Segment,
  size: number,
  work: (fd: number, count: number) => T,
): T | undefined {
  let fd: number
  try {
    fd = openRegular(dir, indexName(segment), flags.read)
  } catch {
    return undefined
  }
  try {
    const bytes = fstatSync(fd).size
    const head = readAt(fd, 0, headWords * wordBytes)
    if (bytes < head.length || head.length < headWords * wordBytes || bytes > limits.evidenceIndexBytesMax)
      return undefined
    const count = bytes / wordBytes - headWords
    const [what, of, said] = [0, 1, 2].map((word) => head.readBigUInt64LE(word * wordBytes))
    return what === magic && of === BigInt(size) && said === BigInt(Math.trunc(count)) && count % 1 === 0
      ? work(fd, count)
      : undefined
  } finally {
    closeSync(fd)
  }
}

type Read = (nth: number) => readonly [at: number, key: number]

function wholeIndex(fd: number, count: number): Read {
  const words = readAt(fd, headWords * wordBytes, count * wordBytes)
  return (nth) => [words.readUInt32LE(nth * wordBytes), words.readUInt32LE(nth * wordBytes + 4)]
}

function byParts(fd: number): Read {
  return (nth) => {
    const word = readAt(fd, (headWords + nth) * wordBytes, wordBytes)
    return [word.readUInt32LE(0), word.readUInt32LE(4)]
  }
}

/** @returns which is the first with a key of at least this */
function firstOf(key: number, count: number, read: Read): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (read(middle)[1] < key) low = middle + 1
    else high = middle
  }
  return low
}
