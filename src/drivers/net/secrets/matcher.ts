/** Finds many needles in one pass over the bytes, however many there are and however they overlap (Aho and Corasick, 1975). */
import { assert } from '../../../errors.ts'

export interface Needle {
  readonly bytes: Uint8Array
  /** Bytes on either side that carry bits of it, and are found with it. */
  readonly before: number
  readonly after: number
}

/** What was found, from `start` up to `end`; `needle` is the number of the one that begins it. */
export interface Found {
  readonly start: number
  readonly end: number
  readonly needle: number
}

/** States whose every transition stands in a table; most bytes of a text meet no other. */
const tabledMax = 1_024
const root = 0
const none = -1

/**
 * Upper and lower case are the same, and so are the two alphabets of base64 and the two ways that forms write a blank:
 * whatever respells a needle in that way is found as well.
 */
function folded(byte: number): number {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 0x20
  if (byte === 0x20 || byte === 0x2d) return 0x2b // blank and `-` are `+`
  return byte === 0x5f ? 0x2f : byte // `_` is `/`
}

export class Matcher {
  readonly #needles: readonly Needle[]
  /** What a byte counts as; 0 for one that is in no needle. */
  readonly #classes = new Uint16Array(256)
  #classCount = 1
  // The trie: the class that leads to a state, its first child, and the next child of its parent.
  readonly #label: number[] = [0]
  readonly #child: number[] = [none]
  readonly #sibling: number[] = [none]
  /** The longest needle that ends in a state. */
  readonly #ends: number[] = [none]
  /** How many bytes lead to a state. */
  readonly #depth: number[] = [0]
  /** The state of the longest suffix that is in the trie too. */
  #fail: Int32Array
  /** Where a state's row begins in the table. */
  #row: Int32Array
  #table: Int32Array

  constructor(needles: readonly Needle[]) {
    this.#needles = needles
    for (const [index, { bytes }] of needles.entries()) this.#insert(bytes, index)
    this.#fail = new Int32Array(this.#label.length)
    this.#row = new Int32Array(this.#label.length).fill(none)
    this.#table = new Int32Array(Math.min(tabledMax, this.#label.length) * this.#classCount)
    this.#link()
  }

  /**
   * Looks at one stretch of a text.
   * @param state what the stretch before it gave; 0 at the beginning
   * @param found where everything is added that ends in the stretch; what overlaps is one
   */
  scan(bytes: Uint8Array, from: number, to: number, state: number, found: Found[]): number {
    const [classes, table, rows] = [this.#classes, this.#table, this.#row]
    let at = state
    for (let index = from; index < to; index += 1) {
      const label = classes[bytes[index] ?? 0] ?? 0
      const row = rows[at] ?? none
      at = row === none ? this.#step(at, label) : (table[row + label] ?? root)
      // Most bytes lead back to the root, where no needle ends.
      if (at === root) continue
      const needle = this.#ends[at] ?? none
      if (needle !== none) this.#add(needle, index + 1, bytes.length, found)
    }
    return at
  }

  /** How many bytes before a place may begin a needle that goes on behind it. @param state there */
  depthOf(state: number): number {
    return this.#depth[state] ?? 0
  }

  #add(needle: number, end: number, length: number, found: Found[]): void {
    const looked = this.#needles[needle]
    assert(looked !== undefined, 'a state ends in a needle that there is')
    let start = Math.max(0, end - looked.bytes.length - looked.before)
    let first = needle
    let last = found.at(-1)
    while (last !== undefined && start <= last.end) {
      if (last.start < start) first = last.needle
      start = Math.min(start, last.start)
      found.pop()
      last = found.at(-1)
    }
    found.push({ start, end: Math.min(length, end + looked.after), needle: first })
  }

  #step(state: number, label: number): number {
    for (let at = state; ; at = this.#fail[at] ?? root) {
      const row = this.#row[at] ?? none
      if (row !== none) return this.#table[row + label] ?? root
      const child = this.#childOf(at, label)
      if (child !== none) return child
    }
  }

  #childOf(state: number, label: number): number {
    let child = this.#child[state] ?? none
    while (child !== none && this.#label[child] !== label) child = this.#sibling[child] ?? none
    return child
  }

  #insert(bytes: Uint8Array, needle: number): void {
    let state = root
    for (const byte of bytes) {
      const label = this.#classOf(byte)
      let child = this.#childOf(state, label)
      if (child === none) {
        child = this.#label.length
        this.#label.push(label)
        this.#child.push(none)
        this.#sibling.push(this.#child[state] ?? none)
        this.#ends.push(none)
        this.#depth.push((this.#depth[state] ?? 0) + 1)
        this.#child[state] = child
      }
      state = child
    }
    if (this.#ends[state] === none) this.#ends[state] = needle
  }

  #classOf(byte: number): number {
    const known = this.#classes[folded(byte)] ?? 0
    if (known !== 0) return known
    for (let each = 0; each < this.#classes.length; each += 1)
      if (folded(each) === folded(byte)) this.#classes[each] = this.#classCount
    this.#classCount += 1
    return this.#classCount - 1
  }

  /** Breadth first, so that whatever a state falls back to is complete before it. */
  #link(): void {
    const queue = [root]
    for (let head = 0; head < queue.length; head += 1) {
      const state = queue[head] ?? root
      const fail = this.#fail[state] ?? root
      if (this.#ends[state] === none) this.#ends[state] = this.#ends[fail] ?? none
      for (let child = this.#child[state] ?? none; child !== none; child = this.#sibling[child] ?? none) {
        this.#fail[child] = state === root ? root : this.#step(fail, this.#label[child] ?? 0)
        queue.push(child)
      }
      if (head < tabledMax) this.#fillRow(state, head * this.#classCount, fail)
    }
  }

  #fillRow(state: number, row: number, fail: number): void {
    const above = this.#row[fail] ?? none
    if (state !== root) this.#table.copyWithin(row, above, above + this.#classCount)
    for (let child = this.#child[state] ?? none; child !== none; child = this.#sibling[child] ?? none)
      this.#table[row + (this.#label[child] ?? 0)] = child
    this.#row[state] = row
  }
}
