/** The one network call: a single HTTP request, redirects left to the caller. */
import { z } from 'zod'
import { namesOf, usesOf, withoutPlaceholders } from '../drivers/net/secrets/placeholders.ts'
import { parseUrl } from '../drivers/net/url.ts'
import { limits } from '../limits.ts'
import { record, syscall } from './row.ts'

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

export const netCalls = {
  'net.fetch': syscall({
    summary:
      'One HTTP request and its answer. A redirect is returned, not followed: the next hop is a new call. Agents use `fetch`.',
    args: request,
    returns:
      '{ readonly status: number; readonly statusText: string; readonly headers: readonly (readonly [string, string])[]; readonly url: string; readonly text?: string; readonly base64?: string; readonly location?: string; readonly sameOrigin?: boolean }',
    cost: 1,
    check: (args, { net }) => net.check(args),
    judge: (args) => {
      const { resource, scheme, host, port, path } = parseUrl(args.url)
      const judged = { method: args.method ?? 'GET', scheme, host, port, path }
      const bodyBytes = Buffer.byteLength(args.text ?? '') + Math.floor(((args.base64 ?? '').length * 3) / 4)
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
    invoke: async (args, { grant, number }, { net }) => {
      const reply = await net.fetch(grant, args, number)
      const location = locationOf(reply.url, reply.headers)
      if (location === undefined) return { ...reply }
      return { ...reply, location, sameOrigin: new URL(location).origin === new URL(reply.url).origin }
    },
  }),
  'net.cancel': syscall({
    summary:
      'Ends a request of this process early, with EINTR; what has left the kernel is not taken back. Agents use an `AbortSignal`.',
    args: z.strictObject({
      call: z.int().positive().meta({ description: 'the number of the call that waits for its answer' }),
    }),
    returns: 'null',
    cost: 1,
    invoke: ({ call }, { grant }, { net }) => net.cancel(grant, call),
  }),
} as const
