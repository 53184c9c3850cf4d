// The body of an answer as the kernel gives it: an open stream of the process, read piece by piece, closed in time.

/** So many answers may wait unread; the next ones come whole, so that they hold no connection. */
const openMax = 16
let open = 0

export const mayStream = () => open < openMax

const ignore = () => {}

/**
 * @param number of the open stream
 * @param signal ends it early, with its reason; may be undefined
 * @returns `next`, which gives text or bytes, undefined at the end, and `close`
 */
export function kernelBody(number, signal) {
  open += 1
  let isOver = false
  let failure
  let stop = ignore
  let forget = ignore
  const over = () => {
    if (isOver) return
    isOver = true
    open -= 1
    forget()
  }
  const close = () => {
    if (isOver) return
    over()
    web.send('stream.close', { stream: number }).reply.catch(ignore)
  }
  if (signal !== undefined)
    forget = web.need('events').onAbort(signal, (reason) => {
      failure = { reason }
      close()
      stop(reason)
    })
  const next = async () => {
    if (failure !== undefined) throw failure.reason
    if (isOver) return undefined
    const aborted = new Promise((_resolve, reject) => {
      stop = reject
    })
    try {
      const piece = await Promise.race([web.send('stream.read', { stream: number }).reply, aborted])
      if (piece.done) over()
      if (piece.done) return undefined
      return Object.hasOwn(piece, 'base64') ? web.fromBase64(piece.base64) : piece.text
    } catch (error) {
      failure ??= { reason: error }
      // Where the read failed the kernel has closed it.
      over()
      throw failure.reason
    }
  }
  return { next, close }
}
