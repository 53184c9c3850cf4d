/** The body of an answer as a stream: asked for piece by piece, unpacked on the way, within bounds of size and time. */
import { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'
import type { Clock } from '../../clock.ts'
import { SyscallError } from '../../errors.ts'
import type { Piece, Source } from '../streams/source.ts'
import { encodingOf } from './body.ts'

export interface ResponseParts {
  readonly chunks: AsyncIterable<Uint8Array>
  /** The answer's `content-encoding`. */
  readonly encoding: string | undefined
  readonly clock: Pick<Clock, 'after'>
  /** How long it may take until the next piece while somebody waits, in ms. */
  readonly idleMs: number
  /** How much it may be, unpacked. */
  readonly bytesMax: number
  /** Ends the exchange for a reason, which `chunks` then rejects with. */
  readonly end: (why: SyscallError) => void
  /** @returns the error of the kernel for what the exchange failed with */
  readonly failure: (error: unknown) => unknown
  /** The exchange is over, in whatever way; called once. */
  readonly over: () => void
}

export class ResponseSource implements Source {
  readonly #parts: ResponseParts
  readonly #bytes: AsyncIterator<Uint8Array>
  #length = 0
  #isOver = false

  constructor(parts: ResponseParts) {
    this.#parts = parts
    this.#bytes = unpacked(parts.chunks, parts.encoding)[Symbol.asyncIterator]()
  }

  async next(): Promise<Piece | undefined> {
    const { clock, idleMs, end, failure } = this.#parts
    const cancel = clock.after(idleMs, () =>
      end(new SyscallError('ETIMEDOUT', `the server sent nothing for ${idleMs} ms`)),
    )
    try {
      const bytes = await this.#nextBytes()
      if (bytes === undefined) this.#finish()
      return bytes && { bytes }
    } catch (error) {
      // What it failed with is told by how the exchange stands, before that is ended.
      const why = failure(error)
      this.#finish()
      throw why
    } finally {
      cancel()
    }
  }

  close(): void {
    if (this.#isOver) return
    this.#parts.end(new SyscallError('ECANCELED', 'the stream was closed'))
    this.#finish()
  }

  async #nextBytes(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { done, value } = await this.#bytes.next()
      if (done === true) return undefined
      this.#length += value.length
      if (this.#length > this.#parts.bytesMax)
        throw new SyscallError('EFBIG', `the answer is larger than ${this.#parts.bytesMax} bytes`)
      if (value.length > 0) return value
    }
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    // Also where it is in the middle of unpacking.
    this.#bytes.return?.().catch(() => {})
    this.#parts.over()
  }
}

const unpackers: ReadonlyMap<string, () => NodeJS.ReadWriteStream> = new Map([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['br', () => createBrotliDecompress()],
])

/** As `readBody` unpacks it, but on the way: nothing is unpacked ahead of whoever reads but what one step gives. */
async function* unpacked(
  chunks: AsyncIterable<Uint8Array>,
  encoding: string | undefined,
): AsyncGenerator<Uint8Array> {
  const name = encodingOf(encoding)
  const make = unpackers.get(name)
  if (make === undefined && name !== 'deflate') return yield* chunks
  const packed = chunks[Symbol.asyncIterator]()
  const first = await packed.next()
  // Answers to HEAD, 204 and 304 name an encoding and have no body.
  if (first.done === true) return
  // The standard means zlib (RFC 1950); some servers send bare deflate, whose first byte has another low half.
  const isZlib = ((first.value[0] ?? 0) & 0x0f) === 8
  const unpack = make?.() ?? (isZlib ? createInflate() : createInflateRaw())
  let broken: unknown
  const source = Readable.from(rejoined(first.value, packed), { objectMode: false })
  source.on('error', (error) => {
    broken = error
    ;(unpack as unknown as Readable).destroy(error)
  })
  try {
    yield* source.pipe(unpack) as unknown as AsyncIterable<Uint8Array>
  } catch (error) {
    if (broken !== undefined) throw broken
    if (error instanceof Error && 'code' in error && /^Z_|^ERR_(_)?(ZLIB|BROTLI)/.test(String(error.code)))
      throw new SyscallError('EIO', `the answer is not the \`${name}\` data that it claims to be`)
    throw error
  } finally {
    source.destroy()
    ;(unpack as unknown as Readable).destroy()
  }
}

async function* rejoined(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}
