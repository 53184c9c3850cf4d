/** The kernel's record: every entry names the hash of the one before, and none is written twice or changed. */
import { hash as digest } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { Backlog } from './backlog.ts'
import { canonicalText } from './canonical.ts'
import { Checkpoints, type Sealing } from './checkpoints.ts'
import type { Entry, EntryBody, PayloadRef } from './entry.ts'
import { failureOf } from './failure.ts'
import { type Head, headOf } from './head.ts'
import { RecentEntries } from './recent.ts'
import { Salting } from './salted.ts'
import { type EntryFilter, selectEntries } from './select.ts'
import { EvidenceError, type EvidenceStore, type Stream } from './store.ts'
import { readEntry, type Verification, verifyEntries } from './verify.ts'

/** `process`: handed to the operating system, survives any death of the process. `disk`: survives a loss of power. */
export type Durability = 'process' | 'disk'

/** Where an entry stands, and the hash that fixes it and everything before. */
export interface Receipt {
  readonly seq: number
  readonly hash: string
}

export class EvidenceLog {
  readonly #store: EvidenceStore
  readonly #clock: Clock
  readonly #durability: Durability
  readonly #salting = new Salting()
  readonly #recent = new RecentEntries()
  readonly #listeners = new Set<(error: EvidenceError) => void>()
  #head: Head
  readonly #backlog: Backlog
  /** What everybody who asks for durability in one go waits for. */
  #handed: Promise<void> | undefined
  #failed: EvidenceError | undefined
  #closing: Promise<void> | undefined
  #checkpoints: Checkpoints | undefined
  #time = 0

  /**
   * Goes on where a store ends. What the store had to cut off is the first thing on record, after a key that is new.
   * @param options.durability what `durable` waits for
   * @param options.sealing with what it is signed; without, it is not
   * @throws EvidenceError when the end of the log cannot be read
   */
  static open(options: {
    readonly store: EvidenceStore
    readonly clock: Clock
    readonly durability: Durability
    readonly sealing?: Sealing | undefined
  }): EvidenceLog {
    const { store, clock, durability, sealing } = options
    const log = new EvidenceLog(store, clock, durability)
    log.#checkpoints =
      sealing &&
      new Checkpoints(store, sealing, clock, {
        append: (body) => log.append(body),
        sync: () => log.#sync(),
        fail: (error) => log.#fail(error),
      })
    log.#checkpoints?.begin()
    for (const repair of store.repairs) log.append({ kind: 'repair', ...repair })
    return log
  }

  private constructor(store: EvidenceStore, clock: Clock, durability: Durability) {
    this.#store = store
    this.#clock = clock
    this.#durability = durability
    this.#backlog = new Backlog(store, (error) => this.#fail(error))
    const last = store.last()
    this.#head = headOf(last)
    if (last !== undefined) this.#time = readEntry(last).entry?.time ?? 0
  }

  /** The log's own key in its form for auditors, and where snapshots lie; undefined where there are none. */
  get beside(): { readonly verifier: string | undefined; readonly snapshots: EvidenceStore['snapshots'] } {
    return { verifier: this.#checkpoints?.verifier, snapshots: this.#store.snapshots }
  }

  /** What ended the log; nothing is written after it, and nothing may happen. */
  get failed(): EvidenceError | undefined {
    return this.#failed
  }

  /** Calls back once when evidence cannot be written any more; at once where that is so already. */
  onFailure(listener: (error: EvidenceError) => void): void {
    if (this.#failed === undefined) this.#listeners.add(listener)
    else listener(this.#failed)
  }

  /**
   * Gives an entry its place in the chain. It is written by the end of the tick, or by `commit`.
   * @returns where it stands
   * @throws EvidenceError EIO or ENOSPC once the log has failed; TypeError for what JSON cannot carry
   */
  append(body: EntryBody): Receipt {
    this.#assertOpen()
    const { entries: seq, hash: prev } = this.#head
    // A checkpoint is no event, and has the time of the newest entry that it covers: nothing of it is left unsigned.
    if (body.kind !== 'checkpoint') this.#time = this.#clock.now()
    const leaf = `\u0000${canonicalText({ ...body, v: 1, seq, prev, time: this.#time })}`
    const hash = digest('sha256', leaf)
    // Hashing has joined the leaf's pieces; the line is a part of what came of that, and nothing is copied.
    const line = leaf.slice(1)
    this.#head = { entries: seq + 1, hash }
    this.#checkpoints?.added(hash, body.kind)
    this.#enqueue('log', line)
    if (body.run !== undefined && body.pid !== undefined) this.#recent.add(body.run, body.pid, line)
    return { seq, hash }
  }

  /**
   * Keeps a text beside the log, with a salt, so that it can be deleted and not be guessed from its hash. Of one beyond
   * `limits.evidencePayloadBytesMax` only the digest is kept.
   * @param text what was given or returned; a lone surrogate in it becomes U+FFFD
   * @returns what an entry says about it
   * @throws EvidenceError EIO or ENOSPC once the log has failed
   */
  payload(text: string): PayloadRef {
    return this.#payload(text, true)
  }

  /**
   * Says of a text what it is and keeps nothing of it but the salt: who has the text can show that it was this one.
   * @returns what an entry says about it
   * @throws EvidenceError EIO or ENOSPC once the log has failed
   */
  digest(text: string): PayloadRef {
    return this.#payload(text, false)
  }

  #payload(text: string, isKept: boolean): PayloadRef {
    this.#assertOpen()
    const wellFormed = text.toWellFormed()
    const { salt, hash, bytes } = this.#salting.of(wellFormed)
    const fits = bytes <= limits.evidencePayloadBytesMax
    const kept = isKept && fits ? `,"text":${JSON.stringify(wellFormed)}` : ''
    this.#enqueue('pack', `{"hash":"${hash}","salt":"${salt}"${kept}}`)
    return fits || !isKept ? { bytes, hash } : { bytes, hash, kept: false }
  }

  #enqueue(stream: Stream, line: string): void {
    if (this.#backlog.add(stream, line)) this.commit()
  }

  /**
   * Hands everything that waits to the operating system; on return it survives the death of this process.
   * @throws EvidenceError EIO or ENOSPC; the log has failed then
   */
  commit(): void {
    this.#assertOpen()
    this.#backlog.write()
    if (this.#failed !== undefined) throw this.#failed
  }

  /**
   * Commits, and resolves once what was appended before is as durable as the log promises. Whoever asks before the
   * code that runs has come to its end shares one write, as those do who ask while the disk is busy.
   * @throws EvidenceError EIO or ENOSPC; the log has failed then
   */
  async durable(): Promise<void> {
    this.#handed ??= Promise.resolve().then(() => {
      this.#handed = undefined
      this.commit()
    })
    await this.#handed
    if (this.#durability === 'process') return
    await this.#store.sync().catch((error: unknown) => this.#fail(error))
    if (this.#failed !== undefined) throw this.#failed
  }

  async #sync(): Promise<void> {
    this.#backlog.write()
    if (this.#failed !== undefined) throw this.#failed
    await this.#store.sync()
  }

  #fail(error: unknown): void {
    if (this.#failed !== undefined) return
    this.#failed = failureOf(error)
    this.#checkpoints?.stop()
    this.#backlog.drop()
    this.#head = this.#writtenHead()
    for (const listener of this.#listeners) listener(this.#failed)
    this.#listeners.clear()
  }

  /** Where the record really ends; the last known place when a failing device cannot even be read. */
  #writtenHead(): Head {
    try {
      return headOf(this.#store.last())
    } catch {
      return this.#head
    }
  }

  #assertOpen(): void {
    if (this.#failed !== undefined) throw this.#failed
    if (this.#closing !== undefined) throw new EvidenceError('EIO', 'the evidence is closed')
  }

  /**
   * @returns what is on record, oldest first, read as it is asked for; what waits is written first
   * @throws EvidenceError EIO at a line that is not an entry
   */
  *entries(filter: EntryFilter = {}): Generator<Entry, void, undefined> {
    this.#backlog.write()
    yield* selectEntries(this.#store.find(filter), filter)
  }

  /** Lines of the log, oldest first, from a little before that entry on; what waits is written first. */
  since(seq: number): Iterable<string> {
    this.#backlog.write()
    return this.#store.find({ from: seq })
  }

  /** Lines of payloads: at least those with these hashes, as far as they are kept; what waits is written first. */
  pick(hashes: ReadonlySet<string>): Iterable<string> {
    this.#backlog.write()
    return this.#store.pick(hashes)
  }

  /** The newest lines of the record, oldest first, as many as have so many bytes; what waits is written first. */
  *newest(bytes: number): Generator<string, void, undefined> {
    this.#backlog.write()
    yield* this.#store.lines('log', bytes)
  }

  /** UTF-16 units that were appended since it was opened, payloads included: what a caller has used is the difference. */
  get written(): number {
    return this.#backlog.written
  }

  /**
   * @returns the newest entries that this log took about a process, as canonical texts, oldest first: at most
   *   `limits.auditEntriesMax`. Nothing is read for it.
   */
  recent(run: string, pid: number): readonly string[] {
    return this.#recent.of(run, pid)
  }

  /** Lets go of what `recent` would give; the record keeps it. */
  forget(run: string, pid: number): void {
    this.#recent.forget(run, pid)
  }

  /** How many entries there are, and the hash of the last. */
  head(): Head {
    return this.#head
  }

  /**
   * Signs all that is on record, and waits until it is on the disk and the note beside the log.
   * @returns the newest checkpoint, a signed note
   * @throws EvidenceError once the log has failed; EINVAL where it is not signed
   */
  async checkpoint(): Promise<string> {
    this.#assertOpen()
    this.#checkpoints?.seal()
    await this.#checkpoints?.publish()
    if (this.#failed !== undefined) throw this.#failed
    const note = this.#checkpoints?.note
    if (note === undefined) throw new EvidenceError('EINVAL', 'this evidence is not signed')
    return note
  }

  /**
   * Reads everything again and says whether it is whole; signatures count where they are of the log's own key. It takes
   * about 5 s for a million entries.
   */
  verify(): Verification {
    this.#backlog.write()
    const keys = this.#checkpoints === undefined ? [] : [this.#checkpoints.verifier]
    const lines = { [Symbol.iterator]: () => this.#store.lines('log')[Symbol.iterator]() }
    return verifyEntries(lines, this.#store.lines('pack'), { keys })
  }

  /**
   * Writes what waits, flushes it, and lets another kernel in.
   * @throws EvidenceError EIO or ENOSPC when the last entries could not be written
   */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      if (this.#failed === undefined) this.#checkpoints?.seal()
      this.#backlog.write()
      this.#closing = this.#close()
    }
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#failed === undefined) await this.#checkpoints?.publish()
    await this.#store.close().catch((error: unknown) => this.#fail(error))
    if (this.#failed !== undefined) throw this.#failed
  }
}
