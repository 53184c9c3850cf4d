/** Proofs from the tree of entries: those that others published, and those that are made here. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  consistencyProof,
  emptyRoot,
  extendsTree,
  Frontier,
  includes,
  inclusionProof,
  type RootOf,
} from '../../src/evidence/merkle.ts'

interface Vectors {
  readonly inclusion: readonly {
    readonly case: string
    readonly leafIdx: number
    readonly treeSize: number
    readonly root: string | null
    readonly leafHash: string | null
    readonly proof: readonly string[] | null
    readonly wantErr: boolean
  }[]
  readonly consistency: readonly {
    readonly case: string
    readonly size1: number
    readonly size2: number
    readonly root1: string | null
    readonly root2: string | null
    readonly proof: readonly string[] | null
    readonly wantErr: boolean
  }[]
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../fixtures/rfc6962-proofs.json', import.meta.url), 'utf8'),
)
const bytes = (text: string | null): Buffer => Buffer.from(text ?? '', 'base64')
const list = (texts: readonly string[] | null): readonly Buffer[] => (texts ?? []).map(bytes)

/** As RFC 6962 writes it down, which is slow and plain. */
const rootsOf =
  (leaves: readonly Buffer[]): RootOf =>
  (start, end) => {
    if (end - start === 1) return leaves[start] ?? emptyRoot
    if (end <= start) return emptyRoot
    let power = 1
    while (power * 2 < end - start) power *= 2
    const [left, right] = [rootsOf(leaves)(start, start + power), rootsOf(leaves)(start + power, end)]
    return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest()
  }

const leavesOf = (count: number): readonly Buffer[] =>
  Array.from({ length: count }, (_, index) => createHash('sha256').update(`\0${index}`).digest())

describe('published vectors', () => {
  test.each(vectors.inclusion)('inclusion $case', ({ root, treeSize, leafIdx, leafHash, proof, wantErr }) => {
    expect(includes(bytes(root), treeSize, leafIdx, bytes(leafHash), list(proof))).toBe(!wantErr)
  })

  test.each(vectors.consistency)('consistency $case', ({ size1, root1, size2, root2, proof, wantErr }) => {
    const [before, now] = [
      { size: size1, root: bytes(root1) },
      { size: size2, root: bytes(root2) },
    ]
    expect(extendsTree(before, now, list(proof))).toBe(!wantErr)
  })
})

test('the root of the seven-leaf tree of RFC 6962 is that of the frontier', () => {
  const leaves = leavesOf(7)
  const frontier = new Frontier()
  expect(frontier.root()).toEqual(emptyRoot)
  for (const [index, leaf] of leaves.entries()) {
    frontier.push(leaf)
    expect(frontier.size).toBe(index + 1)
    expect(frontier.root()).toEqual(rootsOf(leaves)(0, index + 1))
  }
})

test('every proof that is made is accepted, and none for another place, leaf or tree', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.nat(), (size, at, from) => {
      const leaves = leavesOf(size)
      const rootOf = rootsOf(leaves)
      const root = rootOf(0, size)
      const index = at % size
      const proof = inclusionProof(rootOf, index, size)
      const leaf = leaves[index] as Buffer
      expect(includes(root, size, index, leaf, proof)).toBe(true)
      expect(includes(root, size, (index + 1) % size, leaf, proof)).toBe(size === 1)
      expect(includes(root, size, index, emptyRoot, proof)).toBe(false)
      expect(includes(emptyRoot, size, index, leaf, proof)).toBe(false)
      expect(includes(root, size, index, leaf, [...proof, emptyRoot])).toBe(false)
      const older = 1 + (from % size)
      const before = { size: older, root: rootOf(0, older) }
      const now = { size, root }
      const path = consistencyProof(rootOf, older, size)
      expect(extendsTree(before, now, path)).toBe(true)
      expect(extendsTree({ ...before, root: emptyRoot }, now, path)).toBe(false)
      expect(extendsTree(before, { size, root: emptyRoot }, path)).toBe(false)
      expect(extendsTree(before, now, [...path, emptyRoot])).toBe(false)
    }),
  )
})

test.each([-1, 3, 1.5, Number.NaN])('index %s of a tree of three is refused', (index) => {
  expect(() => inclusionProof(rootsOf(leavesOf(3)), index, 3)).toThrow(RangeError)
  expect(includes(emptyRoot, 3, index, emptyRoot, [])).toBe(false)
})

test('a tree does not begin with a larger one, and every tree with an empty one', () => {
  expect(consistencyProof(rootsOf(leavesOf(3)), 0, 3)).toEqual([])
  expect(() => consistencyProof(rootsOf(leavesOf(3)), 4, 3)).toThrow(RangeError)
})
