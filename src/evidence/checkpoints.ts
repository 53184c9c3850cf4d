/** Signs what a log has become: every so many entries, a while after the first of them, at its close, when asked. */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { checkpointText, endorsementText, readCheckpoint } from './checkpoint.ts'
import type { CheckpointBody, EntryBody, EntryKind, KeyBody } from './entry.ts'
import { Frontier } from './merkle.ts'
import { isSignedBy, readNote, type Signer, signNote, verifierOf, verifierText } from './note.ts'
import { EvidenceError, type EvidenceStore } from './store.ts'
import { readTail, type Tail } from './tail.ts'

/** With what a log is signed. */
export interface Sealing {
  readonly signer: Signer
  /** The key before; where the log has it still, it endorses the signer. */
  readonly previous?: Signer
  /** Where the newest note is copied to; absent for a log in memory. */
  readonly file?: { read(): string | undefined; write(note: string): Promise<void> }
}

/** The log, as what signs it needs it. */
export interface SealedLog {
  append(body: EntryBody): void
  /** Resolves once what was appended is on the disk. */
  sync(): Promise<void>
  /** Ends the log: what cannot be signed is not evidence. */
  fail(error: unknown): void
}

/** Whether a log that ends so is signed by that key. */
export function isSigner({ verifier, note }: Tail, { name, publicKey }: Signer): boolean {
  const own = verifierOf(name, publicKey)
  if (verifier !== undefined) return verifier === verifierText(own)
  const read = note === undefined ? undefined : readNote(note)
  return read !== undefined && isSignedBy(read, own)
}

export class Checkpoints {
  readonly #sealing: Sealing
  readonly #clock: Clock
  readonly #log: SealedLog
  readonly #tail: Tail
  readonly #origin: string
  readonly #frontier: Frontier
  /** Hashes that are not in the tree yet: an entry's is put there when the next checkpoint is made. */
  #leaves: string[]
  /** Entries that no checkpoint covers; checkpoints themselves do not count. */
  #uncovered: number
  #note: string | undefined
  #published: string | undefined
  #publishing: Promise<void> = Promise.resolve()
  #cancel: (() => void) | undefined
  #scheduled = false

  /**
   * Goes on where a log ends; only what lies behind its last checkpoint is read.
   * @throws EvidenceError EIO where that checkpoint is not sound, or the file beside the log knows more than the log
   */
  constructor(store: EvidenceStore, sealing: Sealing, clock: Clock, log: SealedLog) {
    this.#sealing = sealing
    this.#clock = clock
    this.#log = log
    const tail = readTail(store)
    this.#tail = tail
    this.#origin = tail.origin ?? `gatehouse/${randomBytes(16).toString('hex')}`
    this.#frontier = tail.frontier ?? new Frontier()
    this.#leaves = [...tail.leaves]
    this.#uncovered = tail.leaves.length - (tail.note === undefined ? 0 : 1)
    this.#note = tail.note
    this.#published = sealing.file?.read()
    if (this.#published !== undefined) assertKnown(this.#published, this.#origin, tail)
  }

  /** The key's own form for auditors. */
  get verifier(): string {
    const { name, publicKey } = this.#sealing.signer
    return verifierText(verifierOf(name, publicKey))
  }

  /** Puts the key on record where it is not the one by which the log was signed last. */
  begin(): void {
    if (this.#uncovered > 0) this.#wait()
    if (this.#isSigner(this.#sealing.signer)) return
    const { verifier } = this
    const endorsement = this.#endorsement(verifier)
    const body: KeyBody = {
      ...{ kind: 'key', origin: this.#origin, verifier },
      ...(endorsement !== undefined && { endorsement }),
    }
    this.#log.append(body)
  }

  /** Whether the log as it was found is signed by that key. */
  #isSigner(signer: Signer): boolean {
    return isSigner(this.#tail, signer)
  }

  #endorsement(verifier: string): string | undefined {
    const { previous } = this.#sealing
    const isFirst = this.#tail.verifier === undefined && this.#tail.note === undefined
    if (previous === undefined || isFirst) return undefined
    if (this.#isSigner(previous)) return signNote(endorsementText(this.#origin, verifier), previous)
    throw new EvidenceError(
      'EINVAL',
      `the key \`${previous.name}\`, given as the one before, is not the one by which this evidence was signed last`,
    )
  }

  /** @param leaf hash of an entry that was appended, as hex */
  added(leaf: string, kind: EntryKind): void {
    this.#leaves.push(leaf)
    if (kind === 'checkpoint') return
    this.#uncovered += 1
    if (this.#uncovered >= limits.evidenceCheckpointEntries) this.#schedule()
    else if (this.#cancel === undefined) this.#wait()
  }

  #wait(): void {
    this.#cancel = this.#clock.after(limits.evidenceCheckpointMs, () => this.#due(), 'unheld')
  }

  /** Not within the call whose entry was one too many. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#uncovered >= limits.evidenceCheckpointEntries) this.#due()
    })
  }

  #due(): void {
    this.seal()
    void this.publish()
  }

  /** Nothing is signed any more by itself. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** Appends a checkpoint over all that is on record, where anything is new. A signer that does not sign ends the log. */
  seal(): void {
    this.stop()
    if (this.#uncovered === 0) return
    try {
      for (const leaf of this.#leaves) this.#frontier.push(Buffer.from(leaf, 'hex'))
      this.#leaves = []
      this.#uncovered = 0
      const { size } = this.#frontier
      const head = { origin: this.#origin, size, root: this.#frontier.root() }
      const note = signNote(checkpointText(head), this.#sealing.signer)
      const frontier = this.#frontier.roots.map((root) => root.toString('hex'))
      this.#log.append({ kind: 'checkpoint', note, frontier } satisfies CheckpointBody)
      this.#note = note
    } catch (error) {
      this.#log.fail(asFailure(error, this.#sealing.signer.name))
    }
  }

  /** Copies the newest note beside the log, once what it covers is on the disk: no note is ever ahead of its log. */
  publish(): Promise<void> {
    this.#publishing = this.#publishing.then(() => this.#publish())
    return this.#publishing
  }

  async #publish(): Promise<void> {
    const { file } = this.#sealing
    const note = this.#note
    if (file === undefined || note === undefined || note === this.#published) return
    try {
      await this.#log.sync()
      await file.write(note)
      this.#published = note
    } catch (error) {
      this.#log.fail(error)
    }
  }

  /** The newest note; undefined for an empty log. */
  get note(): string | undefined {
    return this.#note
  }
}

/** What a signer throws may say where the key lies, and the message travels to agents. */
const asFailure = (error: unknown, name: string): unknown =>
  error instanceof EvidenceError ? error : new EvidenceError('EIO', `the signer \`${name}\` does not sign`)

/**
 * Going on from less than was signed would make two histories of one log, both signed.
 * @throws EvidenceError EIO
 */
function assertKnown(published: string, origin: string, { note, entries }: Tail): void {
  const known = readCheckpoint(readNote(published)?.text ?? '')
  const last = readCheckpoint(readNote(note ?? '')?.text ?? '')
  const flaw =
    known === undefined
      ? 'it is no checkpoint'
      : known.origin !== origin
        ? 'it is a checkpoint of another log'
        : known.size > entries
          ? `it covers ${known.size} entries, and the log has ${entries}: the end was cut off`
          : last?.size === known.size && !Buffer.from(last.root).equals(known.root)
            ? 'the log was changed after it was signed'
            : undefined
  if (flaw === undefined) return
  throw new EvidenceError(
    'EIO',
    `the file \`checkpoint\` does not fit its log: ${flaw}; keep both, verify them, and go on in another folder`,
  )
}
