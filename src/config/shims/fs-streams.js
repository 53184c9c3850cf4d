// Files as streams of Node.js: read in parts by offset, written part after part to the end.
import { Readable, Writable } from 'readable-stream'
import { Buffer } from './buffer.js'
import { pathOf } from './fs-promises.js'

const door = globalThis.fs

const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding)

export function createReadStream(path, options = {}) {
  const file = pathOf(path)
  const { start = 0, end = Number.POSITIVE_INFINITY, highWaterMark = 65_536 } = options ?? {}
  let offset = start
  return Object.assign(
    new Readable({
      highWaterMark,
      encoding: encodingOf(options) ?? null,
      read(size) {
        const length = Math.min(size, end - offset + 1)
        if (length <= 0) return void this.push(null)
        door.read(file, { offset, length, encoding: 'bytes' }).then(
          (bytes) => {
            offset += bytes.length
            this.bytesRead = offset - start
            this.push(bytes.length === 0 ? null : Buffer.from(bytes))
          },
          (error) => this.destroy(error),
        )
      },
    }),
    { path: file, bytesRead: 0 },
  )
}

export function createWriteStream(path, options = {}) {
  const file = pathOf(path)
  const { flags = 'w', start } = typeof options === 'string' ? {} : (options ?? {})
  if (!/^[wa]$/.test(flags) || start !== undefined)
    throw Object.assign(
      new Error(`ENOSYS: fs.createWriteStream with flags ${flags}: a file is written anew, or to its end`),
      { code: 'ENOSYS' },
    )
  return Object.assign(
    new Writable({
      decodeStrings: true,
      defaultEncoding: encodingOf(options) ?? 'utf8',
      construct(done) {
        const begun = flags === 'a' ? door.append(file, '') : door.write(file, '')
        begun.then(() => done(), done)
      },
      write(chunk, _encoding, done) {
        this.bytesWritten += chunk.length
        door
          .append(file, new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
          .then(() => done(), done)
      },
    }),
    { path: file, bytesWritten: 0 },
  )
}
