/** What the network did wrong, as an errno with a sentence, and whether the server may have acted. */
import { type Errno, SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { errors } from './undici.ts'

interface Failure {
  readonly codes: RegExp
  readonly errno: Errno
  readonly why: (place: string) => string
}

/** Codes of Node.js (errno, getaddrinfo, OpenSSL), of undici (UND_ERR_) and of its parser (HPE); the first that fits. */
const failures: readonly Failure[] = [
  { codes: /^ECONNREFUSED$/, errno: 'ECONNREFUSED', why: (place) => `nothing listens at \`${place}\`` },
  {
    codes: /^(ENOTFOUND|ENODATA|EAI_(?!AGAIN))/,
    errno: 'EHOSTUNREACH',
    why: (place) => `the name in \`${place}\` has no address; check its spelling`,
  },
  {
    codes: /^EAI_AGAIN$/,
    errno: 'EHOSTUNREACH',
    why: (place) => `the name in \`${place}\` could not be resolved now; try again later`,
  },
  {
    codes: /^(EHOST|ENET|EADDRNOTAVAIL|EAFNOSUPPORT)/,
    errno: 'EHOSTUNREACH',
    why: (place) => `no way leads to \`${place}\` from this machine`,
  },
  {
    codes: /^(ETIMEDOUT|UND_ERR_\w*TIMEOUT)$/,
    errno: 'ETIMEDOUT',
    why: (place) => `\`${place}\` did not answer in time`,
  },
  {
    codes: /^(EMFILE|ENFILE|ENOBUFS|ENOMEM)$/,
    errno: 'EAGAIN',
    why: () => 'the kernel has no free socket; try again later',
  },
  {
    codes: /HEADERS?_OVERFLOW$/,
    errno: 'EFBIG',
    why: () => `the answer has more than ${limits.headerBytesMax} bytes of headers`,
  },
  {
    codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    errno: 'EIO',
    why: (place) => `the certificate of \`${place}\` is for another name`,
  },
  {
    codes: /^CERT_HAS_EXPIRED$/,
    errno: 'EIO',
    why: (place) => `the certificate of \`${place}\` has expired`,
  },
  {
    codes: /CERT|SIGNATURE/,
    errno: 'EIO',
    why: (place) => `the certificate of \`${place}\` is not trusted: no known authority vouches for it`,
  },
  {
    codes: /^(EPROTO$|ERR_SSL|ERR_TLS)/,
    errno: 'EIO',
    why: (place) => `\`${place}\` and the kernel agree on no TLS connection; is it an http:// server?`,
  },
  {
    codes: /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/,
    errno: 'EIO',
    why: (place) => `\`${place}\` closed the connection before its answer was complete`,
  },
  {
    codes: /^HPE/,
    errno: 'EIO',
    why: (place) => `\`${place}\` answered with something that is not HTTP/1.1`,
  },
]

/**
 * @param error what was thrown between the first lookup and the last byte
 * @param place host and port, as the guest wrote them
 * @param sent whether a byte of the request may have left
 * @returns the error for the guest, without the system's own text (it may name paths and internal addresses)
 * @throws the error itself where it is none of the network's: a broken invariant stays one
 */
export function netError(error: unknown, place: string, sent: boolean): SyscallError {
  if (error instanceof SyscallError) return new SyscallError(error.code, error.message, sent)
  const code = codeOf(error)
  if (code === undefined) throw error
  const known = failures.find(({ codes }) => codes.test(code))
  if (known !== undefined) return new SyscallError(known.errno, known.why(place), sent)
  return new SyscallError('EIO', `the exchange with \`${place}\` failed (${code})`, sent)
}

/**
 * The same for what comes later, when the head of the answer is there: nothing is done by reading on, so nothing can be unknown.
 * @returns the error itself where it is none of the network's
 */
export function readingError(error: unknown, place: string): unknown {
  try {
    const { code, message } = netError(error, place, false)
    return new SyscallError(code, message)
  } catch (defect) {
    return defect
  }
}

function codeOf(error: unknown): string | undefined {
  // undici's parser looks its codes up the wrong way round and leaves them out.
  if (error instanceof errors.HTTPParserError) return 'HPE'
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
