/** A bounded queue between a writer and a reader: what one gives the other gets, in order, and the end too. */
import { assert, SyscallError } from '../../errors.ts'
import type { Json } from '../../json.ts'
import { joinLabels, type Labels, noLabels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import type { Piece, Sink, SinkEnd, Source } from './source.ts'

/** Room that several channels share. */
export class ChannelRoom {
  #left: number

  /** @param size in bytes, or UTF-16 units of JSON */
  constructor(size: number) {
    this.#left = size
  }

  /** @throws SyscallError EAGAIN where there is no room */
  take(size: number): void {
    if (size > this.#left)
      throw new SyscallError(
        'EAGAIN',
        'what waits in all pipes would pass what the kernel keeps; try again later',
      )
    this.#left -= size
  }

  give(size: number): void {
    this.#left += size
  }
}

/** A value waits as text: as objects the same can take twenty times the memory. */
interface Waiting {
  readonly held: Uint8Array | string
  readonly labels: Labels
  readonly size: number
}

interface Reader {
  readonly take: (piece: Piece | undefined) => void
  readonly fail: (error: SyscallError) => void
}

interface Writer {
  readonly waiting: Waiting
  readonly done: () => void
  readonly fail: (error: SyscallError) => void
}

export interface ChannelParts {
  readonly room: ChannelRoom
  /** @throws SyscallError for what does not belong there */
  readonly check: (piece: Piece) => void
}

export class Channel {
  readonly source: Source
  readonly sink: Sink
  readonly #room: ChannelRoom
  readonly #queue: Waiting[] = []
  #size = 0
  #reader: Reader | undefined
  #writer: Writer | undefined
  #end: { readonly how: SinkEnd; readonly labels: Labels } | undefined
  /** Whether nobody reads any more, and what whoever read carried. */
  #isBroken = false
  #broken: Labels = noLabels
  /** What the reader has learnt. */
  #told: Labels = noLabels

  constructor({ room, check }: ChannelParts) {
    this.#room = room
    const channel = this
    this.source = {
      get labels() {
        return channel.#told
      },
      next: () => this.#next(),
      close: (labels) => this.#break(labels),
    }
    this.sink = {
      get labels() {
        return channel.#broken
      },
      check,
      write: (piece, labels, signal) => this.#write(piece, labels, signal),
      close: (how, labels) => this.#finish(how, labels),
    }
  }

  #next(): Promise<Piece | undefined> {
    assert(this.#reader === undefined, 'a channel is read once at a time')
    return new Promise((take, fail) => {
      this.#reader = { take, fail }
      this.#serve()
    })
  }

  #write(piece: Piece, labels: Labels, signal: AbortSignal): Promise<void> | void {
    if (this.#isBroken) throw broken()
    const waiting = waitingOf(piece, labels)
    // Whoever reads has taken everything before.
    if (this.#reader !== undefined) return this.#hand(this.#reader, waiting)
    if (this.#hasRoomFor(waiting)) return this.#keep(waiting)
    return new Promise((resolve, reject) => {
      const over = (): void => {
        this.#writer = undefined
        signal.removeEventListener('abort', giveUp)
      }
      const fail = (error: SyscallError): void => {
        over()
        reject(error)
      }
      const giveUp = (): void => fail(new SyscallError('EINTR', 'ended by a signal; it was not written'))
      const done = (): void => {
        over()
        resolve()
      }
      this.#writer = { waiting, done, fail }
      if (signal.aborted) giveUp()
      else signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  #hasRoomFor({ size }: Waiting): boolean {
    return this.#queue.length === 0 || this.#size + size <= limits.streamQueueMax
  }

  /** @throws SyscallError EAGAIN where the kernel has no room */
  #keep(waiting: Waiting): void {
    this.#room.take(waiting.size)
    this.#queue.push(waiting)
    this.#size += waiting.size
  }

  /** Hands on what there is to whoever waits for it. */
  #serve(): void {
    const reader = this.#reader
    if (reader === undefined) return
    const next = this.#queue.shift()
    if (next !== undefined) {
      this.#release(next)
      this.#hand(reader, next)
      return this.#admit()
    }
    if (this.#end === undefined) return
    this.#reader = undefined
    this.#told = joinLabels(this.#told, this.#end.labels)
    if (this.#end.how === 'closed') reader.take(undefined)
    else
      reader.fail(
        new SyscallError('EPIPE', 'whoever wrote was ended before it closed the stream; this is not all'),
      )
  }

  #hand(reader: Reader, next: Waiting): void {
    this.#reader = undefined
    this.#told = joinLabels(this.#told, next.labels)
    reader.take(pieceOf(next))
  }

  /** Takes what a writer waits with, now that there is room. */
  #admit(): void {
    const writer = this.#writer
    if (writer === undefined || !this.#hasRoomFor(writer.waiting)) return
    try {
      this.#keep(writer.waiting)
      writer.done()
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
      writer.fail(error)
    }
  }

  #release({ size }: Waiting): void {
    this.#size -= size
    this.#room.give(size)
  }

  #finish(how: SinkEnd, labels: Labels): void {
    if (this.#end !== undefined) return
    this.#end = { how, labels }
    this.#writer?.fail(new SyscallError('ECANCELED', 'the stream was closed before it was written'))
    this.#serve()
  }

  #break(labels: Labels): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#broken = labels
    for (const waiting of this.#queue.splice(0)) this.#release(waiting)
    this.#reader?.fail(new SyscallError('ECANCELED', 'the stream was closed'))
    this.#reader = undefined
    this.#writer?.fail(broken())
  }
}

const broken = (): SyscallError => new SyscallError('EPIPE', 'nobody reads what is written there any more')

function waitingOf(piece: Piece, labels: Labels): Waiting {
  const held = 'bytes' in piece ? piece.bytes : JSON.stringify(piece.value)
  return { held, labels, size: held.length + limits.messageOverhead }
}

const pieceOf = ({ held }: Waiting): Piece =>
  typeof held === 'string' ? { value: JSON.parse(held) as Json } : { bytes: held }
