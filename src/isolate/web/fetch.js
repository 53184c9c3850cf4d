// fetch, with its Headers, Request and Response: one net.fetch a hop, each judged by the gate.
import { packed, takeBody } from './lib/body.js'
import { kernelBody, mayStream } from './lib/kernel-body.js'
import { settingsOf, stateOf } from './lib/request.js'
import { responseOf } from './lib/response.js'
import { openUpload, upload } from './lib/upload.js'

export { Headers } from './lib/headers.js'
export { Request } from './lib/request.js'
export { Response } from './lib/response.js'

const hopsMax = 10
const redirects = new Set([301, 302, 303, 307, 308])
/** They frame the message: the kernel writes them, and the standard leaves out what a program says of them. */
const framing = new Set([
  ...['accept-encoding', 'connection', 'content-length', 'keep-alive', 'transfer-encoding'],
])

export async function fetch(input, init) {
  const { url, settings, body } = requestOf(input, init ?? {})
  const abort = abortable(settings.signal)
  try {
    let request = { url, method: settings.method, headers: headerObject(settings.headers), ...packed(body) }
    if (body.stream !== undefined) request.bodyStream = await abort.race(openUpload())
    for (let hop = 0; ; hop += 1) {
      const call = web.send('net.fetch', mayStream() ? { ...request, stream: true } : request)
      if (Object.hasOwn(request, 'bodyStream'))
        upload(request.bodyStream, body.stream).catch((error) => abort.fail(error))
      const reply = await abort.race(call.reply, call.number)
      const leads = Object.hasOwn(reply, 'location') && redirects.has(reply.status)
      if (!leads || settings.redirect === 'manual') return responseOf(reply, hop > 0, settings.signal)
      if (Object.hasOwn(reply, 'body')) kernelBody(reply.body).close()
      if (Object.hasOwn(request, 'bodyStream') && reply.status !== 303)
        throw new TypeError(
          `fetch of \`${request.url}\` was redirected, and its body, a stream, is sent already`,
        )
      if (settings.redirect === 'error')
        throw new TypeError(`fetch of \`${request.url}\` was redirected, and redirect is \`error\``)
      if (hop === hopsMax)
        throw new TypeError(`fetch of \`${url}\` was redirected more than ${hopsMax} times`)
      request = redirected(request, reply)
    }
  } finally {
    abort.over()
  }
}

/** A text is sent as it is: the kernel reads it, and says what is wrong with it. */
function requestOf(input, init) {
  const known = stateOf(input)
  const settings = settingsOf(init, known ?? {})
  const url = known?.url ?? `${input}`
  return { url, settings, body: settings.body ?? (known === undefined ? {} : takeBody(input)) }
}

function headerObject(headers) {
  const object = { __proto__: null }
  for (const [name, value] of headers)
    if (!framing.has(name)) object[name] = Object.hasOwn(object, name) ? `${object[name]}, ${value}` : value
  return object
}

/** What ends whatever is waited for, and the call behind it: an AbortSignal, or a body that fails. */
function abortable(signal) {
  signal?.throwIfAborted()
  let stop
  let number
  const aborted = new Promise((_resolve, reject) => {
    stop = reject
  })
  // Somebody else may be waited for at the moment.
  aborted.catch(() => {})
  const fail = (reason) => {
    stop(reason)
    if (number !== undefined) web.send('call.cancel', { call: number }).reply.catch(() => {})
  }
  const forget = signal === undefined ? () => {} : web.need('events').onAbort(signal, fail)
  return {
    race: (work, call) => {
      number = call
      return Promise.race([work, aborted])
    },
    fail,
    over: () => {
      number = undefined
      forget()
    },
  }
}

/** The next request after a redirect, as the Fetch standard says (HTTP-redirect fetch, steps 11 to 13). */
function redirected(request, reply) {
  const next = { url: reply.location, method: request.method, headers: { __proto__: null } }
  const toGet =
    (reply.status === 303 && request.method !== 'GET' && request.method !== 'HEAD') ||
    ((reply.status === 301 || reply.status === 302) && request.method === 'POST')
  if (toGet) next.method = 'GET'
  for (const name of Object.keys(request.headers)) {
    if (toGet && /^content-(type|length|encoding|language|location)$/.test(name)) continue
    if (!reply.sameOrigin && /^(authorization|cookie|proxy-authorization|host)$/.test(name)) continue
    // The kernel would refuse a secret for another server; one that may have it too is not given it by a server's word.
    if (!reply.sameOrigin && `${request.headers[name]}`.includes('${secret:')) continue
    next.headers[name] = request.headers[name]
  }
  if (toGet) return next
  if (Object.hasOwn(request, 'text')) next.text = request.text
  if (Object.hasOwn(request, 'base64')) next.base64 = request.base64
  return next
}
