/** What each process did lately: its output, and beside that its calls, signals and states; bounded, in memory. */
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import type { Observers, SyscallEvent } from '../observers.ts'
import type { LogRecord } from './protocol.ts'

/** Kept apart, so that many calls do not drive out the output, nor much output the calls. */
type Lane = 'output' | 'happened'

interface Kept {
  readonly seq: number
  readonly length: number
  readonly record: LogRecord
}

interface Own {
  readonly lanes: Readonly<Record<Lane, Kept[]>>
  readonly lengths: Record<Lane, number>
}

type Follower = (record: LogRecord) => void

export class Journal {
  /** By pid; the process longest silent is first. */
  readonly #processes = new Map<number, Own>()
  readonly #followers = new Map<number, Set<Follower>>()
  readonly #leave: readonly (() => void)[]
  #seq = 0
  #length = 0

  /** Begins to listen. */
  constructor(observers: Observers, clock: Clock) {
    this.#leave = [
      observers.on('output', ({ pid, stream, text }) => {
        const tail = text.slice(-limits.journalProcessLength).toWellFormed()
        this.#add(pid, { kind: 'output', time: clock.now(), stream, text: tail }, tail.length)
      }),
      observers.on('syscall', (call) => this.#add(call.pid, recordOf(call, clock.now()), lengthOf(call))),
      observers.on('approval', ({ pid, id, status, request: { syscall, resource }, by, reason }) =>
        this.#add(
          pid,
          {
            ...{ kind: 'approval', time: clock.now(), id, status, syscall, resource },
            ...(by !== undefined && { by }),
            ...(reason !== undefined && { reason }),
          },
          lengthOf({ syscall, resource, reason }),
        ),
      ),
      observers.on('signal', ({ pid, signal, by }) =>
        this.#add(pid, { kind: 'signal', time: clock.now(), signal, by }, by.length),
      ),
      observers.on('state', ({ pid, from, to }) =>
        this.#add(pid, { kind: 'state', time: clock.now(), from, to }, 0),
      ),
    ]
  }

  /** @returns what is kept of a process, oldest first; output alone, or all of it */
  of(pid: number, all: boolean): readonly LogRecord[] {
    const own = this.#processes.get(pid)
    if (own === undefined) return []
    const kept = all ? [...own.lanes.output, ...own.lanes.happened] : own.lanes.output
    return kept.toSorted((a, b) => a.seq - b.seq).map(({ record }) => record)
  }

  /** @returns ends the following */
  follow(pid: number, follower: Follower): () => void {
    const followers = this.#followers.get(pid) ?? new Set()
    this.#followers.set(pid, followers.add(follower))
    return () => {
      followers.delete(follower)
      if (followers.size === 0) this.#followers.delete(pid)
    }
  }

  /** Listens no more. */
  close(): void {
    for (const leave of this.#leave) leave()
  }

  #add(pid: number, record: LogRecord, textLength: number): void {
    const lane: Lane = record.kind === 'output' ? 'output' : 'happened'
    const own = this.#processes.get(pid) ?? {
      lanes: { output: [], happened: [] },
      lengths: { output: 0, happened: 0 },
    }
    this.#processes.delete(pid)
    this.#processes.set(pid, own)
    this.#seq += 1
    const length = textLength + limits.journalOverhead
    own.lanes[lane].push({ seq: this.#seq, length, record })
    own.lengths[lane] += length
    this.#length += length
    while (own.lengths[lane] > limits.journalProcessLength && own.lanes[lane].length > 1)
      this.#dropOldest(own, lane)
    while (this.#length > limits.journalLength) this.#dropSilent()
    for (const follower of this.#followers.get(pid) ?? []) follower(record)
  }

  #dropOldest(own: Own, lane: Lane): void {
    const { length = 0 } = own.lanes[lane].shift() ?? {}
    own.lengths[lane] -= length
    this.#length -= length
  }

  #dropSilent(): void {
    for (const [pid, { lengths }] of this.#processes) {
      this.#length -= lengths.output + lengths.happened
      this.#processes.delete(pid)
      return
    }
  }
}

/** Made for every call: what is absent stays out without a copy. */
function recordOf({ syscall, resource, status, code, reason }: SyscallEvent, time: number): LogRecord {
  if (code === undefined && resource !== undefined) return { kind: 'call', time, syscall, resource, status }
  return {
    ...{ kind: 'call', time, syscall, status },
    ...(resource !== undefined && { resource }),
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
  }
}

const lengthOf = ({
  syscall,
  resource = '',
  reason = '',
}: Pick<SyscallEvent, 'syscall' | 'resource'> & { readonly reason?: string | undefined }): number =>
  syscall.length + resource.length + reason.length
