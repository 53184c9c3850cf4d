/** The newest entries of each process, as they were appended: what /audit shows, without reading the record. */
import { limits } from '../limits.ts'

interface Own {
  readonly run: string
  readonly pid: number
  readonly lines: string[]
  length: number
}

export class RecentEntries {
  /** By run and pid: a pid alone begins anew with every kernel. The process longest silent is first. */
  readonly #processes = new Map<string, Own>()
  /** The last of them: what a process does often comes at once. */
  #newest: Own | undefined
  #length = 0

  /** @param line the entry's canonical text */
  add(run: string, pid: number, line: string): void {
    const own = this.#newestOf(run, pid)
    own.lines.push(line)
    own.length += line.length
    this.#length += line.length
    if (own.lines.length > limits.auditEntriesMax) this.#dropOldest(own)
    while (this.#length > limits.auditBytesMax) this.#dropSilent()
  }

  #newestOf(run: string, pid: number): Own {
    if (this.#newest?.run === run && this.#newest.pid === pid) return this.#newest
    const key = keyOf(run, pid)
    this.#newest = this.#processes.get(key) ?? { run, pid, lines: [], length: 0 }
    this.#processes.delete(key)
    this.#processes.set(key, this.#newest)
    return this.#newest
  }

  /** @returns canonical texts, oldest first, at most `limits.auditEntriesMax` */
  of(run: string, pid: number): readonly string[] {
    return [...(this.#processes.get(keyOf(run, pid))?.lines ?? [])]
  }

  forget(run: string, pid: number): void {
    const key = keyOf(run, pid)
    this.#length -= this.#processes.get(key)?.length ?? 0
    this.#processes.delete(key)
    this.#newest = undefined
  }

  #dropOldest(own: Own): void {
    const { length = 0 } = own.lines.shift() ?? ''
    own.length -= length
    this.#length -= length
  }

  /** All of the process longest silent, or the oldest line where there is one process only. */
  #dropSilent(): void {
    for (const [key, own] of this.#processes) {
      if (this.#processes.size === 1) return this.#dropOldest(own)
      this.#length -= own.length
      this.#processes.delete(key)
      return
    }
  }
}

const keyOf = (run: string, pid: number): string => `${pid} ${run}`
