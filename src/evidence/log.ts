/** The kernel's record: every entry names the hash of the one before, and none is written twice or changed. */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { canonicalText } from './canonical.ts'
import type { Entry, EntryBody, PayloadRef } from './entry.ts'
import { RecentEntries } from './recent.ts'
import { type EntryFilter, selectEntries } from './select.ts'
import { EvidenceError, type EvidenceStore, type Stream } from './store.ts'
import { leafHash, noEntry, payloadHash, readEntry, type Verification, verifyEntries } from './verify.ts'

/** `process`: handed to the operating system, survives any death of the process. `disk`: survives a loss of power. */
export type Durability = 'process' | 'disk'

/** Where an entry stands, and the hash that fixes it and everything before. */
export interface Receipt {
  readonly seq: number
  readonly hash: string
}

export interface Head {
  readonly entries: number
  /** 64 zeros for an empty log. */
  readonly hash: string
}

export class EvidenceLog {
  readonly #store: EvidenceStore
  readonly #clock: Clock
  readonly #durability: Durability
  readonly #salts = new Salts()
  readonly #recent = new RecentEntries()
  readonly #listeners = new Set<(error: EvidenceError) => void>()
  #head: Head
  #waitingLines = 0
  #written = 0
  #waitingLength = 0
  #scheduled = false
  #failed: EvidenceError | undefined
  #closing: Promise<void> | undefined

  /**
   * Goes on where a store ends. What the store had to cut off is the first thing on record.
   * @param options.durability what `durable` waits for
   * @throws EvidenceError when the end of the log cannot be read
   */
  static open(options: { store: EvidenceStore; clock: Clock; durability: Durability }): EvidenceLog {
    const log = new EvidenceLog(options.store, options.clock, options.durability)
    for (const repair of options.store.repairs) log.append({ kind: 'repair', ...repair })
    return log
  }

  private constructor(store: EvidenceStore, clock: Clock, durability: Durability) {
    this.#store = store
    this.#clock = clock
    this.#durability = durability
    this.#head = headOf(store.last())
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
    const line = canonicalText({ ...body, v: 1, seq, prev, time: this.#clock.now() })
    const hash = leafHash(line)
    this.#head = { entries: seq + 1, hash }
    this.#enqueue('log', line)
    if (body.run !== undefined && body.pid !== undefined) this.#recent.add(body.run, body.pid, line)
    return { seq, hash }
  }

  /**
   * Keeps a text beside the log, with a salt, so that it can be deleted and not be guessed from its hash.
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
    const salt = this.#salts.next()
    const hash = payloadHash(salt, wellFormed)
    const kept = isKept ? `,"text":${JSON.stringify(wellFormed)}` : ''
    this.#enqueue('pack', `{"hash":"${hash}","salt":"${salt.toString('hex')}"${kept}}`)
    return { bytes: Buffer.byteLength(wellFormed), hash }
  }

  #enqueue(stream: Stream, line: string): void {
    this.#store.append(stream, line)
    this.#waitingLines += 1
    this.#waitingLength += line.length
    this.#written += line.length
    if (this.#waitingLines >= limits.evidenceBacklogMax || this.#waitingLength >= limits.evidenceBacklogBytes)
      this.commit()
    else this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      if (this.#failed === undefined) this.#write()
    })
  }

  /**
   * Hands everything that waits to the operating system; on return it survives the death of this process.
   * @throws EvidenceError EIO or ENOSPC; the log has failed then
   */
  commit(): void {
    this.#assertOpen()
    this.#write()
    if (this.#failed !== undefined) throw this.#failed
  }

  #write(): void {
    if (this.#waitingLines === 0) return
    this.#waitingLines = 0
    this.#waitingLength = 0
    try {
      this.#store.commit()
    } catch (error) {
      this.#fail(error)
    }
  }

  /**
   * Commits, and resolves once what was appended before is as durable as the log promises.
   * @throws EvidenceError EIO or ENOSPC; the log has failed then
   */
  async durable(): Promise<void> {
    this.commit()
    if (this.#durability === 'process') return
    await this.#store.sync().catch((error: unknown) => this.#fail(error))
    if (this.#failed !== undefined) throw this.#failed
  }

  #fail(error: unknown): void {
    if (this.#failed !== undefined) return
    this.#failed = failureOf(error)
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
    this.#write()
    yield* selectEntries(this.#store.lines('log'), filter)
  }

  /** Every line of the payloads; what waits is written first. */
  *packs(): Generator<string, void, undefined> {
    this.#write()
    yield* this.#store.lines('pack')
  }

  /** The newest lines of the record, oldest first, as many as have so many bytes; what waits is written first. */
  *newest(bytes: number): Generator<string, void, undefined> {
    this.#write()
    yield* this.#store.lines('log', bytes)
  }

  /** UTF-16 units that were appended since it was opened, payloads included: what a caller has used is the difference. */
  get written(): number {
    return this.#written
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

  /** Reads everything again and says whether it is whole. It takes about 5 s for a million entries. */
  verify(): Verification {
    this.#write()
    return verifyEntries(this.#store.lines('log'), this.#store.lines('pack'))
  }

  /**
   * Writes what waits, flushes it, and lets another kernel in.
   * @throws EvidenceError EIO or ENOSPC when the last entries could not be written
   */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#write()
      this.#closing = this.#close()
    }
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#store.close().catch((error: unknown) => this.#fail(error))
    if (this.#failed !== undefined) throw this.#failed
  }
}

function headOf(line: string | undefined): Head {
  if (line === undefined) return { entries: 0, hash: noEntry }
  const { entry } = readEntry(line)
  if (entry === undefined)
    throw new EvidenceError('EIO', 'the last line of the evidence is not an entry; verify it')
  return { entries: entry.seq + 1, hash: leafHash(line) }
}

/** The message travels to agents: what the store says itself names no path of the host, what the system says may. */
function failureOf(error: unknown): EvidenceError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO'
  const isFull = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
  const own = error instanceof EvidenceError ? error.message : undefined
  const why = own ?? (isFull ? `no space is left (${code})` : `the device failed (${code})`)
  return new EvidenceError(
    isFull ? 'ENOSPC' : 'EIO',
    `evidence cannot be written, so nothing more is done: ${why}`,
  )
}

/** Salts of 16 bytes, always fresh: never from a seed, or a deleted payload could be guessed. */
class Salts {
  #pool = Buffer.alloc(0)

  next(): Buffer {
    if (this.#pool.length === 0) this.#pool = randomBytes(256 * 16)
    const salt = this.#pool.subarray(0, 16)
    this.#pool = this.#pool.subarray(16)
    return salt
  }
}
