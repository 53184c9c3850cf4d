/**
 * A pack that is not written any more: its lines in frames of zstd, each of which is read alone. Before each stands a
 * skippable frame (RFC 8878) with the two sizes, so that `zstd -dc` prints the lines and a reader knows what it unpacks.
 */
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompressSync } from 'node:zlib'
import { limits } from '../../limits.ts'
import { readAt } from './read-at.ts'

const compress = promisify(zstdCompress)
const skippable = Buffer.of(0x5e, 0x2a, 0x4d, 0x18).readUInt32LE()
/** Magic number, the length of what is skipped (8), bytes of the frame, bytes of its lines; each little-endian. */
const headBytes = 16

export interface Frame {
  /** Where it stands in the file, and where the next one begins. */
  readonly at: number
  readonly end: number
  /** Whole lines, the last with its newline too; undefined where they cannot be unpacked as they should. */
  readonly lines: Buffer | undefined
}

/** @param lines whole lines @returns a frame, which is made beside the thread that runs this */
export async function makeFrame(lines: Buffer): Promise<Buffer> {
  const frame = await compress(lines)
  const head = Buffer.alloc(headBytes)
  head.writeUInt32LE(skippable, 0)
  head.writeUInt32LE(8, 4)
  head.writeUInt32LE(frame.length, 8)
  head.writeUInt32LE(lines.length, 12)
  return Buffer.concat([head, frame])
}

/**
 * @param size of the file
 * @returns its frames, one after another: never more than one is in memory. Where a head is not sound, the rest of the
 *   file is one frame that cannot be unpacked, and so is what goes beyond `most` in all
 */
export function* readFrames(
  fd: number,
  size: number,
  from = 0,
  most: number = limits.evidencePackBytesMax,
): Generator<Frame, void, undefined> {
  let left = most
  for (let at = from; at < size; ) {
    const frame = readFrame(fd, at, size, left)
    left -= frame.lines?.length ?? 0
    yield frame
    at = frame.end
  }
}

/** @param most as many bytes may come out of it @returns the frame at a position of a file */
export function readFrame(fd: number, at: number, size: number, most = limits.evidencePackBytesMax): Frame {
  const damaged = { at, end: size, lines: undefined }
  const head = readAt(fd, at, headBytes)
  if (head.length < headBytes || head.readUInt32LE(0) !== skippable || head.readUInt32LE(4) !== 8)
    return damaged
  const [packed, bytes] = [head.readUInt32LE(8), head.readUInt32LE(12)]
  const end = at + headBytes + packed
  if (end > size || bytes === 0 || bytes > Math.min(most, limits.evidenceLineBytesMax + 1)) return damaged
  // A zstd frame never needs much more than what it holds: what claims to is not read into memory.
  if (packed > 2 * bytes + limits.evidenceFrameBytes) return damaged
  return { at, end, lines: unpack(readAt(fd, at + headBytes, packed), bytes) }
}

function unpack(frame: Buffer, bytes: number): Buffer | undefined {
  try {
    const lines = zstdDecompressSync(frame, { maxOutputLength: bytes })
    return lines.length === bytes && lines.at(-1) === 10 ? lines : undefined
  } catch {
    return undefined
  }
}
