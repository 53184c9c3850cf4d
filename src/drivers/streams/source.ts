/** What streams are made of: a source that is asked for one piece at a time, a sink that is given one at a time. */
import type { Json } from '../../json.ts'
import type { Labels } from '../../labels.ts'

/** What goes through a stream at once: bytes, at least one, or any JSON. */
export type Piece = { readonly bytes: Uint8Array } | { readonly value: Json }

/** What feeds a stream. It does nothing while nobody asks. */
export interface Source {
  /** What it has given so far came from there, and so does its end or failure. Only grows. */
  readonly labels?: Labels
  /**
   * Asked again only when the piece before has come.
   * @returns the next piece; undefined at the end
   * @throws SyscallError for a failure, after which it is closed; no other error is the agent's
   */
  next(): Promise<Piece | undefined>
  /**
   * Nobody reads any more: it lets go of everything that it holds, and a `next` under way rejects.
   * @param labels of whoever read
   */
  close(labels: Labels): void
}

/** How whoever writes ends: in order, or before all was written. */
export type SinkEnd = 'closed' | 'killed'

/** Where a stream leads. */
export interface Sink {
  /** What the writer learns by how its writes go. Only grows. */
  readonly labels?: Labels
  /** @throws SyscallError for what it does not take, whenever it is written */
  check(piece: Piece): void
  /**
   * Given the next piece only when the one before was taken.
   * @param labels of what is written
   * @param signal aborts when the writer gives up; then the piece is not taken
   * @throws SyscallError EPIPE where nobody reads any more
   */
  write(piece: Piece, labels: Labels, signal: AbortSignal): Promise<void> | void
  /** @param labels of whoever ends it, so */
  close(how: SinkEnd, labels: Labels): void
}
