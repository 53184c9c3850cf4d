/** URLs as rules name them: scheme, host, port, path and query are compared one by one, never the text. */
import {
  assertGlobstars,
  assertPattern,
  compileParts,
  compileText,
  invalid,
  type TextMatcher,
} from './glob.ts'

import { type Prefix, prefixOf } from './index-tree.ts'

/** A URL in one of the ways that a server may read it. */
export interface UrlReading {
  readonly scheme: string
  /** Lower case, Punycode, no final dot; an IPv4 address also where it was written within IPv6. */
  readonly host: string
  readonly port: string
  readonly parts: readonly string[]
  readonly query: string
}

/** The part of a URL that a pattern does not agree with. */
export type UrlPart = 'scheme' | 'host' | 'port' | 'path' | 'query'

export interface UrlMatcher {
  /** `anyHost`, the one host that matches, or from its first dot on what each ends in. */
  readonly place: string
  /** Every path that matches begins so. */
  readonly prefix: Prefix
  mismatch(url: UrlReading): UrlPart | undefined
}

const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' }

/**
 * @param text a URL as the parser wrote it
 * @returns one reading, or two where servers differ: with `%2F`, `%5C` and `//` as they stand, and as single slashes;
 *   or what keeps it from being judged
 */
export const readUrl = (text: string): readonly UrlReading[] | string =>
  readPlainUrl(text) ?? readAnyUrl(text)

/**
 * What most URLs look like once the parser has written them: a name for a host, without the two hyphens by which letters
 * beyond ASCII are encoded, the scheme's own port, and nothing that could be spelled or read in another way. The parser
 * is asked about everything else.
 */
const plainUrl =
  /^(https?):\/\/((?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,63})\/((?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*\/)*(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*)?)(?:\?([A-Za-z0-9._~=&+:,;@$*()!/-]*))?$/

/** A name that a resolver takes, in characters. */
const hostMax = 253

/** @returns the same as the parser gives; undefined where only the parser can say */
function readPlainUrl(text: string): readonly UrlReading[] | undefined {
  const match = plainUrl.exec(text)
  if (match === null) return undefined
  const [, scheme = '', host = '', path = '', query = ''] = match
  if (host.length > hostMax) return undefined
  const port = scheme === 'https' ? '443' : '80'
  return [{ scheme, host, port, parts: path.split('/'), query }]
}

/** The same for any text. */
export function readAnyUrl(text: string): readonly UrlReading[] | string {
  const url = URL.parse(text)
  if (url === null) return 'it is not a URL'
  const scheme = url.protocol.slice(0, -1)
  const defaultPort = Object.hasOwn(defaultPorts, scheme) ? defaultPorts[scheme] : undefined
  if (defaultPort === undefined) return `the scheme is \`${scheme}\`, and only http and https are judged`
  if (url.username !== '' || url.password !== '') return 'the URL carries a user name or password'
  const host = readHost(url.hostname)
  if (host.split('.').includes('')) return 'the host has an empty label'
  const port = url.port === '' ? defaultPort : url.port
  const query = unescapeUnreserved(url.search.slice(1))
  const strict = unescapeUnreserved(url.pathname)
  const loose = collapse(strict)
  const paths = loose === strict ? [strict] : [strict, loose]
  return paths.map((path) => ({ scheme, host, port, parts: path.slice(1).split('/'), query }))
}

/**
 * @param pattern such as `https://*.wikipedia.org/**`: scheme, host (`*` for any, `*.` for one or more labels before it),
 *   port (the scheme's own unless written, `:*` for any), path; a query only where the pattern has a `?`
 * @returns what tells the first part that does not match
 * @throws KernelError EINVAL with what is wrong and what to write
 */
export function compileUrl(pattern: string): UrlMatcher {
  const [, scheme = '', authority = '', path = '', , query] =
    /^([^:/?#]*):\/\/([^/?#]*)([^?#]*)(\?([^#]*))?$/.exec(pattern) ?? []
  if (pattern.includes('#')) throw invalid(`\`${pattern}\` has a fragment, which is never sent; leave it out`)
  const defaultPort = Object.hasOwn(defaultPorts, scheme) ? defaultPorts[scheme] : undefined
  if (defaultPort === undefined)
    throw invalid(`\`${pattern}\` does not begin with \`https://\` or \`http://\`, in lower case`)
  assertPattern(`${scheme}://${authority.replaceAll(/[[\]]/g, '')}${path}${query ?? ''}`)
  const [host, port] = splitAuthority(authority, pattern)
  const hostMatches = compileHost(host, pattern)
  const portMatches = compilePort(port, defaultPort, pattern)
  const parts = urlPathParts(path, pattern)
  const pathMatches = compileParts(parts)
  const queryMatches = query === undefined ? undefined : compileQuery(query, pattern)
  const mismatch = (url: UrlReading): UrlPart | undefined => {
    if (url.scheme !== scheme) return 'scheme'
    if (!hostMatches(url.host)) return 'host'
    if (!portMatches(url.port)) return 'port'
    if (!pathMatches(url.parts)) return 'path'
    return queryMatches === undefined || queryMatches(url.query) ? undefined : 'query'
  }
  return { place: placeOf(host), prefix: prefixOf(parts), mismatch }
}

/** The place of patterns for any host. */
export const anyHost = '*'

/** @param host of a pattern that compiles */
function placeOf(host: string): string {
  if (host === '*') return anyHost
  const name = host.startsWith('*.') ? host.slice(2) : host
  const parsed = new URL(`https://${name}/`).hostname
  return host === name ? readHost(parsed) : `.${parsed}`
}

function splitAuthority(
  authority: string,
  pattern: string,
): readonly [host: string, port: string | undefined] {
  if (authority.includes('@'))
    throw invalid(`\`${pattern}\` holds a user name; a call with one is never sent`)
  const [, host = '', , port] = /^(\[[^\]]*\]|[^:]*)(:(.*))?$/.exec(authority) ?? []
  if (host === '') throw invalid(`\`${pattern}\` has no host; write \`*\` for any`)
  return [host, port]
}

function compilePort(port: string | undefined, defaultPort: string, pattern: string): TextMatcher {
  if (port === '*') return () => true
  if (port !== undefined && (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > portMax))
    throw invalid(`\`:${port}\` in \`${pattern}\` is no port; write 1 to ${portMax}, or \`*\` for any`)
  return (text) => text === (port ?? defaultPort)
}

/** Ports are 16 bits wide (RFC 9293). */
const portMax = 2 ** 16 - 1

function compileHost(host: string, pattern: string): TextMatcher {
  if (host === '*') return () => true
  const suffix = host.startsWith('*.') ? host.slice(2) : undefined
  const name = suffix ?? host
  if (name.includes('*'))
    throw invalid(
      `\`${host}\` in \`${pattern}\`: in a host \`*\` stands alone, or before the first dot as in \`*.example.org\``,
    )
  const parsed = name.includes('%') ? undefined : URL.parse(`https://${name}/`)?.hostname
  if (parsed === undefined || name.endsWith('.') || parsed.split('.').includes(''))
    throw invalid(`\`${host}\` in \`${pattern}\` is no host name; write it without a final dot or escapes`)
  const isAddress = /^[\d.]+$|^\[/.test(parsed)
  if (isAddress && (suffix !== undefined || (!name.startsWith('[') && parsed !== name)))
    throw invalid(
      `\`${host}\` in \`${pattern}\` is another spelling of the address \`${parsed}\`; write that`,
    )
  const own = readHost(parsed)
  if (suffix === undefined) return (text) => text === own
  const ending = `.${parsed}`
  return (text) => text.length > ending.length && text.endsWith(ending)
}

function urlPathParts(path: string, pattern: string): readonly string[] {
  if (path === '')
    throw invalid(`\`${pattern}\` names no path; add \`/**\` for all, or \`/\` for the root alone`)
  const plain = unescapeUnreserved(path)
  if (plain.includes('//')) throw invalid(`\`${pattern}\` holds \`//\` in its path; write one slash`)
  if (/\/\.\.?(\/|$)/.test(plain))
    throw invalid(`\`${pattern}\` holds \`.\` or \`..\` as a part; write where it leads`)
  const parts = unescapeUnreserved(new URL(`https://host${plain}`).pathname)
    .slice(1)
    .split('/')
  assertGlobstars(parts, pattern)
  return parts
}

function compileQuery(query: string, pattern: string): TextMatcher {
  if (query.includes('**'))
    throw invalid(`\`${pattern}\`: in a query write \`*\`, which is any run of characters`)
  return compileText(unescapeUnreserved(new URL(`https://host/?${query}`).search.slice(1)))
}

/** RFC 3986, section 6.2.2: escapes in upper case, and none for characters that need none. */
function unescapeUnreserved(text: string): string {
  if (!text.includes('%')) return text
  return text.replaceAll(/%[0-9a-f]{2}/gi, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase()
  })
}

/** What a lenient server makes of a path: escaped slashes are slashes, several are one, dots lead somewhere. */
function collapse(path: string): string {
  if (!/%2F|%5C|\/\//.test(path)) return path
  const parts: string[] = []
  const all = path.replaceAll(/%2F|%5C/g, '/').split('/')
  for (const part of all) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  const folder = ['', '.', '..'].includes(all.at(-1) ?? '') && parts.length > 0
  return `/${parts.join('/')}${folder ? '/' : ''}`
}

/** One spelling of a host that the parser accepted. */
function readHost(hostname: string): string {
  const [, high, low] = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname) ?? []
  if (high === undefined || low === undefined)
    return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
  const bytes = [high, low].flatMap((word) => {
    const value = Number.parseInt(word, 16)
    return [value >> 8, value & 0xff]
  })
  return bytes.join('.')
}
