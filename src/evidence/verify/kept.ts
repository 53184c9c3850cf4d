/** Checkpoints that somebody kept: whether the record goes on from them. */
import { type Checkpoint, readCheckpoint } from '../checkpoint.ts'
import type { Frontier } from '../merkle.ts'
import { type Note, readNote } from '../note.ts'
import type { Keys } from './keys.ts'
import type { Find } from './problems.ts'

interface Kept extends Checkpoint {
  readonly note: Note
  readonly what: string
}

export class KeptCheckpoints {
  readonly #find: Find
  /** Those that are still to come, the smallest first. */
  readonly #waiting: Kept[]
  readonly #all: readonly Kept[]
  /** Whether what lies beside the log is a checkpoint, or nothing. */
  readonly #isReadable: boolean

  /**
   * @param notes as they were kept
   * @param beside the note in the file beside the log, which whoever holds the folder can write too
   * @throws TypeError for a kept text that is no checkpoint
   */
  constructor(find: Find, notes: readonly string[], beside: string | undefined) {
    this.#find = find
    const kept = notes.map((note) => {
      const read = readKept(note, 'the checkpoint that was kept')
      if (read === undefined) throw new TypeError('what was kept is no checkpoint in a signed note')
      return read
    })
    const own = beside === undefined ? undefined : readKept(beside, 'the file `checkpoint` beside the log')
    this.#all = own === undefined ? kept : [...kept, own]
    this.#waiting = this.#all.toSorted((a, b) => a.size - b.size)
    this.#isReadable = beside === undefined || own !== undefined
  }

  /** Compares what covers exactly the entries so far. */
  reached(tree: Frontier): void {
    for (let next = this.#waiting[0]; next !== undefined && next.size <= tree.size; next = this.#waiting[0]) {
      this.#waiting.shift()
      if (next.size === tree.size && tree.root().equals(next.root)) continue
      const why = `${next.what} covers ${next.size} entries, and other ones than these`
      this.#find(next.size === 0 ? null : next.size - 1, 'fork', why)
    }
  }

  end(keys: Keys, entries: number): void {
    if (!this.#isReadable)
      this.#find(null, 'checkpoint', 'the file `checkpoint` beside the log is no checkpoint')
    for (const { what, size } of this.#waiting)
      this.#find(
        entries === 0 ? null : entries - 1,
        'rollback',
        `${what} covers ${size} entries, and there are ${entries}: the end was cut off`,
      )
    for (const { what, origin, note } of this.#all) {
      if (keys.origin !== undefined && origin !== keys.origin)
        this.#find(null, 'other-log', `${what} is one of \`${origin}\`, and this log is \`${keys.origin}\``)
      if (!keys.anyHasSigned(note))
        this.#find(null, 'kept-signature', `${what} is signed by no key that counts for this log`)
    }
  }
}

function readKept(text: string, what: string): Kept | undefined {
  const note = readNote(text)
  const checkpoint = note && readCheckpoint(note.text)
  return note && checkpoint && { ...checkpoint, note, what }
}
