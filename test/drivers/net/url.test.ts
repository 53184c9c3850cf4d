import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseUrl } from '../../../src/drivers/net/url.ts'
import { limits } from '../../../src/limits.ts'

const invalid = (why: RegExp) =>
  expect.objectContaining({ code: 'EINVAL', message: expect.stringMatching(why) })

test.each([
  'ftp://example.com/',
  'file:///etc/passwd',
  'data:text/plain,hi',
  'javascript:alert(1)',
  'ws://example.com/',
  'example.com',
  '/path',
  '',
  '://example.com',
])('only http and https are fetched: %j', (text) => {
  expect(() => parseUrl(text)).toThrow(invalid(/http:\/\/ or https:\/\//))
})

test.each([
  ['http:example.com', /needs a host/],
  ['http:/example.com', /needs a host/],
  ['http:///example.com', /needs a host/],
  ['http://', /needs a host/],
  ['http://?x', /needs a host/],
  ['http://user@example.com/', /user name or password/],
  ['http://user:pass@example.com/', /user name or password/],
  ['http://example.com:80@127.0.0.1/', /user name or password/],
  ['http:\\\\example.com', /backslash/],
  ['http://example.com\\@127.0.0.1/', /backslash/],
  ['http://example.com/a\\b', /backslash/],
  [' http://example.com/', /U\+0020/],
  ['http://exa\tmple.com/', /U\+0009/],
  ['http://example.com/a\nb', /U\+000A/],
  ['http://example.com/\0', /U\+0000/],
  ['http://exa\u00admple.com/', /U\+00AD/],
  ['http://example.com/\u202egpj', /U\+202E/],
  ['http://example.com/\ud800', /U\+D800/],
  ['http://example.com:/', /port/],
  ['http://example.com:0/', /port/],
  ['http://example.com:080/', /port/],
  ['http://example.com:65536/', /not a URL/],
  ['http://example.com:+80/', /port/],
  ['http://[::1/', /not a URL|port/],
  ['http://exa<mple.com/', /not a URL/],
  ['http://example.com./', /dot/],
  ['http://.example.com/', /dot/],
  ['http://a..b/', /dot/],
  [`http://${'a'.repeat(64)}.com/`, /longer than a name/],
  [`http://${'a.'.repeat(130)}com/`, /longer than a name/],
])('what parsers read differently is refused: %j', (text, why) => {
  expect(() => parseUrl(text)).toThrow(invalid(why))
})

test.each([
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0x7f000001/',
  'http://017700000001/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://127.0.0.1./',
  'http://%31%32%37.0.0.1/',
  'http://１２７.0.0.1/',
  'http://127。0。0。1/',
  'http://ⓛocalhost/',
  'http://LOCALHOSTſ/',
  'http://ex%61mple.com/',
])('a host in another spelling is refused, with the plain one: %s', (text) => {
  expect(() => parseUrl(text)).toThrow(invalid(/another spelling of `[a-z0-9.]+`; write that/))
})

test('a URL beyond the limit is refused, also where escaping makes it longer', () => {
  expect(() => parseUrl(`http://a/${'x'.repeat(limits.urlMax)}`)).toThrow(invalid(/at most/))
  expect(() => parseUrl(`http://a/${'é'.repeat(limits.urlMax / 2)}`)).toThrow(invalid(/at most/))
})

test('an outside text in a message is cut without tearing a character', () => {
  fc.assert(
    fc.property(fc.integer({ min: 70, max: 90 }), (length) => {
      const text = `ftp://${'x'.repeat(length)}${'😀'.repeat(20)}`
      try {
        parseUrl(text)
      } catch (error) {
        expect(error instanceof Error && error.message.isWellFormed()).toBe(true)
      }
    }),
  )
})

test.each([
  ['HTTP://Example.COM', 'http://example.com/', 'example.com', 80],
  ['https://example.com:443/a?b#c', 'https://example.com/a?b', 'example.com', 443],
  ['https://example.com:8443/a/../b/./c', 'https://example.com:8443/b/c', 'example.com', 8443],
  ['http://[0:0:0:0:0:0:0:1]:8080/', 'http://[::1]:8080/', '::1', 8080],
  ['http://[::FFFF:127.0.0.1]/', 'http://[::ffff:7f00:1]/', '::ffff:7f00:1', 80],
  ['https://bücher.example/ü', 'https://xn--bcher-kva.example/%C3%BC', 'xn--bcher-kva.example', 443],
  ['http://127.0.0.1/#@evil.example', 'http://127.0.0.1/', '127.0.0.1', 80],
])('%s has one form, without its fragment', (text, resource, host, port) => {
  expect(parseUrl(text)).toMatchObject({ resource, host, port })
})

test('the parts are those of the form that is judged', () => {
  expect(parseUrl('https://a.example/x/y?q=1&r=%2F#z')).toEqual({
    resource: 'https://a.example/x/y?q=1&r=%2F',
    scheme: 'https',
    host: 'a.example',
    port: 443,
    path: '/x/y',
    query: '?q=1&r=%2F',
  })
})

test('what was accepted is accepted again, unchanged, and has no user, fragment or other scheme', () => {
  fc.assert(
    fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (text) => {
      const { resource } = parseUrl(text)
      expect(parseUrl(resource).resource).toBe(resource)
      const seen = new URL(resource)
      expect([seen.username, seen.password, seen.hash]).toEqual(['', '', ''])
      expect(['http:', 'https:']).toContain(seen.protocol)
    }),
  )
})

test('any text is either refused with EINVAL or a fixed point whose host the text really holds', () => {
  const piece = fc.constantFrom(
    'http',
    'https',
    ':',
    '/',
    '//',
    '@',
    '\\',
    '?',
    '#',
    '.',
    'a',
    '127',
    '[::1]',
    '%',
  )
  const anything = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.array(fc.oneof(piece, fc.string())).map((all) => all.join('')),
  )
  fc.assert(
    fc.property(anything, fc.boolean(), (tail, prefixed) => {
      const text = prefixed ? `http://${tail}` : tail
      try {
        const url = parseUrl(text)
        expect(parseUrl(url.resource)).toEqual(url)
        if (/^[a-z0-9.-]+$/.test(url.host) && !url.host.includes('xn--'))
          expect(text.toLowerCase()).toContain(`//${url.host}`)
      } catch (error) {
        expect(error).toMatchObject({ code: 'EINVAL' })
      }
    }),
    { numRuns: 1_000 },
  )
})
