import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileUrl, readAnyUrl, readUrl } from '../../src/policy/urls.ts'
import { documentOf, request, setOf } from './support.ts'

/** What a policy with this one permit, and with this one forbid beside a permit for all, says to a URL. */
const judged = (
  pattern: string | readonly string[],
  url: string,
): readonly [permit: string, forbid: string] => {
  const permit = setOf(documentOf([{ id: 'p', effect: 'permit', action: 'net.fetch', resource: pattern }]))
  const forbid = setOf(
    documentOf([
      { id: 'all', effect: 'permit', action: 'net.fetch' },
      { id: 'f', effect: 'forbid', action: 'net.fetch', resource: pattern },
    ]),
  )
  const asked = request('net.fetch', url)
  return [permit.decide(asked).effect, forbid.decide(asked).effect]
}

const matched = ['permit', 'forbid'] as const
const unmatched = ['forbid', 'permit'] as const
/** Two readings of which only one matches: refused by either policy. */
const ambiguous = ['forbid', 'forbid'] as const

describe('https://*.wikipedia.org/** does not match', () => {
  test.each([
    'https://evil.com#.wikipedia.org/x',
    'https://evil.com?.wikipedia.org/x',
    'https://evil.com/.wikipedia.org/x',
    'https://evil.com\\.wikipedia.org/x',
    'https://evil.com%2F.wikipedia.org.evil.com/',
    'https://wikipedia.org/',
    'https://wikipedia.org./',
    'https://evilwikipedia.org/',
    'https://en.wikipedia.org.evil.com/',
    'https://en.wikipedia.org:444/',
    'https://en.wikipedia.org:80/',
    'http://en.wikipedia.org/',
    'http://en.wikipedia.org:443/',
    'https://[::1]/.wikipedia.org/',
    'https://127.0.0.1/en.wikipedia.org/',
  ])('%s', (url) => {
    const [permit] = judged('https://*.wikipedia.org/**', url)
    expect(permit).toBe('forbid')
  })
})

describe('https://*.wikipedia.org/** matches', () => {
  test.each([
    'https://en.wikipedia.org',
    'https://en.wikipedia.org/wiki/Otter',
    'https://a.b.en.wikipedia.org/',
    'HTTPS://EN.Wikipedia.ORG/',
    'https://en.wikipedia.org:443/',
    'https://en.wikipedia.org./',
    'https://en.wikipedi%61.org/',
    'https://en.ｗikipedia.org/',
    'https://en.wikipedia.org/?a=b#c',
  ])('%s', (url) => {
    expect(judged('https://*.wikipedia.org/**', url)).toEqual(matched)
  })
})

describe('no policy judges, and so every policy refuses', () => {
  test.each([
    ['not a url', 'it is not a URL'],
    ['https://', 'it is not a URL'],
    ['file:///etc/passwd', 'the scheme is `file`'],
    ['data:text/plain,x', 'the scheme is `data`'],
    ['constructor://x/', 'the scheme is `constructor`'],
    ['https://user@en.wikipedia.org/', 'user name or password'],
    ['https://en.wikipedia.org:x@evil.com/', 'user name or password'],
    ['https://.wikipedia.org/', 'the host has an empty label'],
    ['https://a..wikipedia.org/', 'the host has an empty label'],
    ['https://en.wikipedia.org../', 'the host has an empty label'],
  ])('%s', (url, why) => {
    expect(readUrl(url)).toContain(why)
    const all = setOf(documentOf([{ id: 'all', effect: 'permit', action: 'net.fetch' }]))
    expect(all.decide(request('net.fetch', url)).effect).toBe('forbid')
  })
})

describe('one place has one spelling', () => {
  test.each([
    ['https://bücher.example/**', 'https://xn--bcher-kva.example/'],
    ['https://xn--bcher-kva.example/**', 'https://bücher.example/'],
    ['https://EXAMPLE.org/**', 'https://example.org/'],
    ['https://127.0.0.1/**', 'https://0x7f.1/'],
    ['https://127.0.0.1/**', 'https://2130706433/'],
    ['https://127.0.0.1/**', 'https://127.0.0.1./'],
    ['https://127.0.0.1/**', 'https://[::ffff:127.0.0.1]/'],
    ['https://[::1]/**', 'https://[0:0:0:0:0:0:0:1]/'],
    ['https://[::ffff:10.0.0.1]/**', 'https://10.0.0.1/'],
    ['https://example.org:443/**', 'https://example.org/'],
    ['http://example.org/**', 'http://example.org:80/'],
    ['https://example.org/admin/**', 'https://example.org/%61dmin/x'],
    ['https://example.org/%61dmin/**', 'https://example.org/admin/x'],
    ['https://example.org/admin/**', 'https://example.org/x/../admin/'],
    ['https://example.org/admin/**', 'https://example.org/x/%2E%2e/admin/'],
    ['https://example.org/admin/**', 'https://example.org\\admin\\x'],
    ['https://example.org/a%2fb', 'https://example.org/a%2Fb'],
    ['https://example.org/é', 'https://example.org/%c3%a9'],
    ['https://example.org/a b', 'https://example.org/a%20b'],
  ])('%s is %s', (pattern, url) => {
    const [, forbid] = judged(pattern, url)
    expect(forbid).toBe('forbid')
  })
})

describe('a path that servers read in two ways is forbidden by either, and permitted only by both', () => {
  test.each([
    ['https://example.org/admin/**', 'https://example.org//admin/x'],
    ['https://example.org/admin/**', 'https://example.org/%2Fadmin/x'],
    ['https://example.org/admin/**', 'https://example.org/public/..%2fadmin/x'],
    ['https://example.org/admin/**', 'https://example.org/public%5C..%5Cadmin%5Cx'],
    ['https://example.org/admin', 'https://example.org/admin/%2e%2e%2fadmin'],
    ['https://example.org/public/*', 'https://example.org/public/..%2Fadmin'],
  ])('%s and %s', (pattern, url) => {
    expect(judged(pattern, url)).toEqual(ambiguous)
  })

  test('patterns for both readings permit', () => {
    const both = ['https://registry.example/@scope%2Fname', 'https://registry.example/@scope/name']
    expect(judged(both, 'https://registry.example/@scope%2fname')).toEqual(matched)
    expect(judged('https://registry.example/**', 'https://registry.example/@scope%2fname')).toEqual(matched)
  })
})

describe('parts of a pattern', () => {
  test.each([
    ['https://*/**', 'https://example.org/', matched],
    ['https://*/**', 'https://[::1]/a', matched],
    ['https://*/**', 'https://example.org:8443/', unmatched],
    ['https://*:*/**', 'https://example.org:8443/', matched],
    ['https://example.org:8443/**', 'https://example.org:8443/', matched],
    ['https://example.org:8443/**', 'https://example.org/', unmatched],
    ['https://example.org/', 'https://example.org/', matched],
    ['https://example.org/', 'https://example.org/a', unmatched],
    ['https://example.org/a/**', 'https://example.org/a', matched],
    ['https://example.org/a/**', 'https://example.org/a/', matched],
    ['https://example.org/a/**', 'https://example.org/ab', unmatched],
    ['https://example.org/a/*', 'https://example.org/a/b/c', unmatched],
    ['https://example.org/A', 'https://example.org/a', unmatched],
    ['https://example.org/s', 'https://example.org/s?q=1', matched],
    ['https://example.org/s?q=*', 'https://example.org/s?q=otter', matched],
    ['https://example.org/s?q=*', 'https://example.org/s?p=1&q=otter', unmatched],
    ['https://example.org/s?', 'https://example.org/s?q=otter', unmatched],
    ['https://example.org/s?', 'https://example.org/s', matched],
    ['https://example.org/s?q=a*', 'https://example.org/s?q=%61b', matched],
  ] as const)('%s and %s', (pattern, url, expected) => {
    expect(judged(pattern, url)).toEqual(expected)
  })
})

describe('a URL pattern is refused', () => {
  test.each([
    ['example.org/**', 'does not begin with `https://`'],
    ['*://example.org/**', 'does not begin with `https://`'],
    ['HTTPS://example.org/**', 'in lower case'],
    ['ftp://example.org/**', 'does not begin with `https://`'],
    ['https:///a', 'has no host'],
    ['https://example.org', 'names no path'],
    ['https://example.org?q', 'names no path'],
    ['https://user@example.org/**', 'holds a user name'],
    ['https://example.org/#a', 'has a fragment'],
    ['https://example.org./**', 'is no host name'],
    ['https://exa%6dple.org/**', 'is no host name'],
    ['https://a..b/**', 'is no host name'],
    ['https://[::1/**', 'is no'],
    ['https://**.example.org/**', 'in a host `*` stands alone'],
    ['https://en*.example.org/**', 'in a host `*` stands alone'],
    ['https://example.*/**', 'in a host `*` stands alone'],
    ['https://0x7f.1/**', 'another spelling of the address `127.0.0.1`'],
    ['https://2130706433/**', 'another spelling of the address `127.0.0.1`'],
    ['https://*.0.0.1/**', 'another spelling'],
    ['https://example.org:0/**', 'is no port'],
    ['https://example.org:65536/**', 'is no port'],
    ['https://example.org:/**', 'is no port'],
    ['https://example.org/a/../b', 'holds `.` or `..`'],
    ['https://example.org/a/%2e%2e/b', 'holds `.` or `..`'],
    ['https://example.org//a', 'holds `//`'],
    ['https://example.org/a**', '`**` stands for whole parts'],
    ['https://example.org/{a,b}', '`{`'],
    ['https://example.org/?a=**', 'in a query write `*`'],
    ['https://example.org/\\a', '`\\`'],
  ])('%s', (pattern, why) => expect(() => compileUrl(pattern)).toThrow(why))
})

test('a pattern made from any URL without wildcards matches that URL', () => {
  const plain = /^[^?[\]{}|\\#*]*$/
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: false, withFragments: false }), (text) => {
      const url = URL.parse(text)
      fc.pre(url !== null && url.username === '' && plain.test(url.href) && !url.pathname.includes('//'))
      fc.pre(!/[@!+]\(|%2f|%5c|\.\.?(\/|$)/i.test(url?.pathname ?? ''))
      const [reading] = readUrl(url?.href ?? '')
      if (typeof reading !== 'object') return
      expect(compileUrl(url?.href ?? '').mismatch(reading)).toBeUndefined()
    }),
  )
})

test('whatever comes before the path, only a host below the suffix matches', () => {
  const part = fc.constantFrom(
    'evil.com',
    'en',
    '.wikipedia.org',
    '@',
    ':',
    '#',
    '?',
    '/',
    '\\',
    '%2e',
    '%00',
    '.',
    '[',
    ']',
  )
  const { mismatch: matches } = compileUrl('https://*.wikipedia.org/**')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const text = `https://${parts.join('')}`
      const readings = readUrl(text)
      if (typeof readings === 'string') return
      const host = URL.parse(text)?.hostname.replace(/\.$/, '') ?? ''
      for (const reading of readings)
        expect(matches(reading) === undefined).toBe(host.endsWith('.wikipedia.org') && reading.port === '443')
    }),
    { numRuns: 3_000 },
  )
})

describe('the quick way to read a plain URL gives what the parser gives', () => {
  test.each([
    'https://en.wikipedia.org/wiki/Otter?a=1&b=2',
    'https://a.org/',
    'https://a.org/?',
    'https://a.org/a/',
    'https://a.org/a//b',
    'https://a.org/./a',
    'https://a.org/.a/..b',
    'https://a.org/a/..',
    'https://a.org',
    'https://a.org:443/',
    'https://a.org:8443/',
    'https://xn--a.org/',
    'https://xn--bcher-kva.example/',
    'https://a--b.org/',
    'https://-a.org/',
    'https://a.org./',
    'https://1.2.3.4/',
    'https://0x7f.1/',
    'https://a.0x10/',
    'https://a.b.c1/',
    'https://localhost/',
    'https://u@a.org/',
    'https://a.org/%41',
    'https://a.org/a%2Fb',
    "https://a.org/?a='",
    'https://a.org/?a=%27',
    'https://a.org/#x',
    'HTTPS://A.org/',
    'https://a.org/a\n',
    'https://a.org/ä',
    `https://${'a.'.repeat(200)}org/`,
    'ftp://a.org/',
  ])('%s', (text) => expect(readUrl(text)).toEqual(readAnyUrl(text)))

  test('whatever it is made of', () => {
    const part = fc.constantFrom(
      ...[
        'http',
        'https',
        '://',
        ':',
        '/',
        '//',
        '.',
        '..',
        '-',
        '--',
        'xn--',
        'a',
        'org',
        '0x1',
        '7',
        '%2F',
        '%41',
      ],
      ...[
        '?',
        '=',
        '&',
        '#',
        '@',
        '~',
        '_',
        '+',
        ',',
        ';',
        '$',
        '*',
        '(',
        ')',
        '!',
        "'",
        '"',
        '\\',
        '|',
        ' ',
        '\t',
        'é',
        'A',
      ],
    )
    const text = fc.tuple(
      fc.constantFrom('https://a.org/', 'https://', 'http://b.'),
      fc.array(part, { maxLength: 12 }),
    )
    fc.assert(
      fc.property(text, ([start, parts]) => {
        const url = `${start}${parts.join('')}`
        expect(readUrl(url)).toEqual(readAnyUrl(url))
        const written = URL.parse(url)?.href
        if (written !== undefined) expect(readUrl(written)).toEqual(readAnyUrl(written))
      }),
      { numRuns: 20_000 },
    )
  })
})
