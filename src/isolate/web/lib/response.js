// Response, as the Fetch standard says.
import { cloneBody, extract, includeBody, setBody } from './body.js'
import { expose } from './expose.js'
import { fix, Headers, headersOf } from './headers.js'
import { kernelBody } from './kernel-body.js'

const states = new WeakMap()
const withoutBody = new Set([101, 103, 204, 205, 304])
const redirects = new Set([301, 302, 303, 307, 308])

export class Response {
  constructor(body = null, init = {}) {
    const { status = 200, statusText = '', headers } = init ?? {}
    const code = Number(status)
    if (!Number.isInteger(code) || code < 200 || code > 599)
      throw new RangeError('the status of a response is 200 to 599')
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(`${statusText}`))
      throw new TypeError('a status text has no line breaks')
    const own = new Headers(headers)
    const extracted = extract(body)
    if (body !== null && body !== undefined && withoutBody.has(code))
      throw new TypeError(`a response with the status ${code} has no body`)
    if (extracted.type !== undefined && !own.has('content-type')) own.set('content-type', extracted.type)
    states.set(this, { status: code, statusText: `${statusText}`, headers: own, ...plain })
    setBody(this, extracted)
  }
  get type() {
    return states.get(this).type
  }
  get url() {
    return states.get(this).url
  }
  get redirected() {
    return states.get(this).redirected
  }
  get status() {
    return states.get(this).status
  }
  get ok() {
    const { status } = states.get(this)
    return status >= 200 && status < 300
  }
  get statusText() {
    return states.get(this).statusText
  }
  get headers() {
    return states.get(this).headers
  }
  clone() {
    const body = cloneBody(this)
    const state = states.get(this)
    const copy = headersOf([...state.headers])
    return make({ ...state, headers: state.isFixed ? fix(copy) : copy }, body)
  }
  static error() {
    const headers = fix(new Headers())
    return make({ ...plain, type: 'error', status: 0, statusText: '', headers, isFixed: true }, {})
  }
  static json(data, init = {}) {
    const text = JSON.stringify(data)
    if (text === undefined) throw new TypeError('what is given is no JSON')
    const headers = new Headers(init?.headers)
    if (!headers.has('content-type')) headers.set('content-type', 'application/json')
    return new Response(text, { ...init, headers })
  }
  static redirect(url, status = 302) {
    const { URL } = web.need('url')
    const { href } = new URL(`${url}`)
    if (!redirects.has(status)) throw new RangeError(`${status} is not the status of a redirect`)
    const headers = fix(new Headers({ location: href }))
    return make({ ...plain, status, statusText: '', headers, isFixed: true }, {})
  }
}
const plain = { type: 'default', url: '', redirected: false, isFixed: false }

includeBody(Response)
expose({ Response })

function make(state, body) {
  const response = new Response()
  states.set(response, state)
  setBody(response, body)
  return response
}

/**
 * @param reply what `net.fetch` gave
 * @param signal aborts what is still to come of the body
 */
export function responseOf(reply, redirected, signal) {
  const headers = fix(headersOf(reply.headers))
  const { status, statusText, url } = reply
  const state = { type: 'basic', url, redirected, status, statusText, headers, isFixed: true }
  return make(state, bodyOf(reply, signal))
}

/** Own fields only: agent code may have given every object others. */
function bodyOf(reply, signal) {
  if (Object.hasOwn(reply, 'body')) return { source: kernelBody(reply.body, signal) }
  if (withoutBody.has(reply.status)) return {}
  if (Object.hasOwn(reply, 'base64')) return { base64: reply.base64 }
  return { text: Object.hasOwn(reply, 'text') ? reply.text : '' }
}
