/** Of which payloads on record the files of a mount in memory are made, so that a snapshot names them and copies nothing. */
import { covers } from './path.ts'

/** What all mounts may remember together. */
export class SourceRoom {
  readonly #max: number
  #used = 0

  /** @param max payloads, one for each piece of a file */
  constructor(max: number) {
    this.#max = max
  }

  /** @returns whether there was room for one more */
  take(): boolean {
    if (this.#used >= this.#max) return false
    this.#used += 1
    return true
  }

  free(pieces: number): void {
    this.#used -= pieces
  }
}

export class Sources {
  readonly #room: SourceRoom
  /** By path: hashes of the arguments of the calls that wrote it, in their order; undefined where one is not known. */
  readonly #of = new Map<string, string[] | undefined>()

  constructor(room: SourceRoom) {
    this.#room = room
  }

  /** @returns undefined where not all of the file's pieces are known */
  of(path: string): readonly string[] | undefined {
    return this.#of.get(path)
  }

  /** What was there is replaced. @param payload hash of what wrote it; undefined where that is not on record */
  set(path: string, payload: string | undefined): void {
    this.#free(path)
    this.#of.set(path, payload !== undefined && this.#room.take() ? [payload] : undefined)
  }

  /** A piece is added to a file that is there. Once a piece is not known, the file is not. */
  add(path: string, payload: string | undefined): void {
    const pieces = this.#of.get(path)
    if (pieces === undefined) return
    if (payload !== undefined && this.#room.take()) pieces.push(payload)
    else {
      this.#free(path)
      this.#of.set(path, undefined)
    }
  }

  /** The file, or the folder with all below it, is gone. */
  drop(path: string, isFolder: boolean): void {
    for (const key of this.#below(path, isFolder)) {
      this.#free(key)
      this.#of.delete(key)
    }
  }

  /** To a name that is free. */
  move(from: string, to: string, isFolder: boolean): void {
    for (const key of this.#below(from, isFolder)) {
      const pieces = this.#of.get(key)
      this.#of.delete(key)
      this.#of.set(`${to}${key.slice(from.length)}`, pieces)
    }
  }

  #below(path: string, isFolder: boolean): readonly string[] {
    if (isFolder) return [...this.#of.keys()].filter((key) => covers(path, key))
    return this.#of.has(path) ? [path] : []
  }

  #free(path: string): void {
    this.#room.free(this.#of.get(path)?.length ?? 0)
  }
}
