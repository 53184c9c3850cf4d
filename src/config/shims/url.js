// The module `node:url`: the URLs that user space has anyway, paths as URLs, and the functions of before there were any.
import { parse as parseQuery, stringify as queryText } from './querystring.js'

export const { URL, URLPattern, URLSearchParams } = globalThis

const invalid = (name, message) => Object.assign(new TypeError(message), { code: name })

/** @returns the path of a `file:` URL, of this machine */
export function fileURLToPath(url) {
  const { protocol, hostname, pathname } = typeof url === 'string' ? new globalThis.URL(url) : url
  if (protocol !== 'file:') throw invalid('ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file')
  if (hostname !== '')
    throw invalid('ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty')
  if (/%2f/i.test(pathname))
    throw invalid('ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters')
  return decodeURIComponent(pathname)
}

const inPath = { '%': '%25', '\\': '%5C', '\n': '%0A', '\r': '%0D', '\t': '%09', '?': '%3F', '#': '%23' }

export function pathToFileURL(path) {
  const absolute = path.startsWith('/') ? path : `/${path}`
  return new globalThis.URL(`file://${absolute.replace(/[%\\\n\r\t?#]/g, (each) => inPath[each])}`)
}

export const urlToHttpOptions = (url) => ({
  protocol: url.protocol,
  hostname: url.hostname.replace(/^\[|\]$/g, ''),
  hash: url.hash,
  search: url.search,
  pathname: url.pathname,
  path: `${url.pathname}${url.search}`,
  href: url.href,
  ...(url.port !== '' && { port: Number(url.port) }),
  ...(url.username !== '' && {
    auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`,
  }),
})

const domain = (name) => {
  try {
    return new globalThis.URL(`ws://${name}`).hostname
  } catch {
    return ''
  }
}
export const domainToASCII = domain
export const domainToUnicode = domain

export function Url() {
  Object.assign(this, empty)
}
const empty = {
  ...{
    protocol: null,
    slashes: null,
    auth: null,
    host: null,
    port: null,
    hostname: null,
    hash: null,
    search: null,
  },
  ...{ query: null, pathname: null, path: null, href: null },
}

/** As the parser of before there were URLs has it, for what programs still use it for: addresses of the web. */
export function parse(text, withQuery = false, slashesMeanHost = false) {
  const found = new Url()
  const [, protocol, slashes, rest = ''] = /^\s*([a-z][a-z0-9+.-]*:)?(\/\/)?([\s\S]*?)\s*$/i.exec(text)
  found.protocol = protocol?.toLowerCase() ?? null
  const hasHost = slashes !== undefined && (protocol !== undefined || slashesMeanHost)
  if (hasHost) found.slashes = true
  const [, authority = '', after = ''] = hasHost
    ? /^([^/?#]*)([\s\S]*)$/.exec(rest)
    : [rest, '', `${slashes ?? ''}${rest}`]
  const at = authority.lastIndexOf('@')
  if (at >= 0) found.auth = decodeURIComponent(authority.slice(0, at))
  const [, hostname = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?/.exec(authority.slice(at + 1)) ?? []
  if (hasHost) {
    found.port = port === undefined || port === '' ? null : port
    found.hostname = hostname.toLowerCase().replace(/^\[|\]$/g, '')
    found.host = `${hostname.toLowerCase()}${found.port === null ? '' : `:${found.port}`}`
  }
  const [, pathname = '', search, hash] = /^([^?#]*)(\?[^#]*)?(#[\s\S]*)?$/.exec(after)
  found.search = search ?? (withQuery ? '' : null)
  found.query = withQuery ? parseQuery(search?.slice(1) ?? '') : (search?.slice(1) ?? null)
  found.hash = hash ?? null
  found.pathname = pathname !== '' ? pathname : hasHost ? '/' : null
  found.path = found.pathname === null && !search ? null : `${found.pathname ?? ''}${search ?? ''}`
  found.href = format(found)
  return found
}

export function format(url) {
  if (typeof url === 'string') return parse(url).href
  if (url instanceof globalThis.URL) return url.href
  const { auth, hash, hostname, port, slashes, query } = url
  const protocol = url.protocol ? `${url.protocol.replace(/:?$/, '')}:` : ''
  const name = hostname?.includes(':') ? `[${hostname}]` : hostname
  const host = url.host ?? (name ? `${name}${port ? `:${port}` : ''}` : undefined)
  const user = auth ? `${encodeURIComponent(auth).replace(/%3A/i, ':')}@` : ''
  const said = typeof query === 'object' && query !== null ? queryText(query) : query
  const search = url.search ?? (said ? `?${said}` : '')
  const isWeb = slashes || (/^(https?|ftp|file):$/.test(protocol) && host !== undefined)
  const path = url.pathname ?? ''
  const between = isWeb && path !== '' && !path.startsWith('/') ? '/' : ''
  const from = isWeb ? `//${user}${host ?? ''}` : host ? `${user}${host}` : ''
  const mark = (text, sign) => (text && !text.startsWith(sign) ? `${sign}${text}` : (text ?? ''))
  return `${protocol}${from}${between}${path.replace(/[?#]/g, encodeURIComponent)}${mark(search, '?').replaceAll('#', '%23')}${mark(hash, '#')}`
}

export function resolve(from, to) {
  const base = new globalThis.URL(from, 'resolve://here/')
  const { href, protocol } = new globalThis.URL(to, base)
  return protocol === 'resolve:' ? href.slice('resolve://here'.length) : href
}
export const resolveObject = (from, to) => parse(resolve(from, to))

Url.prototype.parse = function (...args) {
  return Object.assign(this, parse(...args))
}
Url.prototype.format = function () {
  return format(this)
}

export default {
  URL,
  URLPattern,
  URLSearchParams,
  Url,
  domainToASCII,
  domainToUnicode,
  fileURLToPath,
  format,
  parse,
  pathToFileURL,
  resolve,
  resolveObject,
  urlToHttpOptions,
}
