/** Where a repeated process parts from its record: both sides, and the guest's line. */

/** One side. */
export interface Side {
  /** Such as "call 3: fs.read". */
  readonly what: string
  /** Of that call, as JSON text, around the first difference where they are long; absent where they are not kept. */
  readonly args?: string
}

export interface Divergence {
  /**
   * - `call`: another syscall, or other arguments
   * - `missing`: a call on record is not made
   * - `extra`: a call is made that is not on record
   * - `fault`: agent code failed, or failed in another way
   * - `end`: the process ended with something else
   */
  readonly kind: 'call' | 'missing' | 'extra' | 'fault' | 'end'
  /** The turn in which it was seen. */
  readonly turn: number
  /** The entry on record; null where there is none. */
  readonly entry: number | null
  /** The process's number of the call; null where it is about none. */
  readonly call: number | null
  readonly recorded: Side
  readonly replayed: Side
}

/** Where agent code stood. */
export interface Place {
  /** `here`: where the replayed side is made; `last`: where the last call before was made. */
  readonly at: 'here' | 'last'
  /** Frames of agent code, the innermost first: in the author's files where the record has a source map. */
  readonly stack: readonly string[]
  /** The first of them in the program itself, from 1. */
  readonly line?: number
  /** The author's file that it is in, where the program was bundled. */
  readonly file?: string
  /** The text of that line, as it is in the program that ran. */
  readonly text?: string
}

/** As much of the arguments as is shown before and after the first difference, in UTF-16 units. */
const before = 200
const after = 800

/** @returns both texts around the first place where they differ */
export function aroundDifference(one: string, other: string): readonly [string, string] {
  let same = 0
  while (same < one.length && one[same] === other[same]) same += 1
  const from = same + after > Math.max(one.length, other.length) ? same - before - after : same - before
  return [cut(one, from), cut(other, from)]
}

function cut(text: string, from: number): string {
  const first = Math.max(0, from)
  const last = first + before + after
  const start = first === 0 ? '' : '…'
  return `${start}${text.slice(first, last)}${last < text.length ? '…' : ''}`.toWellFormed()
}
