/** A URL is accepted only when the text and what the parser makes of it name the same place. */
import { isIPv6 } from 'node:net'
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'

/** An accepted URL, in the parser's own spelling. */
export interface WebUrl {
  /** The whole URL without its fragment: what the policy judges, the grant names and the driver asks for. */
  readonly resource: string
  readonly scheme: 'http' | 'https'
  /** A name in lower case (Punycode where it has other letters), or an IP address without brackets. */
  readonly host: string
  readonly port: number
  /** Starts with a slash; dot segments are resolved. */
  readonly path: string
  /** Starts with a question mark, or empty. */
  readonly query: string
}

/**
 * Reads a URL that a guest wrote (WHATWG URL Standard, narrowed).
 * Whatever the parser would drop or respell before the path (blanks, backslashes, user names, percent signs,
 * numbers that mean an IPv4 address, a final dot) is refused, so that nobody reads another host than the kernel.
 * Only letter case, IPv6 shorthand, Unicode names and the default port are brought to their one form.
 * @param text at most `limits.urlMax` characters; http or https only
 * @returns the parts; `parseUrl(parseUrl(text).resource)` gives the same again
 * @throws SyscallError EINVAL with what is wrong and what to write instead
 */
export function parseUrl(text: string): WebUrl {
  assertPlain(text)
  const [scheme, host, port] = splitAuthority(text)
  const url = URL.parse(text)
  if (url === null) throw unsound(`\`${shown(text)}\` is not a URL`)
  assertSameHost(host, url.hostname)
  url.hash = ''
  const resource = url.href
  if (resource.length > limits.urlMax) throw tooLong(resource.length)
  return Object.freeze({
    resource,
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: port ?? (scheme === 'https' ? 443 : 80),
    path: url.pathname,
    query: url.search,
  })
}

function assertPlain(text: string): void {
  if (text.length > limits.urlMax) throw tooLong(text.length)
  const odd = /[\p{White_Space}\p{Control}\p{Format}\p{Surrogate}\\]/u.exec(text)?.[0]
  if (odd === undefined) return
  const name = odd === '\\' ? 'a backslash' : `the character U+${hex(odd)}`
  throw unsound(`the URL holds ${name}, which parsers read differently; write it percent-encoded`)
}

const hex = (character: string): string =>
  (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')

/** Takes scheme, host and port from the text itself, without the parser's forgiveness. */
function splitAuthority(text: string): readonly ['http' | 'https', string, number | undefined] {
  const [, scheme = '', slashes = '', authority = ''] =
    /^([a-z][a-z0-9+.-]*):(\/*)([^/?#]*)/i.exec(text) ?? []
  const lower = scheme.toLowerCase()
  if (lower !== 'http' && lower !== 'https')
    throw unsound(`\`${shown(text)}\` does not begin with http:// or https://, and nothing else is fetched`)
  if (slashes !== '//' || authority === '')
    throw unsound(`\`${shown(text)}\` needs a host right after \`${lower}://\``)
  if (authority.includes('@'))
    throw unsound('the URL holds a user name or password; send an `authorization` header instead')
  const [, host = '', colon, port = ''] = /^(\[.*\]|[^:]*)(:(.*))?$/.exec(authority) ?? []
  if (colon !== undefined && !/^[1-9]\d{0,4}$/.test(port))
    throw unsound(`\`${shown(authority)}\` does not end in a port from 1 to 65535`)
  return [lower, host, port === '' ? undefined : Number(port)]
}

/** Holds where the parser changed nothing but letter case, IPv6 shorthand and Unicode labels. */
function assertSameHost(written: string, parsed: string): void {
  if (parsed.startsWith('[') && written.startsWith('[') && isIPv6(parsed.slice(1, -1))) return
  const labels = written.toLowerCase().split('.')
  const result = parsed.split('.')
  if (parsed.length > limits.hostNameMax || result.some((label) => label.length > limits.hostLabelMax))
    throw unsound(`host \`${shown(parsed)}\` is longer than a name can be`)
  const same =
    labels.length === result.length && labels.every((label, index) => sameLabel(label, result[index] ?? ''))
  if (same && !result.includes('')) return
  throw unsound(
    same
      ? `host \`${shown(written)}\` begins or ends with a dot or has two in a row; write it without`
      : `host \`${shown(written)}\` is another spelling of \`${shown(parsed)}\`; write that`,
  )
}

/** A label beyond ASCII is fine if it became Punycode; one that folds into ASCII (`ⓔxample`) is a disguise. */
const sameLabel = (written: string, parsed: string): boolean =>
  written === parsed || (/[^\0-\x7f]/.test(written) && parsed.startsWith('xn--'))

const tooLong = (length: number): SyscallError =>
  unsound(`the URL has ${length} characters, at most ${limits.urlMax} fit; send the rest as a body`)

const unsound = (why: string): SyscallError => new SyscallError('EINVAL', why)

const shown = (text: string): string => (text.length > 80 ? `${text.slice(0, 80).toWellFormed()}…` : text)
