/** One open stream of a process: read or written piece by piece, one at a time, until it ends. */
import { SyscallError } from '../../errors.ts'
import type { Json } from '../../json.ts'
import { joinLabels, type Labels, noLabels } from '../../labels.ts'
import type { Decision, PolicySet } from '../../policy/types.ts'
import type { Judged } from '../../syscalls/row.ts'
import { type BytesReply, takeBytes } from './bytes.ts'
import type { Piece, Sink, SinkEnd, Source } from './source.ts'

/** On what terms the call was admitted that opened a stream; what is read and written later stands on them. */
export interface Terms {
  /** Under which it was judged last. */
  readonly policy: PolicySet
  /** What its process carried then. */
  readonly carried: Labels
  /** What it was judged by, and by what it was permitted; where it is not judged, nothing. */
  readonly judged: readonly Judged[]
  readonly decision: Decision | undefined
  /** What everything that comes by it carries, because rules say so. */
  readonly labels: Labels
}

/** What one read gives. */
export type ReadReply =
  | ((BytesReply | { readonly value: Json }) & { readonly done: false })
  | { readonly done: true }

export interface Ends {
  readonly source?: Source
  readonly sink?: Sink
  /** Whether it was made outside the kernel, by nobody in user space. */
  readonly isForeign?: boolean
  /** Whether what comes is made of what was sent to get it: it is nobody's word. */
  readonly isEcho?: boolean
  /** Of one that is written: what a call may take as its body. Until then nothing is written. */
  readonly body?: Source
}

export class OpenStream {
  readonly number: number
  /** Replaced when another policy comes into force and permits it too. */
  terms: Terms
  readonly ends: Ends
  /** Read, and not given yet. */
  #rest: Uint8Array | undefined
  readonly #pull: Pull | undefined
  #isReading = false
  #isWriting = false
  #isClosed = false
  /** Whether a call has taken it as its body. */
  #isTaken = false
  /** Its source has ended or failed, and everything that it gave was read. */
  isOver = false

  constructor(number: number, terms: Terms, ends: Ends) {
    this.number = number
    this.terms = terms
    this.ends = ends
    this.#pull = ends.source && new Pull(ends.source)
  }

  /** Whether what is written leaves the kernel. */
  get isExternal(): boolean {
    return this.#isTaken
  }

  /**
   * A call takes what is written as its body; from now on it stands on the terms of that call.
   * @throws SyscallError EBADF for one that is no body, EBUSY for one that is taken
   */
  takeBody(terms: Terms): Source {
    this.assertFree()
    this.#isTaken = true
    this.terms = terms
    return this.#body()
  }

  /** @throws SyscallError as takeBody */
  assertFree(): void {
    this.#body()
    if (this.#isTaken) throw new SyscallError('EBUSY', `stream ${this.number} is the body of another call`)
  }

  #body(): Source {
    if (this.ends.body !== undefined) return this.ends.body
    throw new SyscallError('EBADF', `stream ${this.number} is no body; \`stream.open\` opens one`)
  }

  /** What its reader knows by it. */
  get readLabels(): Labels {
    return joinLabels(this.terms.labels, this.ends.source?.labels ?? noLabels)
  }

  /** What its writer knows by it. */
  get writeLabels(): Labels {
    return joinLabels(this.terms.labels, this.ends.sink?.labels ?? noLabels)
  }

  /**
   * @param max bytes at most
   * @param signal aborts when the reader gives up: what comes then is kept for the next read
   * @throws SyscallError EBUSY while another read is under way, EINTR when it is given up, EBADF for one that is only
   *   written, and what the source fails with
   */
  async read(max: number, signal: AbortSignal): Promise<ReadReply> {
    if (this.#pull === undefined)
      throw new SyscallError('EBADF', `stream ${this.number} is open for writing only`)
    if (this.#isReading)
      throw new SyscallError('EBUSY', `another read of stream ${this.number} is under way; await it first`)
    this.#isReading = true
    try {
      return await this.#take(this.#pull, max, signal)
    } finally {
      this.#isReading = false
    }
  }

  async #take(pull: Pull, max: number, signal: AbortSignal): Promise<ReadReply> {
    for (;;) {
      const given = this.#rest && takeBytes(this.#rest, max, false)
      if (given !== undefined) return this.#give(given)
      const came = await pull.next(signal)
      if ('error' in came) {
        this.isOver = true
        throw came.error
      }
      const { piece } = came
      if (piece === undefined) {
        const last = this.#rest && takeBytes(this.#rest, max, true)
        if (last !== undefined) return this.#give(last)
        this.isOver = true
        return { done: true }
      }
      if ('value' in piece) return { value: piece.value, done: false }
      this.#rest = this.#rest === undefined ? piece.bytes : Buffer.concat([this.#rest, piece.bytes])
    }
  }

  #give({ reply, taken }: NonNullable<ReturnType<typeof takeBytes>>): ReadReply {
    const rest = this.#rest?.subarray(taken)
    this.#rest = rest === undefined || rest.length === 0 ? undefined : rest
    return { ...reply, done: false }
  }

  /** @throws SyscallError EBADF for one that is only read, and for what it does not take */
  assertTakes(piece: Piece): void {
    const sink = this.#sink()
    if (this.ends.body !== undefined && !this.#isTaken)
      throw new SyscallError(
        'EAGAIN',
        `nobody takes stream ${this.number} yet; give it to \`net.fetch\` as \`bodyStream\` first`,
      )
    sink.check(piece)
  }

  /**
   * Waits until it is taken.
   * @throws SyscallError EBUSY while another write is under way, EPIPE where nobody reads any more, EINTR
   */
  async write(piece: Piece, labels: Labels, signal: AbortSignal): Promise<void> {
    const sink = this.#sink()
    if (this.#isWriting)
      throw new SyscallError('EBUSY', `another write to stream ${this.number} is under way; await it first`)
    this.#isWriting = true
    try {
      await sink.write(piece, labels, signal)
    } finally {
      this.#isWriting = false
    }
  }

  /** @param labels of whoever closes it */
  close(how: SinkEnd, labels: Labels): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#rest = undefined
    this.ends.source?.close(labels)
    this.ends.sink?.close(how, labels)
  }

  #sink(): Sink {
    const { sink } = this.ends
    if (sink === undefined) throw new SyscallError('EBADF', `stream ${this.number} is open for reading only`)
    return sink
  }
}

type Came = { readonly piece: Piece | undefined } | { readonly error: unknown }

/** One piece on its way, also where nobody waits for it any more: it is there for whoever asks next. */
class Pull {
  readonly #source: Source
  #isUnderWay = false
  #came: Came | undefined
  #waiting: ((came: Came) => void) | undefined

  constructor(source: Source) {
    this.#source = source
  }

  /** One at a time. @throws SyscallError EINTR when the signal aborts */
  async next(signal: AbortSignal): Promise<Came> {
    const came = this.#came ?? (await this.#wait(signal))
    this.#came = undefined
    return came
  }

  #wait(signal: AbortSignal): Promise<Came> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting = undefined
        reject(new SyscallError('EINTR', 'ended by a signal'))
      }
      if (signal.aborted) return giveUp()
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting = (came) => {
        signal.removeEventListener('abort', giveUp)
        resolve(came)
      }
      this.#begin()
    })
  }

  #begin(): void {
    if (this.#isUnderWay) return
    this.#isUnderWay = true
    this.#source.next().then(
      (piece) => this.#take({ piece }),
      (error: unknown) => this.#take({ error }),
    )
  }

  #take(came: Came): void {
    this.#isUnderWay = false
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#came = came
    else waiting(came)
  }
}
