/** Whether the tree over the entries is what was signed, and how far what was signed reaches. */
import { checkpointText, readCheckpoint } from '../checkpoint.ts'
import type { Entry } from '../entry.ts'
import { Frontier } from '../merkle.ts'
import { readNote } from '../note.ts'
import { KeptCheckpoints } from './kept.ts'
import { Keys, type KnownKey } from './keys.ts'
import type { Find } from './problems.ts'

/** What an auditor brings along. */
export interface Brought {
  /** Keys in the form in which they are handed on, `name+id+key`; none: those that the record itself names. */
  readonly keys?: readonly string[]
  /** Checkpoints that were kept, as signed notes. */
  readonly since?: readonly string[]
  /** The note in the file beside the log. */
  readonly beside?: string
}

/** What the tree shows. */
export interface Signed {
  /** Names the log; undefined where nothing is signed. */
  readonly origin?: string
  /** Every key that has signed, in its order. */
  readonly keys: readonly KnownKey[]
  /** Checkpoints that are sound, and whose key counts. */
  readonly checkpoints: number
  /** Entries that the newest of them covers, and with it fixes. */
  readonly covered: number
  /** Entries at the end that it does not cover, apart from itself. */
  readonly uncovered: number
}

const fields = 'frontier kind note prev seq time v'

export class Tree {
  readonly #find: Find
  readonly #keys: Keys
  readonly #kept: KeptCheckpoints
  #frontier = new Frontier()
  /** Up to which entry all is as it was signed. */
  #sound = 0
  #checkpoints = 0
  #covered = 0
  /** Entries up to and with the newest checkpoint that counts. */
  #reached = 0
  #time: number | undefined

  /** @throws TypeError for what is no key or no checkpoint */
  constructor(find: Find, { keys = [], since = [], beside }: Brought) {
    this.#find = find
    this.#keys = new Keys(find, keys)
    this.#kept = new KeptCheckpoints(find, since, beside)
    this.#kept.reached(this.#frontier)
  }

  /** Reads an entry, before it is a leaf itself. */
  read(entry: Entry, position: number): void {
    if (entry.kind === 'key') this.#keys.read(entry, position)
    if (entry.kind === 'checkpoint') this.#checkpoint(entry, position)
    else this.#time = entry.time
  }

  /** Every line is a leaf, whatever it holds. */
  leaf(hash: Buffer): void {
    this.#frontier.push(hash)
    this.#kept.reached(this.#frontier)
  }

  #checkpoint(entry: Entry, position: number): void {
    const note = typeof entry.note === 'string' ? readNote(entry.note) : undefined
    const signed = note && readCheckpoint(note.text)
    const isFormed = Object.keys(entry).sort().join(' ') === fields && entry.time === this.#time
    const isOnce = note?.signatures.length === 1
    if (
      note === undefined ||
      signed === undefined ||
      note.text !== checkpointText(signed) ||
      !isFormed ||
      !isOnce
    )
      return this.#find(position, 'checkpoint', 'it is not a checkpoint as a kernel writes one')
    if (!this.#keys.hasSigned(note))
      return this.#find(position, 'signature', 'it is not signed by the key that is on record for it')
    if (signed.origin !== this.#keys.origin)
      return this.#find(position, 'checkpoint', 'it is a checkpoint of another log')
    const tree = this.#frontier
    const { size } = signed
    if (size !== tree.size || !tree.root().equals(signed.root)) {
      this.#find(position, 'checkpoint', whatChanged(this.#sound, size, tree.size))
      return this.#adopt(entry, size, signed.root)
    }
    if (!isSame(tree, entry.frontier))
      this.#find(position, 'checkpoint', 'the hashes with which the tree goes on are not its own')
    this.#sound = size
    if (!this.#keys.counts) return
    this.#checkpoints += 1
    this.#covered = size
    this.#reached = position + 1
  }

  /** That something before it was changed is told once; what comes after is compared with what was signed here. */
  #adopt({ frontier }: Entry, size: number, root: Uint8Array): void {
    const roots = Array.isArray(frontier) ? frontier.map((hex) => Buffer.from(String(hex), 'hex')) : []
    const signed = Frontier.of(size, roots)
    if (!signed?.root().equals(root)) return
    this.#frontier = signed
    this.#sound = size
  }

  /** @param entries lines of the log */
  end(entries: number): Signed {
    this.#keys.end()
    this.#kept.end(this.#keys, entries)
    const { origin } = this.#keys
    return {
      ...(origin !== undefined && { origin }),
      keys: this.#keys.list,
      checkpoints: this.#checkpoints,
      covered: this.#covered,
      uncovered: entries - this.#reached,
    }
  }
}

function whatChanged(sound: number, signed: number, found: number): string {
  const last = Math.max(signed, found) - 1
  if (signed !== found)
    return `it covers ${signed} entries, and there are ${found}: among entries ${sound} to ${last} some are missing, or too many`
  return `one of the entries ${sound} to ${last}, which it covers, is not what was signed`
}

const isSame = (tree: Frontier, frontier: unknown): boolean =>
  Array.isArray(frontier) &&
  frontier.length === tree.roots.length &&
  tree.roots.every((root, index) => root.toString('hex') === frontier[index])
