/**
 * The Merkle tree over the entries of a log, and proofs from it (RFC 6962, section 2.1; verification as in RFC 9162,
 * sections 2.1.3.2 and 2.1.4.2). An auditor can read this file alone. Hashes are 32 bytes.
 */
import { hash } from 'node:crypto'

/** SHA-256 of nothing: the root of a tree without leaves. */
export const emptyRoot: Buffer = hash('sha256', Buffer.alloc(0), 'buffer')

/** 0x01, the left hash, the right one: written over for each node, since a log has as many as it has entries. */
const node = Buffer.alloc(65, 1)

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1)
  node.set(right, 33)
  return hash('sha256', node, 'buffer')
}

/** Grows leaf by leaf in memory that is logarithmic in their number: the roots of its perfect subtrees. */
export class Frontier {
  readonly #roots: Buffer[] = []
  #size = 0

  /**
   * Goes on where another ended.
   * @param roots as `roots` gave them
   * @returns undefined where a tree of that size has another number of them, or one is no hash
   */
  static of(size: number, roots: readonly Buffer[]): Frontier | undefined {
    if (!isCount(size) || !roots.every(isHash) || roots.length !== subtrees(size)) return undefined
    const frontier = new Frontier()
    frontier.#size = size
    frontier.#roots.push(...roots)
    return frontier
  }

  get size(): number {
    return this.#size
  }

  /** Of its perfect subtrees, the largest first. */
  get roots(): readonly Buffer[] {
    return [...this.#roots]
  }

  /** @param leaf the hash of an entry: SHA-256(0x00 ‖ its canonical bytes) */
  push(leaf: Buffer): void {
    let node = leaf
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2)
      node = nodeHash(this.#roots.pop() ?? emptyRoot, node)
    this.#roots.push(node)
    this.#size += 1
  }

  root(): Buffer {
    const [last, ...others] = this.#roots.toReversed()
    if (last === undefined) return emptyRoot
    return others.reduce((right, left) => nodeHash(left, right), last)
  }
}

/** How many perfect subtrees a tree has: the ones in its size as a binary number. */
function subtrees(size: number): number {
  let count = 0
  for (let rest = size; rest > 0; rest = half(rest)) count += rest % 2
  return count
}

/** The root of the leaves from `start` up to, and not with, `end`. */
export type RootOf = (start: number, end: number) => Buffer

/** The largest power of two below `size`, which is at least 2. */
function split(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

/**
 * @param index of the leaf, below `size`
 * @param size leaves of the tree
 * @returns the hashes by which its root follows from the leaf, the lowest first
 * @throws RangeError for an index that is not in the tree
 */
export function inclusionProof(rootOf: RootOf, index: number, size: number): readonly Buffer[] {
  if (!isIndex(index, size)) throw new RangeError(`entry ${index} is not among the first ${size}`)
  const proof: Buffer[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + split(end - start)
    if (index < middle) {
      proof.push(rootOf(middle, end))
      end = middle
    } else {
      proof.push(rootOf(start, middle))
      start = middle
    }
  }
  return proof.toReversed()
}

/**
 * @param before leaves of the older tree
 * @param size leaves of the newer one
 * @returns the hashes that show the older one to be its beginning; none where they are equal or the older one is empty
 * @throws RangeError where the older one is the larger
 */
export function consistencyProof(rootOf: RootOf, before: number, size: number): readonly Buffer[] {
  if (!Number.isSafeInteger(before) || before < 0 || before > size)
    throw new RangeError(`a tree of ${size} entries does not begin with one of ${before}`)
  if (before === 0 || before === size) return []
  const proof: Buffer[] = []
  let [start, end] = [0, size]
  let isWhole = true
  while (end !== before) {
    const middle = start + split(end - start)
    if (before <= middle) {
      proof.push(rootOf(middle, end))
      end = middle
    } else {
      proof.push(rootOf(start, middle))
      start = middle
      isWhole = false
    }
  }
  if (!isWhole) proof.push(rootOf(start, end))
  return proof.toReversed()
}

/** @returns whether a leaf stands at that index of the tree with that root; false for anything that is not sound */
export function includes(
  root: Uint8Array,
  size: number,
  index: number,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (!isIndex(index, size) || ![root, leaf, ...proof].every(isHash)) return false
  let node: Buffer = Buffer.from(leaf)
  let [place, last] = [index, size - 1]
  for (const other of proof) {
    if (last === 0) return false
    if (isOdd(place) || place === last) {
      node = nodeHash(other, node)
      while (!isOdd(place) && place !== 0) [place, last] = [half(place), half(last)]
    } else node = nodeHash(node, other)
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && node.equals(root)
}

/** A tree, as a checkpoint names it. */
export interface TreeHead {
  readonly size: number
  readonly root: Uint8Array
}

/**
 * @param before not empty: every tree begins with an empty one
 * @returns whether the older tree is the beginning of the newer; false for anything that is not sound
 */
export function extendsTree(before: TreeHead, now: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (!isIndex(before.size - 1, now.size)) return false
  if (before.size === now.size) return proof.length === 0 && equal(before.root, now.root)
  return [before.root, now.root, ...proof].every(isHash) && walk(before, now, proof)
}

function walk(before: TreeHead, now: TreeHead, proof: readonly Uint8Array[]): boolean {
  const path = isPowerOfTwo(before.size) ? [before.root, ...proof] : proof
  const [first, ...rest] = path
  if (first === undefined || proof.length === 0) return false
  let [place, last] = [before.size - 1, now.size - 1]
  while (isOdd(place)) [place, last] = [half(place), half(last)]
  let older: Buffer = Buffer.from(first)
  let newer: Buffer = Buffer.from(first)
  for (const other of rest) {
    if (last === 0) return false
    if (isOdd(place) || place === last) {
      older = nodeHash(other, older)
      newer = nodeHash(other, newer)
      while (!isOdd(place) && place !== 0) [place, last] = [half(place), half(last)]
    } else newer = nodeHash(newer, other)
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && older.equals(before.root) && newer.equals(now.root)
}

/** Numbers of leaves pass 2^32, where bitwise operators end. */
const half = (value: number): number => Math.floor(value / 2)
const isOdd = (value: number): boolean => value % 2 === 1
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
const isIndex = (index: number, size: number): boolean => isCount(index) && isCount(size) && index < size
const isHash = (value: Uint8Array): boolean => value.length === emptyRoot.length
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b)

function isPowerOfTwo(value: number): boolean {
  let rest = value
  while (rest > 1 && !isOdd(rest)) rest = half(rest)
  return rest === 1
}
