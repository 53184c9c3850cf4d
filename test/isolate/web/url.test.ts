/** URL, URLSearchParams and URLPattern, as the URL standards have them. */
import { claims, thrownBy } from '../../support/claims.ts'

claims('URL', {
  'is taken apart and put together': [
    `const url = new URL('HTTPS://user:pw@Example.ORG:443/a/../b c?q=\\u00fc#f')
     url.port = '8080'; url.pathname = '/x'; url.searchParams.append('n', '1 2'); url.hash = ''
     return [url.href, url.origin, url.host, url.username, JSON.stringify({ url })]`,
    [
      ...['https://user:pw@example.org:8080/x?q=%C3%BC&n=1+2', 'https://example.org:8080'],
      ...['example.org:8080', 'user', '{"url":"https://user:pw@example.org:8080/x?q=%C3%BC&n=1+2"}'],
    ],
  ],
  'relative ones are resolved': [
    `return ['../x', '//other/y', '?q', '#h', 'mailto:a@b'].map((text) => new URL(text, 'https://a.b/c/d/e?x').href)`,
    ['https://a.b/c/x', 'https://other/y', 'https://a.b/c/d/e?q', 'https://a.b/c/d/e?x#h', 'mailto:a@b'],
  ],
  'names of hosts beyond ASCII, and numbers in disguise': [
    `return ['https://ex\\u00e4mple.org', 'http://0x7f.1/', 'http://[::1]:80/', 'http://\\uff41.org', 'http://\\u2100.org']
       .map((text) => URL.canParse(text) ? new URL(text).host : null)`,
    ['xn--exmple-cua.org', '127.0.0.1', '[::1]', 'a.org', null],
  ],
  'what is no URL is a TypeError': [
    `return [${thrownBy("new URL('/a')")}, ${thrownBy("new URL('http://a b/')")}, URL.parse('nope'), URL.parse('a:b').href]`,
    ['TypeError', 'TypeError', null, 'a:b'],
  ],
})

claims('URLSearchParams', {
  'are made of texts, pairs and records': [
    `return ['?a=1&b=%32&a=+', [['a', '1'], ['a', '2']], { x: '\\u00fc&' }].map((init) => String(new URLSearchParams(init)))`,
    ['a=1&b=2&a=+', 'a=1&a=2', 'x=%C3%BC%26'],
  ],
  'are changed, sorted and gone through': [
    `const params = new URLSearchParams('b=2&a=1&b=3')
     params.sort(); params.delete('b', '2'); params.set('c', 'x'); params.append('a', '4')
     return [[...params], params.getAll('a'), params.has('b', '3'), params.size, [...params.keys()].join('')]`,
    [
      [
        ['a', '1'],
        ['b', '3'],
        ['c', 'x'],
        ['a', '4'],
      ],
      ['1', '4'],
      true,
      4,
      'abca',
    ],
  ],
})

claims('URLPattern', {
  'tells which URLs are of a form, and names their parts': [
    `const pattern = new URLPattern({ pathname: '/books/:id(\\\\d+)/*?' })
     return [pattern.exec('https://a.b/books/5/cover').pathname.groups.id, pattern.test('https://a.b/books/x/')]`,
    ['5', false],
  ],
})
