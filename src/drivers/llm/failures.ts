/** What went wrong with a model, as an errno with a sentence of ours: what providers throw names places, headers and prompts. */
import { type Errno, SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { shownText } from './shown.ts'
import { fieldOf } from './usage.ts'

export interface Failure {
  readonly code: Errno
  readonly reason: string
  /** Whether trying again may help and does no harm. */
  readonly isRetryable: boolean
  /** How long the server wants to be left alone, in ms. */
  readonly afterMs?: number | undefined
  /** Whether providers charge nothing for it: the prompt did not leave, or the server refused it. */
  readonly isFree: boolean
}

/** Of Node.js, undici and the kernel's own egress: met before any byte of an answer came. */
const unreached: readonly (readonly [codes: RegExp, errno: Errno, reason: string])[] = [
  [/^ECONNREFUSED$/, 'ECONNREFUSED', "nothing listens where the model's server is said to be"],
  [
    /^(ENOTFOUND|ENODATA|EAI_.*|EHOSTUNREACH|ENETUNREACH)$/,
    'EHOSTUNREACH',
    "the model's server cannot be found",
  ],
  [/^(UND_ERR_CONNECT_TIMEOUT)$/, 'ETIMEDOUT', "the model's server takes no connection"],
]

const brokenOff = /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET|UND_ERR_\w+)$/

/** Names that the AI SDK gives to errors about what a server answered. */
const nonsense =
  /^AI_(JSONParseError|TypeValidationError|InvalidResponseDataError|EmptyResponseBodyError|NoContentGeneratedError|InvalidStreamPartError)$/

const causesMax = 8

/**
 * @param thrown by a model, whatever it is
 * @param secondsNow of the kernel's clock, since 1970: for a server that names a time
 */
export function readFailure(thrown: unknown, secondsNow: number): Failure {
  const chain = causesOf(thrown)
  for (const error of chain) {
    if (error instanceof SyscallError) return ofKernel(error)
    const status = statusOf(error)
    if (status !== undefined && (status < 200 || status > 299)) return ofStatus(status, error, secondsNow)
  }
  for (const error of chain) {
    const code = String(fieldOf(error, 'code') ?? '')
    const known = unreached.find(([codes]) => codes.test(code))
    if (known !== undefined) return { code: known[1], reason: known[2], isRetryable: true, isFree: true }
    if (brokenOff.test(code)) return broken
  }
  for (const error of chain) {
    const name = String(fieldOf(error, 'name') ?? '')
    if (nonsense.test(name) || statusOf(error) !== undefined) return notUnderstood(error)
    if (name === 'AI_UnsupportedFunctionalityError')
      return {
        code: 'EINVAL',
        reason: `the model does not take part of this: ${shownText(String(fieldOf(error, 'functionality') ?? 'unknown'))}`,
        isRetryable: false,
        isFree: true,
      }
  }
  return {
    code: 'EIO',
    reason: 'the model failed; the application has the details',
    isRetryable: false,
    isFree: false,
  }
}

const broken: Failure = {
  code: 'EIO',
  reason: "the model's server broke off before its answer was complete",
  isRetryable: false,
  isFree: false,
}

/** An error and what caused it, the innermost last. */
function causesOf(thrown: unknown): readonly unknown[] {
  const chain: unknown[] = []
  for (let error = thrown; error !== undefined && error !== null && chain.length < causesMax; ) {
    chain.push(error)
    error = fieldOf(error, 'cause')
  }
  return chain
}

/** Of the egress: it names the server, which agents need not know. */
function ofKernel({ code, message, sent }: SyscallError): Failure {
  const known = unreached.find(([codes]) => codes.test(code))
  if (known !== undefined) return { code, reason: known[2], isRetryable: true, isFree: true }
  const sentences: Partial<Record<Errno, string>> = {
    EPERM:
      "the model's server has an address beyond the public internet, which the application permits by `addresses` of the model",
    ETIMEDOUT: "the model's server did not answer in time",
    EIO: sent ? broken.reason : "the model's server could not be asked",
  }
  const isOurs = !message.includes('://') && sentences[code] === undefined
  const reason = sentences[code] ?? (isOurs ? message : "the model's server could not be asked")
  return { code, reason, isRetryable: !sent && (code === 'EIO' || code === 'EAGAIN'), isFree: !sent }
}

function statusOf(error: unknown): number | undefined {
  const status = fieldOf(error, 'statusCode') ?? fieldOf(error, 'status')
  return typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599
    ? status
    : undefined
}

function ofStatus(status: number, error: unknown, secondsNow: number): Failure {
  const http = `(HTTP ${status})`
  const failed = (code: Errno, reason: string, more: Partial<Failure> = {}): Failure => ({
    ...{ code, reason: `${reason} ${http}`, isRetryable: false, isFree: true },
    ...more,
  })
  if (status === 401 || status === 403)
    return failed('EACCES', "the model's server does not accept the application's key")
  if (status === 404) return failed('EIO', "the model's server has no such model")
  if (status === 400 || status === 413 || status === 422) {
    const why = saidBy(error)
    return failed('EINVAL', `the model's server does not take this prompt${why === '' ? '' : `: ${why}`}`)
  }
  const isBusy = status === 429 || status === 408 || status === 409
  if (!isBusy && status < 500) return failed('EIO', "the model's server refused the request")
  const afterMs = retryAfterOf(error, secondsNow)
  const isSoon = afterMs === undefined || afterMs <= limits.llmBackoffMsMax
  const wants = isSoon
    ? ''
    : ` and wants to be left alone for ${Math.ceil(afterMs / millisecondsPerSecond)} s`
  const what = isBusy ? "the model's server takes no more for now" : "the model's server failed"
  return failed(isBusy ? 'EAGAIN' : 'EIO', `${what}${wants}`, { isRetryable: isSoon, afterMs })
}

const millisecondsPerSecond = 1e3

/** What a server says of a prompt that it does not take: the sentence that its kind of API has for people. */
function saidBy(error: unknown): string {
  const data = fieldOf(error, 'data')
  const said = fieldOf(fieldOf(data, 'error'), 'message') ?? fieldOf(data, 'message')
  return typeof said === 'string' ? shownText(said) : ''
}

/** Seconds, or a date (RFC 9110, section 10.2.3). */
function retryAfterOf(error: unknown, secondsNow: number): number | undefined {
  const headers = fieldOf(error, 'responseHeaders')
  const given = fieldOf(headers, 'retry-after')
  if (typeof given !== 'string') return undefined
  if (/^\d{1,9}$/.test(given)) return Number(given) * millisecondsPerSecond
  const at = Date.parse(given)
  if (Number.isNaN(at)) return undefined
  return Math.max(0, at - secondsNow * millisecondsPerSecond)
}

function notUnderstood(error: unknown): Failure {
  const received = fieldOf(error, 'responseBody') ?? fieldOf(error, 'text') ?? fieldOf(error, 'value')
  const shown =
    typeof received === 'string'
      ? received
      : typeof received === 'object' && received !== null
        ? jsonOf(received)
        : undefined
  return {
    code: 'EIO',
    reason: `the model's server answered with something that is no reply of a model${shown === undefined ? '' : `: \`${shownText(shown)}\``}`,
    isRetryable: false,
    isFree: false,
  }
}

function jsonOf(value: object): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined // A cycle: nothing of it can be shown.
  }
}
