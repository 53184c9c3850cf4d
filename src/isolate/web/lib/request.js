// Request, as the Fetch standard says.
import { cloneBody, extract, includeBody, setBody, takeBody } from './body.js'
import { expose } from './expose.js'
import { Headers } from './headers.js'

const states = new WeakMap()
const normalized = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'])
const forbidden = new Set(['CONNECT', 'TRACE', 'TRACK'])
const redirectModes = new Set(['follow', 'error', 'manual'])

/** @throws TypeError for what is no method, or none that a program may use */
export function methodOf(given) {
  const method = `${given}`
  const upper = method.toUpperCase()
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method) || forbidden.has(upper))
    throw new TypeError(`\`${method.slice(0, 40)}\` is not a method that a request can have`)
  return normalized.has(upper) ? upper : method
}

/**
 * What a request says beside its URL.
 * @param base what it says where `init` does not; `{}` for nothing
 */
export function settingsOf(init, base) {
  const method = init.method === undefined ? (base.method ?? 'GET') : methodOf(init.method)
  const redirect = init.redirect === undefined ? (base.redirect ?? 'follow') : `${init.redirect}`
  if (!redirectModes.has(redirect)) throw new TypeError('the option redirect is follow, error or manual')
  const headers = new Headers(init.headers ?? base.headers)
  const signal = init.signal === undefined ? base.signal : (init.signal ?? undefined)
  if (signal !== undefined && !web.need('events').isAbortSignal(signal))
    throw new TypeError('the option signal is an AbortSignal')
  const hasBody = init.body !== undefined && init.body !== null
  if (hasBody && (method === 'GET' || method === 'HEAD'))
    throw new TypeError(`a ${method} request has no body`)
  const body = hasBody ? extract(init.body) : undefined
  if (body?.stream !== undefined && init.duplex !== 'half')
    throw new TypeError("a request whose body is a stream takes the option `duplex: 'half'`")
  if (body?.type !== undefined && !headers.has('content-type')) headers.set('content-type', body.type)
  return { method, redirect, headers, signal, body }
}

export class Request {
  constructor(input, init = {}) {
    if (arguments.length === 0) throw new TypeError('a Request takes a URL or a Request')
    const known = states.get(input)
    const settings = settingsOf(init ?? {}, known ?? {})
    const { body, ...state } = settings
    states.set(this, { ...state, url: known?.url ?? absolute(input) })
    setBody(this, body ?? (known === undefined ? {} : takeBody(input)))
  }
  get method() {
    return states.get(this).method
  }
  get url() {
    return states.get(this).url
  }
  get headers() {
    return states.get(this).headers
  }
  get redirect() {
    return states.get(this).redirect
  }
  get signal() {
    const state = states.get(this)
    if (state.own === undefined) {
      const { AbortController, AbortSignal } = web.need('events')
      state.own = state.signal === undefined ? new AbortController().signal : AbortSignal.any([state.signal])
    }
    return state.own
  }
  clone() {
    const body = cloneBody(this)
    const copy = new Request(states.get(this).url)
    const state = states.get(this)
    states.set(copy, { ...state, headers: new Headers(state.headers), own: undefined, signal: this.signal })
    setBody(copy, body)
    return copy
  }
}

/** What a browser would do with it, and nobody here does. */
const fixed = {
  ...{ destination: '', referrer: 'about:client', referrerPolicy: '', mode: 'cors', cache: 'default' },
  ...{ credentials: 'same-origin', integrity: '', keepalive: false, duplex: 'half' },
  ...{ isHistoryNavigation: false, isReloadNavigation: false },
}
for (const [name, value] of Object.entries(fixed))
  Object.defineProperty(Request.prototype, name, { get: () => value, configurable: true })
includeBody(Request)
expose({ Request })

function absolute(input) {
  const { URL } = web.need('url')
  const url = new URL(`${input}`)
  if (url.username !== '' || url.password !== '')
    throw new TypeError('the URL of a request has no user and no password')
  return url.href
}

/** @returns what a Request says; undefined for anything else */
export const stateOf = (value) => states.get(value)
