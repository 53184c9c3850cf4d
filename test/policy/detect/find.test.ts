/** What is found and what is not: published test numbers, examples of registries, and texts that only look like data. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findData } from '../../../src/policy/detect/find.ts'
import { type DataKind, dataKinds, samples } from '../../../src/policy/detect/kinds.ts'

const found = (text: string, kinds: readonly DataKind[] = dataKinds): readonly string[] =>
  findData(text, kinds).map(({ start, end, kind }) => `${kind} ${text.slice(start, end)}`)

/** Each alone, then within a sentence, and then in JSON. */
const holds = (kind: DataKind, text: string): void => {
  expect(found(text, [kind])).toEqual([`${kind} ${text}`])
  expect(found(`It is ${text}, they say.`, [kind])).toEqual([`${kind} ${text}`])
  expect(found(JSON.stringify({ a: [text] }), [kind])).toEqual([`${kind} ${text}`])
}

describe('e-mail', () => {
  test.each([
    'jane.doe@example.org',
    'j@example.co.uk',
    "o'neill+tag@sub.example.com",
    'x_y-z~1@example.museum',
    'josé@example.org',
    'info@bücher.example',
    'a@xn--bcher-kva.example',
  ])('%s', (text) => holds('email', text))

  test.each([
    '@',
    'a@b',
    'a@',
    '@example.org',
    'see @handle on it',
    'a@-b.org',
    'a@b..org',
    'npm i @scope/name',
  ])('not %s', (text) => expect(found(text, ['email'])).toEqual([]))

  test('each of several', () => {
    expect(found('a@x.org,b@y.org;c@z.org')).toEqual(['email a@x.org', 'email b@y.org', 'email c@z.org'])
  })
})

describe('payment cards', () => {
  // Test numbers that the schemes and their processors publish.
  test.each([
    '4111111111111111',
    '4012888888881881',
    '4222222222222',
    '5555555555554444',
    '5105105105105100',
    '2223003122003222',
    '378282246310005',
    '371449635398431',
    '30569309025904',
    '38520000023237',
    '6011111111111117',
    '6011000990139424',
    '3530111333300000',
    '3566002020360505',
    '6200000000000005',
    '6759649826438453',
    '2200000000000004',
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    '4111.1111.1111.1111',
    '3782 822463 10005',
    '4111 - 1111 - 1111 - 1111',
    '4111+1111+1111+1111',
  ])('%s', (text) => {
    if (text.includes(' - ')) expect(found(text.replaceAll(' - ', '- '), ['card'])).toHaveLength(1)
    else holds('card', text)
  })

  test.each([
    ['a wrong check digit', '4111111111111112'],
    ['a prefix that no scheme issues', '1111111111111117'],
    ['a length that its scheme does not issue', '411111111111111116'],
    ['the fraction of a number', '0.4111111111111111'],
    ['a time in ms', '1763740800000'],
    ['digits of a longer number', '941111111111111115555'],
    ['a phone number', '+44 20 7946 0958'],
    ['groups on two lines', '4111 1111\n1111 1111'],
  ])('not %s', (_what, text) => expect(found(text, ['card'])).toEqual([]))

  test('also after other digits, and after letters', () => {
    expect(found('order 12345 4111 1111 1111 1111')).toEqual(['card 4111 1111 1111 1111'])
    expect(found('visa4111111111111111exp1227', ['card'])).toEqual(['card 4111111111111111'])
    expect(found('4111111111111111 5555555555554444', ['card']).join()).toContain('5555555555554444')
  })

  test('any number with a check digit and a prefix is found, and none with another', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{14}$/), (digits) => {
        const body = `4${digits}`
        const hits = Array.from({ length: 10 }, (_, check) => found(`${body}${check}`, ['card']).length)
        expect(hits.filter((hit) => hit > 0)).toHaveLength(1)
      }),
    )
  })
})

describe('IBAN', () => {
  // The examples of the registry of SWIFT.
  test.each([
    'AT611904300234573201',
    'BE68539007547034',
    'BR1800360305000010009795493C1',
    'CH9300762011623852957',
    'DE89370400440532013000',
    'ES9121000418450200051332',
    'FR1420041010050500013M02606',
    'GB29NWBK60161331926819',
    'IT60X0542811101000000123456',
    'MT84MALT011000012345MTLCAST001S',
    'NL91ABNA0417164300',
    'NO9386011117947',
    'PL61109010140000071219812874',
    'SA0380000000608010167519',
    'GB29 NWBK 6016 1331 9268 19',
    'gb29 nwbk 6016 1331 9268 19',
  ])('%s', (text) => holds('iban', text))

  test.each([
    ['a wrong check', 'GB29NWBK60161331926818'],
    ['a country that has none', 'US29NWBK60161331926819'],
    ['one that is too short', 'GB29NWBK6016133192681'],
    ['one that goes on', 'GB29NWBK60161331926819X'],
    ['the end of a word', 'XGB29NWBK60161331926819'],
  ])('not %s', (_what, text) => expect(found(text, ['iban'])).toEqual([]))
})

describe('telephone numbers', () => {
  test.each([
    '+442079460958',
    '+44 20 7946 0958',
    '+1 (212) 555-0123',
    '+1-212-555-0123',
    '+49 (0)30 123456',
    '+33 1 23 45 67 89',
    '0044 20 7946 0958',
    '(212) 555-0123',
    '212-555-0123',
    '212.555.0123',
    '020 7946 0958',
    '01 23 45 67 89',
    '030/1234567',
    '(030) 123456-78',
  ])('%s', (text) => holds('phone', text))

  test('digits in one where a word says what they are', () => {
    expect(found('phone: 2125550123')).toEqual(['phone 2125550123'])
    expect(found('Tel. 02079460958')).toEqual(['phone 02079460958'])
    expect(found('{"mobile":"612345678"}')).toEqual(['phone 612345678'])
  })

  test.each([
    '2125550123',
    '+00:00',
    '2026-11-21T10:00:00+01:00',
    '01.02.2026 15:28:33',
    '03/15/2026 12:00',
    '192.168.100.200',
    '1+1=2',
    'v2.10.0-rc.12345',
    '1,234,567,890',
    '+999 123 456 789',
    '0.05 1234 5678',
    '978-3-16-148410-0',
  ])('not %s', (text) => expect(found(text, ['phone'])).toEqual([]))
})

describe('national numbers', () => {
  test.each([
    ['US SSN', '078-05-1120'],
    ['UK NINO', 'AB123456C'],
    ['UK NINO', 'AB 12 34 56 C'],
    ['DE Steuer-ID', '86095742719'],
    ['DE Steuer-ID', '86 095 742 719'],
    ['FR NIR', '255081416802538'],
    ['FR NIR', '2 55 08 14 168 025 38'],
    ['ES DNI', '12345678Z'],
    ['ES NIE', 'X1234567L'],
    ['IT codice fiscale', 'RSSMRA85T10A562S'],
    ['IT codice fiscale', 'rssmra85t10a562s'],
  ])('%s %s', (_what, text) => holds('national-id', text))

  test('nine digits where a word says what they are', () => {
    expect(found('bsn: 111222333')).toEqual(['national-id 111222333'])
    expect(found('SSN 078051120')).toEqual(['national-id 078051120'])
  })

  test.each([
    ['an SSN that is never issued', '666-12-3456'],
    ['an SSN that is never issued', '123-00-4567'],
    ['a NINO with a prefix that is not used', 'GB123456C'],
    ['a Steuer-ID with a wrong check', '86095742718'],
    ['eleven digits, none of them twice as it has to be', '12345678903'],
    ['a NIR with a wrong key', '255081416802539'],
    ['a DNI with a wrong letter', '12345678A'],
    ['an NIE with a wrong letter', 'X1234567A'],
    ['a codice fiscale with a wrong check', 'RSSMRA85T10A562T'],
    ['nine digits without a word', '111222333'],
    ['a BSN with a wrong check', 'bsn: 111222334'],
    ['a date', '2026-11-21'],
  ])('not %s: %s', (_what, text) => expect(found(text, ['national-id'])).toEqual([]))
})

describe('however it is spelt', () => {
  test.each([
    ['full width', '４１１１１１１１１１１１１１１１', 'card'],
    ['Arabic digits', '٤١١١١١١١١١١١١١١١', 'card'],
    ['spaces that do not break', '4111\u00a01111\u202f1111\u20091111', 'card'],
    ['marks of no width', '4111\u200b1111\u200b1111\u200b1111', 'card'],
    ['long dashes', '4111–1111–1111–1111', 'card'],
    ['percent-encoding', 'alice%40example.org', 'email'],
    [
      'percent-encoding of all',
      [...'a@b.org'].map((it) => `%${it.charCodeAt(0).toString(16)}`).join(''),
      'email',
    ],
    ['escapes of JSON', 'alice\\u0040example.org', 'email'],
    ['escapes of HTML', 'alice&#64;example.org', 'email'],
    ['escapes of HTML in hexadecimal', 'alice&#x40;example&period;org', 'email'],
  ] as const)('%s', (_what, text, kind) => expect(found(`<${text}>`)).toEqual([`${kind} ${text}`]))

  test.each([0, 1, 2, 3])('base64, %d units into a run', (before) => {
    for (const kind of dataKinds) {
      const packed = Buffer.from(`and ${samples[kind]} too`).toString('base64url')
      const text = `/${'x'.repeat(before)}${packed}`
      expect(findData(text, [kind]).map((it) => it.kind)).toEqual([kind])
    }
  })

  test('base64 that is percent-encoded', () => {
    const packed = encodeURIComponent(Buffer.from('jane.doe@example.org??').toString('base64'))
    expect(findData(`?q=${packed}`, ['email'])).toHaveLength(1)
  })

  test('the place is that of the original, whatever stands around it', () => {
    const around = fc.string({
      unit: fc.constantFrom('x ', '%41', '\\u0042', '&#67;', 'é', '😀', ' '),
      maxLength: 20,
    })
    fc.assert(
      fc.property(around, around, (before, after) => {
        const text = `${before} <4111 1111 1111 1111> ${after}`
        expect(found(text, ['card'])).toEqual(['card 4111 1111 1111 1111'])
      }),
    )
  })
})

test('places are in order and apart, and two that overlap are one', () => {
  const text = 'password=a@b.org-1234567 4111111111111111'
  const spans = findData(text, dataKinds)
  for (const [index, { start, end }] of spans.entries()) {
    expect(start).toBeLessThan(end)
    expect(start).toBeGreaterThanOrEqual(spans[index - 1]?.end ?? 0)
  }
  expect(spans.at(-1)).toMatchObject({ kind: 'card', end: text.length })
})

test('ordinary text holds nothing', () => {
  const text = `The quick brown fox, number 12 of 34, jumps over 5,678 lazy dogs since 2019-03-04 10:11:12.
    const someLongIdentifierName = await otherModuleFunction(argumentNumber1, { key: value, token: nextToken })
    commit 85985cbf0e0d0f8a2ee03fd90e38f3a4e3a1bde1bb73 id 550e8400-e29b-41d4-a716-446655440000 v1.2.3+build.4567
    sha512-z3vqLxGJmS8l1yLDhB0o0lF9c4GdUjZfcC1aP0d5m0v7b8mJ2tL1f9kq0nX7sV1q7s5T0o8XyP3u1E2r5Y6w7A== port 8080 $12.50
    password = process.env.PASSWORD; secret: \${secret:NAME}; token: string; https://example.org/a/b?c=d#e 10.0.0.1:443`
  expect(found(text)).toEqual([])
})

test('each sample holds its kind', () => {
  for (const kind of dataKinds) expect(findData(samples[kind], [kind])).toHaveLength(1)
})
