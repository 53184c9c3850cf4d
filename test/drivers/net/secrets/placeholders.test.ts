import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  fillIn,
  namesOf,
  usesOf,
  withoutPlaceholders,
} from '../../../../src/drivers/net/secrets/placeholders.ts'
import { SyscallError } from '../../../../src/errors.ts'

const url = 'https://example.org/'
const placeholder = (name: string): string => `$\{secret:${name}}`
const name = fc.constantFrom('A', 'B2', 'LONG_NAME')
/** Texts between placeholders that begin none and are no half escape. */
const between = fc.string({ unit: fc.constantFrom(...'a $:}|.') }).map((text) => `${text}.`)
const pieces = fc.array(fc.tuple(between, name), { maxLength: 6 })

test('every placeholder is found, in order, and filled once', () => {
  fc.assert(
    fc.property(pieces, between, (parts, end) => {
      const text = parts.map(([before, its]) => before + placeholder(its)).join('') + end
      expect(usesOf({ url, headers: { a: text } }).map((use) => use.name)).toEqual(
        parts.map(([, its]) => its),
      )
      // A value that looks like a placeholder is a value.
      const filled = fillIn(text, (its) => placeholder(`X${its}`))
      expect(filled).toBe(parts.map(([before, its]) => before + placeholder(`X${its}`)).join('') + end)
    }),
  )
})

test('whatever a request holds, it is refused in order or has names that can be asked for', () => {
  const odd = fc.string({
    unit: fc.constantFrom('${secret:', 'A', '}', '|basic:', 'b', ':', '\\', '%4', '#', '?', '/'),
  })
  fc.assert(
    fc.property(odd, odd, odd, odd, (path, key, value, text) => {
      try {
        for (const its of namesOf(usesOf({ url: url + path, headers: { [key]: value }, text })))
          expect(its).toMatch(/^A+$/)
        expect(key).not.toContain('${secret:')
      } catch (error) {
        expect(error).toBeInstanceOf(SyscallError)
        expect(error).toMatchObject({ code: 'EINVAL' })
      }
    }),
  )
})

test('a body of bytes has no placeholders, and a URL of a server’s none either', () => {
  expect(usesOf({ url, base64: Buffer.from(placeholder('A')).toString('base64') })).toEqual([])
  expect(usesOf({ url: withoutPlaceholders(`${url}?a=${placeholder('A')}${placeholder('B')}`) })).toEqual([])
})
