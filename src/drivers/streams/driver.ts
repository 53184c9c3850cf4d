/** The open streams of every process: what a file descriptor is to a program. Nothing of another process is ever found. */
import { SyscallError } from '../../errors.ts'
import { Grant } from '../../grant.ts'
import type { Labels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import type { Process } from '../../proc/process.ts'
import { Channel, ChannelRoom } from './channel.ts'
import type { Piece, SinkEnd } from './source.ts'
import { type Ends, OpenStream, type ReadReply, type Terms } from './stream.ts'

/** A call that opens a stream. */
export interface Opening {
  readonly process: Process
  /** The guest's own number of the call; the stream gets the same. */
  readonly number: number
  readonly terms: Terms
}

/** A place among the open streams of a process, held until it is filled or given back. */
export interface Place {
  /**
   * From now on the guest can read it or write to it, under the number that this gives.
   * @throws SyscallError EINTR where its process has ended meanwhile; the ends are closed then
   */
  fill(ends: Ends): number
  /** Nothing was opened, or the same that was filled is closed again. Does nothing the second time. */
  leave(): void
}

/** Streams of one process. */
interface Table {
  readonly open: Map<number, OpenStream>
  readonly reserved: Set<number>
  /** Streams up to this number ended with the kernel that they were opened in. */
  lostUpTo: number
}

export class StreamDriver {
  readonly #tables = new Map<Process, Table>()
  /** For bodies of requests. */
  readonly #room = new ChannelRoom(limits.streamQueuesMax)

  /**
   * Opens a stream for bytes, which a call takes as its body.
   * @returns its number
   * @throws SyscallError EAGAIN where too many are open
   */
  openBody(grant: Grant, opening: Opening): number {
    Grant.demand(grant, 'stream.open', '')
    const check = (piece: Piece): void => {
      if (!('bytes' in piece)) throw new SyscallError('EINVAL', 'a body is bytes; give `text` or `base64`')
    }
    const { source: body, sink } = new Channel({ room: this.#room, check })
    return this.reserve(opening).fill({ sink, body })
  }

  /**
   * To be asked before anything is done, so that what is opened has its place.
   * @throws SyscallError EAGAIN where too many are open
   */
  reserve({ process, number, terms }: Opening): Place {
    if (process.over) throw new SyscallError('EINTR', 'ended by a signal')
    const table = this.#tableOf(process)
    const { open, reserved } = table
    if (open.size + reserved.size >= limits.streamsOpenMax)
      throw new SyscallError(
        'EAGAIN',
        `${limits.streamsOpenMax} streams are open; read some of them to their end, or close them`,
      )
    // A guest that lies about its numbers confuses itself alone.
    if (open.has(number) || reserved.has(number))
      throw new SyscallError('EINVAL', `stream ${number} is open already, and this call has its number`)
    reserved.add(number)
    return {
      fill: (ends) => {
        reserved.delete(number)
        const stream = new OpenStream(number, terms, ends)
        if (process.over || this.#tables.get(process) !== table) {
          stream.close('killed', process.labels)
          throw new SyscallError('EINTR', 'ended by a signal')
        }
        open.set(number, stream)
        return number
      },
      leave: () => {
        reserved.delete(number)
        this.#close(process, number, 'closed')
      },
    }
  }

  /**
   * @returns the stream that a process has under a number
   * @throws SyscallError EBADF
   */
  find(process: Process, number: number): OpenStream {
    const table = this.#tables.get(process)
    const stream = table?.open.get(number)
    if (stream !== undefined) return stream
    const why =
      table !== undefined && number <= table.lostUpTo
        ? 'it ended with the kernel in which it was opened, or before; open it anew'
        : 'it has ended or was closed, or never was one of this process'
    throw new SyscallError('EBADF', `stream ${number} is not open: ${why}`)
  }

  /** Whether what is written there leaves the kernel, or did: of one that is no more nobody can tell. */
  isExternal(process: Process, number: number): boolean {
    const stream = this.#tables.get(process)?.open.get(number)
    return stream === undefined || stream.isExternal
  }

  /**
   * @param bytes how many it gives at most
   * @param carries is told what the result, or the error, came of
   * @throws SyscallError EBADF, EBUSY, EINTR, and what the stream is fed by fails with. At its end or failure it is closed
   */
  async read(
    grant: Grant,
    process: Process,
    number: number,
    bytes: number,
    carries: (labels: Labels) => void,
  ): Promise<ReadReply> {
    Grant.demand(grant, 'stream.read', '')
    const stream = this.find(process, number)
    try {
      return await stream.read(bytes, grant.signal)
    } finally {
      if (stream.isOver) this.#close(process, number, 'closed')
      carries(stream.readLabels)
    }
  }

  /**
   * @param labels of what is written
   * @throws SyscallError EBADF, EBUSY, EINTR, EPIPE: it is closed then
   */
  async write(
    grant: Grant,
    process: Process,
    number: number,
    written: { readonly piece: Piece; readonly labels: Labels },
    carries: (labels: Labels) => void,
  ): Promise<null> {
    Grant.demand(grant, 'stream.write', '')
    const stream = this.find(process, number)
    try {
      await stream.write(written.piece, written.labels, grant.signal)
      return null
    } catch (error) {
      if (error instanceof SyscallError && error.code === 'EPIPE') this.#close(process, number, 'closed')
      throw error
    } finally {
      carries(stream.writeLabels)
    }
  }

  /** @throws SyscallError EBADF */
  close(grant: Grant, process: Process, number: number): null {
    Grant.demand(grant, 'stream.close', '')
    this.find(process, number)
    this.#close(process, number, 'closed')
    return null
  }

  /** The policy does not permit it any more. */
  cut(process: Process, number: number): void {
    this.#close(process, number, 'killed')
  }

  /** Streams that the process had up to this number are no more. */
  lost(process: Process, upTo: number): void {
    this.#tableOf(process).lostUpTo = upTo
  }

  /** Closes everything that a process has open. @param how it ended */
  forget(process: Process, how: SinkEnd): void {
    const table = this.#tables.get(process)
    this.#tables.delete(process)
    for (const stream of table?.open.values() ?? []) stream.close(how, process.labels)
  }

  #close(process: Process, number: number, how: SinkEnd): void {
    const open = this.#tables.get(process)?.open
    const stream = open?.get(number)
    open?.delete(number)
    stream?.close(how, process.labels)
  }

  #tableOf(process: Process): Table {
    const table = this.#tables.get(process) ?? { open: new Map(), reserved: new Set(), lostUpTo: 0 }
    this.#tables.set(process, table)
    return table
  }
}
