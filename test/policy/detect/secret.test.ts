import { describe, expect, test } from 'vitest'
import { findData } from '../../../src/policy/detect/find.ts'
import { alphabets, secretFormats } from '../../../src/policy/detect/secret-formats.ts'

const found = (text: string): readonly string[] =>
  findData(text, ['secret']).map(({ start, end }) => text.slice(start, end))

/** Units of an alphabet without order, the same every time. */
function body(alphabet: keyof typeof alphabets, length: number): string {
  const units = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter((it) =>
    /[A-Za-z0-9]/.test(it) ? alphabets[alphabet].test(it) : false,
  )
  return Array.from({ length }, (_, index) => units[(index * 7 + 3) % units.length]).join('')
}

describe('formats of services', () => {
  const tokens = secretFormats.flatMap(({ id, starts, alphabet, length }) =>
    starts.map((start) => [id, start, `${start}${body(alphabet, length)}`, alphabet] as const),
  )
  test.each(tokens)('%s, %s…', (_id, _start, token) => {
    expect(found(`key: <${token}>`)).toEqual([token])
    expect(found(`(${token.slice(0, -1)})`)).toEqual([])
    expect(found(`xx${token}`)).toEqual([])
  })

  test('no start begins another', () => {
    const starts = secretFormats.flatMap((it) => it.starts)
    for (const a of starts) expect(starts.filter((b) => b !== a && b.startsWith(a))).toEqual([])
  })

  test('where the start is short, one unit more is something else', () => {
    for (const { starts, alphabet, length } of secretFormats.filter((it) => it.exact))
      for (const start of starts) expect(found(`${start}${body(alphabet, length + 1)}`)).toEqual([])
  })

  test('a placeholder is none', () => {
    expect(found(`ghp_${'x'.repeat(36)}`)).toEqual([])
  })
})

describe('by their form', () => {
  test('a private key, from its first line to its last', () => {
    const key = `-----BEGIN RSA PRIVATE KEY-----\n${`${body('alnum', 64)}\n`.repeat(20)}-----END RSA PRIVATE KEY-----`
    expect(found(`before\n${key}\nafter`)).toEqual([key])
    expect(found(`${key}\n${key.replaceAll('RSA', 'EC')}`)).toHaveLength(2)
  })

  test('a private key without an end goes as far as one can', () => {
    const [only = ''] = found(`-----BEGIN PRIVATE KEY-----\n${'Ab1'.repeat(100)}`)
    expect(only).toHaveLength(328)
  })

  test('a public key and a certificate are none', () => {
    expect(found(`-----BEGIN PUBLIC KEY-----\n${body('alnum', 64)}\n-----END PUBLIC KEY-----`)).toEqual([])
    expect(found(`-----BEGIN CERTIFICATE-----\n${body('alnum', 64)}\n-----END CERTIFICATE-----`)).toEqual([])
  })

  test('a JSON Web Token', () => {
    // The example of RFC 7519, section 3.1.
    const token =
      'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    expect(found(`x=${token};`)).toEqual([token])
    expect(found(token.slice(0, token.lastIndexOf('.')))).toEqual([])
  })

  test.each([
    ['postgres://app:s3cr3tPass@db.example.org/x', 's3cr3tPass'],
    ['https://user:hunter22@example.org/', 'hunter22'],
    ['Authorization: Bearer abcdef0123456789ABCDEF', 'abcdef0123456789ABCDEF'],
    ['"authorization": "Basic dXNlcjpwYXNzd29yZDEyMw=="', 'dXNlcjpwYXNzd29yZDEyMw=='],
    ['password = "correct7horse8battery9"', 'correct7horse8battery9'],
    [
      'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    ],
    ['{"client_secret":"9f86d081884c7d65"}', '9f86d081884c7d65'],
    ["apiKey: 'k3y-0f-th3-r34lm'", 'k3y-0f-th3-r34lm'],
    ['bot 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawX', '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawX'],
  ])('%s', (text, secret) => expect(found(text)).toEqual([secret]))

  test.each([
    'password = os.environ["PASSWORD"]',
    ['password: $', '{secret:DB}'].join(''),
    'token: string',
    'secret: <your-secret-here>',
    'the password is on the second page',
    'https://example.org:8080/@user',
    'api_key = YOUR_API_KEY',
    'Bearer token',
  ])('not %s', (text) => expect(found(text)).toEqual([]))
})
