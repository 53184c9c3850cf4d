/** The one network call: a single HTTP request, redirects left to the caller. */
import { z } from 'zod'
import type { FetchRequest } from '../drivers/net/request.ts'
import { namesOf, usesOf, withoutPlaceholders } from '../drivers/net/secrets/placeholders.ts'
import { parseUrl } from '../drivers/net/url.ts'
import type { Source } from '../drivers/streams/source.ts'
import { SyscallError } from '../errors.ts'
import type { Grant } from '../grant.ts'
import { limits } from '../limits.ts'
import { type Call, type Drivers, record, syscall } from './row.ts'

const headers = record(z.string().max(limits.headerNameMax), z.string().max(limits.headerBytesMax), {
  keysMax: limits.headersMax,
  what: 'headers',
})

const request = z.strictObject({
  url: z.string().meta({ description: 'http or https, without user and password' }),
  method: z.string().max(limits.wordMax).optional().meta({ description: 'GET by default' }),
  headers: headers
    .optional()
    .meta({ description: 'name → value; a placeholder in a value stands for a secret (docs/secrets.md)' }),
  text: z.string().optional().meta({ description: 'the body, as text (UTF-8)' }),
  base64: z.base64().optional().meta({ description: 'the body, as bytes, in place of text' }),
  bodyStream: z.int().positive().optional().meta({
    description:
      'the body, as a stream of `stream.open`, in place of text; `bodyBytes` is then the most it may have',
  }),
  stream: z.boolean().optional().meta({
    description:
      'reply when the head of the answer has come: its body is the stream `body`, to be read piece by piece. Where a rule looks through what comes back it comes whole all the same',
  }),
})

/** Where a redirect leads, resolved against the request; undefined where it leads nowhere that can be asked for. */
function locationOf(url: string, headers: readonly (readonly [string, string])[]): string | undefined {
  const header = headers.find(([name]) => name.toLowerCase() === 'location')?.[1]
  if (header === undefined || !URL.canParse(header, url)) return undefined
  // What a server writes is no placeholder: else it could have an agent send a secret where it likes among its origins.
  return withoutPlaceholders(new URL(header, url).href)
}

/** In lower case, as HTTP compares them: a condition names a header in one spelling. */
const headerNames = (headers: Readonly<Record<string, string>>): readonly string[] =>
  Object.keys(headers).map((name) => name.toLowerCase())

/** @returns the head of the answer, with the number of the stream that is its body; without where it has none, or it is there already */
async function openFetch(asked: FetchRequest, call: Call, { net, streams }: Drivers) {
  const place = streams.reserve(call)
  try {
    const { head, source } = await net.open(call.grant, asked)
    if (source === undefined) {
      place.leave()
      return head
    }
    return { ...head, body: place.fill({ source, isForeign: true }) }
  } catch (error) {
    place.leave()
    throw error
  }
}

/** What calls have taken as their bodies. */
const bodies = new WeakMap<Grant, Source>()

const bytesOf = ({ text = '', base64 = '' }: z.infer<typeof request>): number =>
  Buffer.byteLength(text) + Math.floor((base64.length * 3) / 4)

export const netCalls = {
  'net.fetch': syscall({
    summary:
      'One HTTP request and its answer. A redirect is returned, not followed: the next hop is a new call. Agents use `fetch`.',
    args: request,
    returns:
      '{ readonly status: number; readonly statusText: string; readonly headers: readonly (readonly [string, string])[]; readonly url: string; readonly text?: string; readonly base64?: string; readonly body?: number; readonly location?: string; readonly sameOrigin?: boolean }',
    cost: 1,
    check: ({ bodyStream, ...args }, { net, streams }, process) => {
      net.check(args)
      if (bodyStream === undefined) return
      streams.find(process, bodyStream).assertFree()
      if (args.text !== undefined || args.base64 !== undefined)
        throw new SyscallError('EINVAL', 'the body is given whole and as a stream; give one of them')
    },
    takes: ({ bodyStream }, { process, grant, terms }, { streams }) => {
      if (bodyStream === undefined) return
      const body = streams.find(process, bodyStream).takeBody(terms)
      bodies.set(grant, body)
      // Also where it ends before it began.
      grant.signal.addEventListener('abort', () => body.close(process.labels), { once: true })
    },
    judge: (args) => {
      const { resource, scheme, host, port, path } = parseUrl(args.url)
      const judged = { method: args.method ?? 'GET', scheme, host, port, path }
      const bodyBytes = args.bodyStream === undefined ? bytesOf(args) : limits.fetchStreamBytesMax
      const secrets = namesOf(usesOf(args))
      return [
        {
          action: 'net.fetch',
          resource,
          args: { ...judged, headers: headerNames(args.headers ?? {}), bodyBytes, secrets },
        },
      ]
    },
    external: () => true,
    invoke: async ({ stream = false, bodyStream: _, ...given }, call, drivers) => {
      const isStream = stream && !call.isLookedThrough
      const body = bodies.get(call.grant)
      const request = { ...given, ...(body !== undefined && { body }) }
      const reply = isStream
        ? await openFetch(request, call, drivers)
        : await drivers.net.fetch(call.grant, request)
      const location = locationOf(reply.url, reply.headers)
      if (location === undefined) return { ...reply }
      return { ...reply, location, sameOrigin: new URL(location).origin === new URL(reply.url).origin }
    },
  }),
} as const
