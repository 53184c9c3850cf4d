import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { covers, folderOf, inFolder, isName, namesOf, normalizePath } from '../../../src/drivers/vfs/path.ts'
import { limits } from '../../../src/limits.ts'
import { refused } from '../../contracts/mount.ts'

/** Names that a path can hold, of many scripts. */
const name = fc
  .oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('a', 'b.txt', '...', '__proto__'))
  .map((text) => text.normalize('NFC').replaceAll('/', ''))
  .filter(isName)
const names = fc.array(name, { maxLength: 6 })

describe('normalizePath refuses', () => {
  test.each([
    ['', 'relative'],
    ['notes.txt', 'relative'],
    ['./notes.txt', 'relative'],
    ['../etc', 'relative'],
    ['~/x', 'relative'],
    ['C:/x', 'relative'],
    ['file:///x', 'a URL'],
    ['/a\0b', 'NUL'],
    ['/a\nb', 'a line break'],
    ['/a\u0085', 'a C1 control'],
    ['/a\u007f', 'DEL'],
    ['/\ud800', 'a lone surrogate'],
    ['/a\\b', 'a backslash'],
    ['\\\\server\\share', 'a backslash'],
    ['/a\u202etxt.exe', 'a bidi override'],
    ['/a\u2066b', 'a bidi isolate'],
    ['/a\u200bb', 'a zero-width space'],
    ['/a\ufeffb', 'a byte order mark'],
    ['/a\u2028b', 'a line separator'],
    ['/a\u{e0041}', 'a tag character'],
    ['/a\ufe0f', 'a variation selector'],
    ['/e\u0301', 'NFD'],
    ['/\u212a', 'the Kelvin sign, which NFC makes a K'],
    ['/\u2126', 'the Ohm sign, which NFC makes an Omega'],
  ])('%j: %s', async (path) => {
    await refused('EINVAL', () => normalizePath(path))
  })
  test('a path or a name that is too long', async () => {
    await refused('ENAMETOOLONG', () => normalizePath('/'.repeat(limits.pathMax + 1)))
    await refused('ENAMETOOLONG', () => normalizePath(`/${'a'.repeat(limits.pathNameBytesMax + 1)}`))
    await refused('ENAMETOOLONG', () => normalizePath(`/${'ü'.repeat(limits.pathNameBytesMax / 2 + 1)}`))
    expect(normalizePath(`/${'a'.repeat(limits.pathNameBytesMax)}`)).toHaveLength(limits.pathNameBytesMax + 1)
  })
  test('a character that cannot be seen is named by its number', () => {
    expect(() => normalizePath('/a\u202eb')).toThrow('U+202E')
  })
})

test.each([
  ['/', '/'],
  ['//', '/'],
  ['/..', '/'],
  ['/../../etc/passwd', '/etc/passwd'],
  ['/tmp/../etc/passwd', '/etc/passwd'],
  ['/workspace/./a//b/', '/workspace/a/b'],
  ['/workspace/a/..', '/workspace'],
  ['/mem/working/../../policy/', '/policy'],
  ['/...', '/...'],
  ['/.hidden', '/.hidden'],
  ['/%2e%2e/x', '/%2e%2e/x'],
  ['/é', '/é'],
])('%j lands at %j', (spelling, path) => {
  expect(normalizePath(spelling)).toBe(path)
})

test('normalizePath is idempotent, absolute, and leaves nothing to resolve', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), spellingOf(names)), (text) => {
      let path: string
      try {
        path = normalizePath(text)
      } catch {
        return
      }
      expect(normalizePath(path)).toBe(path)
      expect(path.startsWith('/')).toBe(true)
      expect(path).not.toContain('//')
      expect(path === '/' || !path.endsWith('/')).toBe(true)
      for (const part of namesOf(path)) expect(isName(part)).toBe(true)
    }),
  )
})

test('every spelling of a path is the same path', () => {
  fc.assert(
    fc.property(
      names.chain((parts) => fc.tuple(fc.constant(parts), spellingOf(fc.constant(parts)))),
      ([parts, spelling]) => {
        fc.pre(spelling.length <= limits.pathMax)
        expect(normalizePath(spelling)).toBe(`/${parts.join('/')}`)
      },
    ),
  )
})

test('a folder covers what lies below it at whole names only', () => {
  expect(covers('/work', '/workspace')).toBe(false)
  expect(covers('/work', '/work')).toBe(true)
  expect(covers('/work', '/work/a')).toBe(true)
  expect(covers('/work/a', '/work')).toBe(false)
  expect(covers('/', '/anything')).toBe(true)
})

test('folder and name put together are the path again', () => {
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), (parts) => {
      const path = `/${parts.join('/')}`
      expect(inFolder(folderOf(path), parts.at(-1) ?? '')).toBe(path)
    }),
  )
})

/** The same names with `//`, `/./`, `/x/..`, leading `/..` and a trailing slash strewn in. */
function spellingOf(parts: fc.Arbitrary<string[]>): fc.Arbitrary<string> {
  const noise = fc.array(fc.constantFrom('', '.', 'detour/..', 'a/b/../..'), { maxLength: 2 })
  return parts.chain((all) =>
    fc
      .tuple(
        fc.constantFrom('', '..', '../..'),
        fc.array(noise, { minLength: all.length + 1, maxLength: all.length + 1 }),
      )
      .map(([lead, gaps]) => {
        const mixed = gaps.flatMap((gap, index) => [
          ...gap,
          ...(index < all.length ? [all[index] ?? ''] : []),
        ])
        return `/${[lead, ...mixed].join('/')}`
      }),
  )
}
