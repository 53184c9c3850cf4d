/** One stream of lines, in files of bounded size; only the newest is written. */
import { close, closeSync, fdatasync, fstatSync, fsync, ftruncateSync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Repair } from '../entry.ts'
import { EvidenceError, type Stream } from '../store.ts'
import { flags, openRegular, segmentName, segmentsIn } from './folder.ts'
import { decodeLine, lineStart, readAt } from './read-at.ts'
import { repairTail, writeWhole } from './repair.ts'

const flushFile = promisify(fdatasync)
const flushFolder = promisify(fsync)
const closeFile = promisify(close)

export class Segments {
  /** What was cut off when it was opened. */
  readonly repairs: readonly Repair[]
  readonly #dir: string
  readonly #stream: Stream
  readonly #bytesMax: number
  readonly #sealed: () => void
  #number: number
  #fd: number
  #size: number
  #dirty = false
  #folderDirty = false
  /** Flushes run one after another, so that no file is closed while it is being flushed. */
  #flushes: Promise<void> = Promise.resolve()
  #broken: unknown

  /**
   * @param isSound whether a whole line belongs to this stream, for repairs
   * @param sealed is told when a segment is not written any more
   */
  constructor(
    dir: string,
    stream: Stream,
    bytesMax: number,
    isSound: (line: string) => boolean,
    sealed: () => void = () => {},
  ) {
    this.#dir = dir
    this.#sealed = sealed
    this.#stream = stream
    this.#bytesMax = bytesMax
    const newest = segmentsIn(dir, stream).at(-1)
    this.#number = newest?.number ?? 0
    this.#fd = newest === undefined || newest.packed ? this.#create() : this.#open(newest.number)
    const repairs: Repair[] = []
    try {
      this.#repair(this.#number, this.#fd, isSound, repairs)
      this.#size = fstatSync(this.#fd).size
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
    this.repairs = repairs
  }

  #open(number: number): number {
    return openRegular(this.#dir, segmentName(this.#stream, number), flags.append)
  }

  #create(): number {
    this.#number += 1
    this.#folderDirty = true
    return openRegular(this.#dir, segmentName(this.#stream, this.#number), flags.create)
  }

  /** Where a crash left a segment without a line, the one before may be torn as well. */
  #repair(number: number, fd: number, isSound: (line: string) => boolean, repairs: Repair[]): void {
    const repair = repairTail(this.#dir, segmentName(this.#stream, number), fd, isSound)
    if (repair !== undefined) repairs.push(repair)
    const before = segmentsIn(this.#dir, this.#stream)
      .filter((other) => other.number < number)
      .at(-1)
    if (fstatSync(fd).size > 0 || before === undefined || before.packed) return
    this.#within(before.number, (older) => this.#repair(before.number, older, isSound, repairs))
  }

  #within<T>(number: number, work: (fd: number) => T): T {
    const fd = this.#open(number)
    try {
      return work(fd)
    } finally {
      closeSync(fd)
    }
  }

  /**
   * Hands whole lines to the operating system.
   * @throws whatever the system says; the file then ends with a whole line, unless even cutting it failed
   */
  write(bytes: Buffer): void {
    if (this.#broken !== undefined) throw this.#broken
    if (this.#size >= this.#bytesMax) this.#rotate()
    if (fstatSync(this.#fd).size !== this.#size)
      throw new EvidenceError('EIO', 'another program has written to the evidence')
    let done = 0
    this.#dirty = true
    try {
      writeWhole(this.#fd, bytes, (count) => {
        done = count
      })
    } catch (error) {
      this.#cut(this.#size + bytes.subarray(0, done).lastIndexOf(10) + 1)
      throw error
    }
    this.#size += done
  }

  #cut(size: number): void {
    try {
      ftruncateSync(this.#fd, size)
      this.#size = size
    } catch {
      // The device has failed; whoever opens the folder next cuts the torn line.
    }
  }

  /** Ends the segment that is written, where anything is in it, and begins the next. @throws whatever the system says */
  seal(): void {
    if (this.#broken !== undefined) throw this.#broken
    if (this.#size > 0) this.#rotate()
  }

  #rotate(): void {
    const old = this.#fd
    this.#fd = this.#create()
    this.#size = 0
    this.#sealed()
    this.#flushes = this.#flushes.then(() => flushFile(old)).finally(() => closeFile(old))
    this.#flushes.catch((error: unknown) => {
      this.#broken = error
    })
  }

  /** Resolves once everything written before would survive a loss of power. */
  flush(): Promise<void> {
    this.#flushes = this.#flushes.then(() => this.#flush())
    return this.#flushes
  }

  async #flush(): Promise<void> {
    if (this.#dirty) {
      this.#dirty = false
      await flushFile(this.#fd)
    }
    if (!this.#folderDirty) return
    this.#folderDirty = false
    const folder = openSync(this.#dir, flags.read)
    await flushFolder(folder).finally(() => closeFile(folder))
  }

  /** The last line of the stream. */
  last(): string | undefined {
    for (const { number, packed } of segmentsIn(this.#dir, this.#stream).toReversed()) {
      if (packed) return undefined
      const line = this.#within(number, (fd) => lastLine(fd, segmentName(this.#stream, number)))
      if (line !== undefined) return line
    }
    return undefined
  }

  async close(): Promise<void> {
    // Whoever asked for a flush has heard of its failure; here only its end is awaited.
    await this.#flushes.catch(() => {})
    await closeFile(this.#fd)
  }
}

function lastLine(fd: number, file: string): string | undefined {
  const size = fstatSync(fd).size
  if (size === 0) return undefined
  const start = lineStart(fd, size, file)
  return decodeLine(readAt(fd, start, size - 1 - start))
}
