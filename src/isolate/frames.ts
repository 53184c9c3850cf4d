/**
 * What crosses between kernel and cell, as length-prefixed frames; nothing in them is trusted by the kernel.
 *
 * One frame, integers little-endian: u32 length of what follows · u8 kind · u32 guest · u32 number ·
 * u16 length of name · name · text, both UTF-8.
 */
import { limits } from '../limits.ts'

/** Kinds of frame, and who sends them. The position is the number on the wire. */
export const frameKinds = [
  /** kernel → cell: begin a guest; text is a GuestSpec. */
  'start',
  /** kernel → cell: one turn; number is its time limit in ms, name the kernel's time and the limit of CPU time, text the batch. */
  'deliver',
  /** kernel → cell: end a guest. */
  'end',
  /** kernel → cell: stop a guest where it is; number comes back. */
  'freeze',
  /** kernel → cell: let it go on; number comes back. */
  'thaw',
  /** kernel → cell: answer with `pong`. */
  'ping',
  /** cell → kernel: it is ready for guests. */
  'ready',
  /** cell → kernel: a syscall; number, name and text as the guest gave them. */
  'call',
  /** cell → kernel: the turn is over; text is a Usage. */
  'turn',
  /** cell → kernel: a guest is gone; text is a Fault. */
  'fault',
  /** cell → kernel: a guest that was ended runs no more. */
  'ended',
  /** cell → kernel: a guest stands still; text is a Frozen, or `null` where it was thawed or ended before. */
  'frozen',
  /** cell → kernel: a guest goes on. */
  'thawed',
  /** cell → kernel: it is alive. */
  'pong',
] as const
export type FrameKind = (typeof frameKinds)[number]

export interface Frame {
  readonly kind: FrameKind
  /** Which guest of the cell; numbers are given by the kernel. */
  readonly guest: number
  readonly number: number
  readonly name: string
  readonly text: string
}

const headBytes = 11

/** @returns the bytes of one frame */
export function encodeFrame({ kind, guest, number, name, text }: Frame): Buffer {
  const nameBytes = Buffer.byteLength(name)
  const length = headBytes + nameBytes + Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafe(4 + length)
  bytes.writeUInt32LE(length, 0)
  bytes.writeUInt8(frameKinds.indexOf(kind), 4)
  bytes.writeUInt32LE(guest, 5)
  bytes.writeUInt32LE(number, 9)
  bytes.writeUInt16LE(nameBytes, 13)
  bytes.write(name, 15, 'utf8')
  bytes.write(text, 15 + nameBytes, 'utf8')
  return bytes
}

/** Cuts a stream of bytes into frames. */
export class FrameDecoder {
  #parts: Buffer[] = []
  #have = 0
  #need = 4

  /**
   * @param chunk the next bytes of the stream
   * @returns the frames that are whole now
   * @throws Error when the bytes are no frames; the stream is of no use after that
   */
  push(chunk: Buffer): readonly Frame[] {
    this.#parts.push(chunk)
    this.#have += chunk.length
    if (this.#have < this.#need) return []
    let bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts)
    const frames: Frame[] = []
    for (;;) {
      const length = bytes.length < 4 ? 0 : bytes.readUInt32LE(0)
      this.#need = 4 + length
      if (bytes.length < 4 || bytes.length < this.#need) break
      frames.push(decodeFrame(bytes.subarray(4, this.#need)))
      bytes = bytes.subarray(this.#need)
    }
    if (this.#need > 4 + limits.frameBytesMax) throw new Error(`a frame of ${this.#need} bytes`)
    this.#parts = bytes.length === 0 ? [] : [bytes]
    this.#have = bytes.length
    return frames
  }
}

function decodeFrame(bytes: Buffer): Frame {
  if (bytes.length < headBytes) throw new Error('a frame shorter than its head')
  const kind = frameKinds[bytes.readUInt8(0)]
  const nameBytes = bytes.readUInt16LE(9)
  if (kind === undefined) throw new Error(`a frame of unknown kind ${bytes.readUInt8(0)}`)
  if (headBytes + nameBytes > bytes.length) throw new Error('a frame whose name is longer than itself')
  return {
    kind,
    guest: bytes.readUInt32LE(1),
    number: bytes.readUInt32LE(5),
    name: bytes.toString('utf8', headBytes, headBytes + nameBytes),
    text: bytes.toString('utf8', headBytes + nameBytes),
  }
}
