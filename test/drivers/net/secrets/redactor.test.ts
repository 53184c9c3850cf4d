import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Redactor } from '../../../../src/drivers/net/secrets/redactor.ts'

/** Every kind of character that some escape respells. */
const value = String.raw`sk/live+4$"Q\x=_-é'&<;%41`.replace('é', 'e')
const mark = '[secret:TOKEN]'
const redactor = new Redactor([{ name: 'TOKEN', value }])

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const html = (text: string): string =>
  text.replace(/[&<>"']/g, (each) => `&#${each === "'" ? 'x27' : each.charCodeAt(0)};`)
const everyByte = (text: string, spell: (byte: number) => string): string =>
  [...Buffer.from(text)].map(spell).join('')
const hex = (byte: number, digits = 2): string => byte.toString(16).padStart(digits, '0')
const wrapped = (text: string): string => text.replace(/.{16}/g, '$&\r\n')

/** What servers make of a header that they show, and of a text within a text. */
const forms: Readonly<Record<string, (value: string) => string>> = {
  'as it is': (it) => it,
  'in JSON': (it) => JSON.stringify({ it }),
  'in JSON within JSON': (it) => JSON.stringify({ log: JSON.stringify({ it }) }),
  'in JSON, every character by its number': (it) =>
    everyByte(it, (byte) => `\\u00${hex(byte).toUpperCase()}`),
  'in JSON with escaped slashes': (it) => JSON.stringify(it).replaceAll('/', '\\/'),
  'in a URL': encodeURIComponent,
  'in a form': (it) => new URLSearchParams({ it }).toString(),
  'in a URL in lower case': (it) => encodeURIComponent(it).replace(/%../g, (each) => each.toLowerCase()),
  'in a URL, every character': (it) => everyByte(it, (byte) => `%${hex(byte)}`),
  'in a URL within a URL': (it) => encodeURIComponent(encodeURIComponent(it)),
  'in HTML': html,
  'in HTML, every character': (it) => everyByte(it, (byte) => `&#${byte};`),
  'in JSON within HTML': (it) => html(JSON.stringify(it)).replaceAll('&#34;', '&quot;'),
  'in base64': (it) => Buffer.from(it).toString('base64'),
  'in base64url': (it) => Buffer.from(it).toString('base64url'),
  'in base64, after one byte': (it) => Buffer.from(`:${it}`).toString('base64'),
  'in base64, after two bytes': (it) => Buffer.from(`u:${it}:x`).toString('base64'),
  'in base64, after three bytes': (it) => Buffer.from(`us:${it}@`).toString('base64'),
  'in base64 of JSON': (it) => Buffer.from(JSON.stringify([it])).toString('base64'),
  'in base64 of a URL': (it) => Buffer.from(encodeURIComponent(it)).toString('base64url'),
  'in base64 of lines': (it) => wrapped(Buffer.from(`user:${it}`).toString('base64')),
  'in base64 within a URL': (it) => encodeURIComponent(Buffer.from(it).toString('base64')),
  'in hexadecimal': (it) => Buffer.from(it).toString('hex'),
  'in hexadecimal capitals': (it) => Buffer.from(it).toString('hex').toUpperCase(),
  'in capitals': (it) => it.toUpperCase(),
  'in small letters': (it) => it.toLowerCase(),
  'over two lines': (it) => `${it.slice(0, 7)}\r\n${it.slice(7)}`,
}

const found = Object.entries(forms)

test.each(found)('a secret %s is taken out, and what is around it stays', async (_, form) => {
  const text = `before ${form(value)} after`
  const clean = redactor.text(text)
  expect(clean).toContain(mark)
  expect(clean).toMatch(/^before .*after$/s)
  for (const [, again] of found) expect(clean).not.toContain(again(value))
  expect(Buffer.from(await redactor.body(bytesOf(text))).toString('latin1')).toBe(clean)
})

test('UTF-16, in either order of bytes, stays UTF-16', async () => {
  const text = Buffer.from(`grüß ${value} gott`, 'utf16le')
  for (const swap of [false, true]) {
    const bytes = swap ? Buffer.from(text).swap16() : text
    const clean = Buffer.from(await redactor.body(bytes))
    expect((swap ? clean.swap16() : clean).toString('utf16le')).toBe(`grüß ${mark} gott`)
  }
})

test('what holds no secret comes back as the same bytes', async () => {
  const bytes = bytesOf(`${value.slice(1)} ${value.slice(0, -1)} &#x;&#99999999;&amp %4 \\u00 \\`)
  expect(await redactor.body(bytes)).toBe(bytes)
  expect(await redactor.body(Buffer.alloc(0))).toHaveLength(0)
})

test('no part of a secret is left, wherever it stands and whatever is around it', () => {
  const around = fc.string({ unit: fc.constantFrom(...'a=%\\&#+/ \n"uk;', 's', 'k', '/'), maxLength: 40 })
  fc.assert(
    fc.property(around, fc.constantFrom(...found), around, (before, [, form], after) => {
      // An escape that ends in the secret is another text.
      const text = `${before}.${form(value)}.${after}`
      const clean = redactor.text(text)
      for (const [, again] of found) expect(clean).not.toContain(again(value))
      expect(clean).toContain(mark)
    }),
  )
})

test('secrets that hold each other, or overlap, leave nothing of either', () => {
  const values = ['abcdefghijkl', 'xabcdefghijklx', 'ghijklmnopqr', 'klmnopqrstuv']
  const nested = new Redactor(values.map((value, index) => ({ name: `S${index}`, value })))
  expect(nested.text('1 xabcdefghijklx 2')).toBe('1 [secret:S1] 2')
  expect(nested.text('1 abcdefghijkl 2')).toBe('1 [secret:S0] 2')
  expect(nested.text('1 abcdefghijklmnopqrstuv 2')).toBe('1 [secret:S0] 2')
  expect(nested.text('1 abcdefghijklabcdefghijkl 2')).toMatch(/^1 (\[secret:S0\])+ 2$/)
  expect(nested.text('1 abcdefabcdefghijkl 2')).toBe('1 abcdef[secret:S0] 2')
})

test('many secrets are found as each alone is', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abc'), minLength: 12, maxLength: 16 })
  fc.assert(
    fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 20 }), fc.array(word), (values, words) => {
      const all = new Redactor(values.map((value, index) => ({ name: `S${index}`, value })))
      const text = words.join('')
      const clean = all.text(text)
      expect(clean === text).toBe(!values.some((value) => text.includes(value)))
      for (const value of values) expect(clean).not.toContain(value)
    }),
  )
})

test('a secret across the steps of a large body is one secret', async () => {
  const step = 256 * 1024
  for (const at of [step - 1, step - value.length, step - 5, step, 2 * step - 3]) {
    for (const form of [(it: string) => it, encodeURIComponent, (it: string) => JSON.stringify(it)]) {
      const bytes = bytesOf('.'.repeat(at) + form(value) + '.'.repeat(step))
      const clean = Buffer.from(await redactor.body(bytes)).toString('latin1')
      expect(clean.replaceAll('.', '').replaceAll('"', '')).toBe(mark)
    }
  }
})

test('what is left around a secret in base64 has no bit of it', () => {
  const leftOf = (its: string, before: string, after: string): string => {
    const clean = new Redactor([{ name: 'TOKEN', value: its }]).text(
      Buffer.from(before + its + after).toString('base64'),
    )
    expect(clean).toContain(mark)
    return clean
  }
  // The two differ in every bit that an edge could show.
  for (const before of ['', 'u', 'u:', 'us:'])
    for (const after of ['', '.', '..', '...'])
      expect(leftOf('@bcdefghijk@', before, after)).toBe(leftOf('?ZYXWVUTSRQ?', before, after))
})

test('while a large body is searched, others have their turns', async () => {
  let turns = 0
  let isOver = false
  const take = (): void => {
    turns += 1
    if (!isOver) setImmediate(take)
  }
  take()
  await redactor.body(Buffer.alloc(4 * 1024 * 1024, '%41'))
  isOver = true
  expect(turns).toBeGreaterThan(16)
})

/** What is shown of a text that comes in these parts. */
async function shownOf(parts: readonly Uint8Array[]): Promise<string> {
  const shown: Uint8Array[] = []
  let kept: Uint8Array = new Uint8Array()
  for (const part of parts) {
    const looked = await redactor.part(Buffer.concat([kept, part]))
    shown.push(looked.shown)
    kept = looked.kept
  }
  return Buffer.concat([...shown, await redactor.body(kept)]).toString('latin1')
}

test.each(found)('a secret %s is taken out wherever the text is cut', async (_, form) => {
  const bytes = bytesOf(`before (${form(value)}) after`)
  const whole = Buffer.from(await redactor.body(bytes)).toString('latin1')
  for (let at = 0; at <= bytes.length; at += 1)
    expect(await shownOf([bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).toBe(whole)
  expect(await shownOf([...bytes].map((byte) => Uint8Array.of(byte))), 'byte by byte').toBe(whole)
})

test('a text that comes in any parts is shown as it is shown whole', async () => {
  const piece = fc.oneof(
    fc.constantFrom(...found.map(([, form]) => form(value))),
    fc.constantFrom('\\', '%', '&', '%2', '\\u00', '&#x', 'sk', '\n', ' ', 'c2s'),
    fc.string({ unit: 'binary-ascii', maxLength: 5 }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 6 }),
      fc.array(fc.nat(40), { maxLength: 20 }),
      async (texts, cuts) => {
        const bytes = bytesOf(texts.join(''))
        const parts: Uint8Array[] = []
        let from = 0
        for (const cut of cuts) {
          parts.push(bytes.subarray(from, from + cut))
          from += cut
        }
        parts.push(bytes.subarray(from))
        const whole = Buffer.from(await redactor.body(bytes)).toString('latin1')
        // Two that touch are one where they come together.
        const joined = (shown: string): string => shown.replace(/(\[secret:TOKEN\])+/g, mark)
        expect(joined(await shownOf(parts))).toBe(joined(whole))
      },
    ),
    { numRuns: 300 },
  )
})

test('what cannot be the beginning of a secret is shown at once', async () => {
  const text = 'data: {"delta":"Hello"}\n\n'
  const { shown, kept } = await redactor.part(bytesOf(text))
  expect([Buffer.from(shown).toString(), kept.length]).toEqual([text, 0])
})
