// The body of a request as a stream: written to the kernel piece by piece, while the request is under way.

/** As much as one write may well be. */
const pieceBytes = 262_144
const ignore = () => {}

/** @returns the number of an open stream, to be named in a request */
export async function openUpload() {
  const { stream } = await web.send('stream.open', {}).reply
  return stream
}

/**
 * Writes until the stream ends, or the kernel takes no more: then the request says why.
 * @param number of the open stream
 * @returns rejects with what the stream failed with, or where it gives no bytes
 */
export async function upload(number, stream) {
  const reader = stream.getReader()
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      if (!(value instanceof Uint8Array)) throw new TypeError('a body is a stream of Uint8Arrays')
      if (!(await write(number, value))) return await reader.cancel()
    }
    web.send('stream.close', { stream: number }).reply.catch(ignore)
  } catch (error) {
    reader.cancel(error).catch(ignore)
    throw error
  }
}

/** @returns whether the kernel took it */
async function write(number, bytes) {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const base64 = web.toBase64(bytes.subarray(at, at + pieceBytes))
    const isTaken = await web.send('stream.write', { stream: number, base64 }).reply.then(
      () => true,
      () => false,
    )
    if (!isTaken) return false
  }
  return true
}
