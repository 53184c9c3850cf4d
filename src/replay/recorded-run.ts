/** A run read back from its record: its processes, and where the record does not suffice to repeat them. */
import type { z } from 'zod'
import type { Entry } from '../evidence/entry.ts'
import { failureReply, sentence } from '../gate/answers.ts'
import { limits } from '../limits.ts'
import { signals } from '../proc/signals.ts'
import { isRecordedKind, type Recorded, type RecordedKind, recordedEntries } from './entries.ts'
import type {
  Gap,
  RecordedCall,
  RecordedExit,
  RecordedProcess,
  RecordedReply,
  RecordedSpawn,
  RecordedTurn,
} from './recorded-process.ts'
import type { RunSource } from './source.ts'

/** The life of one root process and its children. */
export interface RecordedRun {
  readonly id: string
  /** In the order in which they began. */
  readonly processes: readonly RecordedProcess[]
}

/**
 * @param id of the run, whole
 * @returns what is on record about it; without processes where there is nothing
 * @throws EvidenceError EIO at a line that is not an entry
 */
export function readRun(source: RunSource, id: string): RecordedRun {
  const readers = new Map<number, ProcessReader>()
  for (const entry of source.run(id)) {
    const { pid } = entry
    if (entry.run !== id || typeof pid !== 'number' || !isRecordedKind(entry.kind)) continue
    const reader = readers.get(pid) ?? new ProcessReader(id, pid)
    readers.set(pid, reader)
    reader.take(entry, entry.kind)
  }
  return { id, processes: [...readers.values()].map((reader) => reader.result()) }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }
type OpenCall = Writable<RecordedCall> & { resource: string | undefined }

/** What came before a gap counts, and nothing after it. */
class ProcessReader {
  readonly #run: string
  readonly #pid: number
  #spawn: RecordedSpawn | undefined
  readonly #calls = new Map<number, OpenCall>()
  readonly #byIntent = new Map<number, OpenCall>()
  readonly #replies = new Map<number, RecordedReply>()
  readonly #turns: RecordedTurn[] = []
  #exit: RecordedExit | undefined
  /** The state that it was in before the last change. */
  #from = ''
  #gap: Gap | undefined

  constructor(run: string, pid: number) {
    this.#run = run
    this.#pid = pid
  }

  take(entry: Entry, kind: RecordedKind): void {
    if (this.#gap !== undefined) return
    const read: z.ZodSafeParseResult<unknown> = recordedEntries[kind].safeParse(entry)
    if (!read.success) {
      const path = read.error.issues[0]?.path.join('.') ?? ''
      return this.#stop(entry, `it is no sound \`${kind}\` entry: see \`${path}\``)
    }
    if (kind === 'spawn') this.#takeSpawn(entry, read.data as Recorded<'spawn'>)
    else if (kind === 'turn') this.#takeTurn(entry, read.data as Recorded<'turn'>)
    else if (kind === 'outcome') this.#takeOutcome(entry, read.data as Recorded<'outcome'>)
    else if (kind === 'state') this.#from = (read.data as Recorded<'state'>).from
    else if (kind === 'exit') this.#exit = exitOf(entry, read.data as Recorded<'exit'>, this.#from)
    else this.#takeCall(entry, kind, read.data as Recorded<'intent' | 'ask' | 'refusal'>)
  }

  result(): RecordedProcess {
    const calls = [...this.#calls.values()].toSorted((one, other) => one.number - other.number)
    const [first] = calls
    if (this.#spawn === undefined && first !== undefined)
      this.#gap ??= { seq: first.seq, why: 'the beginning of its process is not on record' }
    return {
      ...{ run: this.#run, pid: this.#pid, spawn: this.#spawn, turns: this.#turns },
      calls: calls.map(({ resource: _, ...call }) => call),
      ...{ exit: this.#exit, isWhole: this.#exit !== undefined, later: new Set(), gap: this.#gap },
    }
  }

  #stop({ seq }: Entry, why: string): void {
    this.#gap = { seq, why }
  }

  #takeSpawn(entry: Entry, read: Recorded<'spawn'>): void {
    if (this.#spawn !== undefined) return this.#stop(entry, 'the process has begun before')
    const { program: text, filename, map, args, boot, budget, cell, extraction, ...rest } = read
    const isWhole = text !== undefined && filename !== undefined && args !== undefined && boot !== undefined
    this.#spawn = {
      ...rest,
      seq: entry.seq,
      ownCell: cell === 'own',
      isExtraction: extraction === true,
      heapBytes: budget.memoryBytes ?? limits.heapBytes,
      program: isWhole ? { text, filename, map, args, boot } : undefined,
    }
  }

  #takeTurn(entry: Entry, { turn: number, at, after, replies }: Recorded<'turn'>): void {
    const due = this.#turns.length + 2
    if (number !== due) return this.#stop(entry, `it is turn ${number}, and turn ${due} is not on record`)
    const { seq } = entry
    const known: RecordedReply[] = []
    for (const source of replies) {
      const reply = typeof source === 'number' ? this.#replies.get(source) : signalReply(seq, source)
      if (reply === undefined)
        return this.#stop(entry, `it brings the reply of entry ${source}, which is not on record before it`)
      known.push(reply)
    }
    this.#turns.push({ number, seq, at, after, replies: known })
  }

  /** A call that waits for a person is asked about, perhaps several times, and then admitted or refused. */
  #takeCall(
    entry: Entry,
    kind: 'intent' | 'ask' | 'refusal',
    read: Recorded<'intent' | 'ask' | 'refusal'>,
  ): void {
    const { call: number, syscall, resource, args } = read
    const { seq } = entry
    let call = this.#calls.get(number)
    if (call === undefined) {
      const isRefused = kind === 'refusal'
      call = {
        ...{ number, syscall, resource, seq, args, isRefused, isAsked: kind === 'ask' },
        ...{ intent: undefined, reply: undefined },
      }
      this.#calls.set(number, call)
    } else if (read.again !== undefined && call.intent === read.again) {
      // Its kernel had ended while it was on its way, and it is made again.
      Object.assign(call, { intent: undefined, reply: undefined, isAsked: kind === 'ask' })
    } else if (!call.isAsked || call.intent !== undefined || call.reply !== undefined)
      return this.#stop(entry, `call ${number} of the process is on record before`)
    call.resource = resource
    if (kind === 'intent') {
      call.intent = seq
      this.#byIntent.set(seq, call)
    }
    if (kind === 'refusal') this.#refused(call, seq, read as Recorded<'refusal'>)
  }

  #refused(call: OpenCall, seq: number, { code, reason }: Recorded<'refusal'>): void {
    const text = failureReply(code, sentence(code, call.syscall, call.resource, reason))
    this.#answered(call, { seq, number: call.number, kind: 'text', text })
  }

  #takeOutcome(entry: Entry, read: Recorded<'outcome'>): void {
    const call = this.#byIntent.get(read.intent)
    if (call === undefined) return this.#stop(entry, `its intent ${read.intent} is not on record before it`)
    if (call.reply !== undefined) return this.#stop(entry, `call ${call.number} has ended before`)
    const { seq } = entry
    const about = { seq, number: call.number }
    const { status, code, reason, result } = read
    if (status === 'committed')
      return this.#answered(
        call,
        result === undefined
          ? { ...about, kind: 'lost', why: 'it names no result' }
          : { ...about, kind: 'result', result },
      )
    if (code === undefined) return this.#answered(call, { ...about, kind: 'lost', why: 'it names no cause' })
    const why = `a rule keeps out of the record why it failed (${code})`
    if (reason === undefined) return this.#answered(call, { ...about, kind: 'lost', why })
    const text = failureReply(code, sentence(code, call.syscall, call.resource, reason))
    this.#answered(call, { ...about, kind: 'text', text })
  }

  #answered(call: OpenCall, reply: RecordedReply): void {
    call.reply = reply
    this.#replies.set(reply.seq, reply)
  }
}

/** As a handled signal travels: see `Reception`. */
function signalReply(seq: number, signal: keyof typeof signals): RecordedReply {
  return { seq, number: signals[signal].number, kind: 'text', text: JSON.stringify({ signal }) }
}

const exitOf = (
  { seq }: Entry,
  { status, value, error, signal, reason }: Recorded<'exit'>,
  from: string,
): RecordedExit => ({ seq, status, value, error, signal, reason, from })
