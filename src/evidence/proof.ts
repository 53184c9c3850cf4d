/**
 * A proof that one entry is in a log: whoever has it and the key needs nothing else of the log. An auditor can read this
 * file alone, with notes, trees and lines beside it.
 */
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import { consistencyProof, extendsTree, Frontier, includes, inclusionProof, type RootOf } from './merkle.ts'
import { isSignedBy, readNote, readVerifier } from './note.ts'
import { leafHash, readEntry } from './verify/line.ts'

/** As it is handed on, as JSON. */
export interface EntryProof {
  readonly v: 1
  /** Its position in the log, from 0. */
  readonly entry: number
  /** The line, without its newline. */
  readonly line: string
  /** Hashes from the leaf to the root, as hex, the lowest first. */
  readonly path: readonly string[]
  /** The checkpoint that covers it, a signed note. */
  readonly checkpoint: string
  /** That the log of that checkpoint goes on from an earlier one: its size, and hashes as hex. */
  readonly since?: { readonly size: number; readonly path: readonly string[] }
}

/**
 * @param lines the log, oldest first; they are read up to the end of what the checkpoint covers, and none is kept
 * @param note a checkpoint of this log
 * @param since an earlier one, where that is to be shown too
 * @throws RangeError for an entry that the checkpoint does not cover, or a later one as the earlier; TypeError for what
 *   is no checkpoint; Error where the lines are not what was signed
 */
export function proveEntry(lines: Iterable<string>, entry: number, note: string, since?: string): EntryProof {
  const { size, root } = headOf(note)
  const ranges = new Ranges()
  const path = inclusionProof(ranges.rootOf, entry, size)
  const before = since === undefined ? undefined : headOf(since)
  const further = before === undefined ? [] : consistencyProof(ranges.rootOf, before.size, size)
  let line = ''
  let position = 0
  for (const each of lines) {
    if (position === size) break
    if (position === entry) line = each
    ranges.leaf(position, Buffer.from(leafHash(each), 'hex'))
    position += 1
  }
  ranges.end()
  const isTrue = includes(root, size, entry, Buffer.from(leafHash(line), 'hex'), path)
  if (!isTrue || (before !== undefined && !extendsTree(before, { size, root }, further)))
    throw new Error('the record is not what the checkpoint covers; verify it')
  const proof = { v: 1 as const, entry, line, path: path.map(hex), checkpoint: note }
  return before === undefined ? proof : { ...proof, since: { size: before.size, path: further.map(hex) } }
}

/**
 * @param document what was handed on, whatever it is
 * @param keys of which one has to have signed the checkpoint, `name+id+key`
 * @param since a checkpoint that was kept, from which the log has to go on
 * @returns the line of the entry, or why it is not proven
 */
export function verifyProof(
  document: unknown,
  keys: readonly string[],
  since?: string,
): { readonly line: string } | { readonly flaw: string } {
  const proof = isProof(document) ? document : undefined
  const note = proof && readNote(proof.checkpoint)
  const head = note && readCheckpoint(note.text)
  if (proof === undefined || note === undefined || head === undefined) return { flaw: 'it is no proof' }
  const verifiers = keys.flatMap((key) => readVerifier(key) ?? [])
  if (!verifiers.some((key) => isSignedBy(note, key)))
    return { flaw: 'its checkpoint is signed by no key that was brought' }
  const { line, entry } = proof
  const leaf = Buffer.from(leafHash(line), 'hex')
  const read = readEntry(line)
  if (!includes(head.root, head.size, entry, leaf, proof.path.map(bytes)))
    return { flaw: 'the line is not the entry that was signed' }
  if ('problem' in read || read.entry.seq !== entry) return { flaw: 'the line has another number' }
  if (since === undefined) return { line }
  const kept = headOf(since)
  const isSame = kept.origin === head.origin && proof.since !== undefined && proof.since.size === kept.size
  if (isSame && extendsTree(kept, head, proof.since.path.map(bytes))) return { line }
  return { flaw: 'the log of this proof does not go on from the checkpoint that was kept' }
}

/** Roots of ranges that are known only when the leaves have gone by: each is filled in at the end. */
class Ranges {
  readonly #all: { start: number; end: number; tree: Frontier; root: Buffer }[] = []

  readonly rootOf: RootOf = (start, end) => {
    const root = Buffer.alloc(hashBytes)
    this.#all.push({ start, end, tree: new Frontier(), root })
    return root
  }

  leaf(position: number, leaf: Buffer): void {
    for (const { start, end, tree } of this.#all) if (start <= position && position < end) tree.push(leaf)
  }

  end(): void {
    for (const { tree, root } of this.#all) root.set(tree.root())
  }
}

const hashBytes = 32
const hex = (hash: Buffer): string => hash.toString('hex')
const bytes = (text: string): Buffer => Buffer.from(text, 'hex')

function headOf(note: string): Checkpoint {
  const head = readCheckpoint(readNote(note)?.text ?? '')
  if (head === undefined) throw new TypeError('it is no checkpoint in a signed note')
  return head
}

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')

function isProof(value: unknown): value is EntryProof {
  const { v, entry, line, path, checkpoint, since } = { ...(value as Partial<EntryProof>) }
  const isSound = v === 1 && typeof entry === 'number' && typeof line === 'string' && isTexts(path)
  const isFurther = since === undefined || (since !== null && isTexts(since.path))
  return isSound && isFurther && typeof checkpoint === 'string'
}
