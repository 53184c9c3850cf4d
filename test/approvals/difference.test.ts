/** A unified difference says what changes: applied to the one text it gives the other. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { unifiedDifference } from '../../src/approvals/difference.ts'
import { limits } from '../../src/limits.ts'

/** What patch(1) does, without any tolerance. */
function apply(before: string, difference: string): string {
  if (difference === '') return before
  const source = before.split('\n')
  const result: string[] = []
  let at = 0
  let noNewline = before !== '' && !before.endsWith('\n')
  for (const [index, line] of difference.split('\n').slice(2).entries()) {
    const hunk = /^@@ -(\d+),(\d+) \+\d+,\d+ @@$/.exec(line)
    if (hunk !== null) {
      const start = Number(hunk[2]) === 0 ? Number(hunk[1]) : Number(hunk[1]) - 1
      while (at < start) result.push(source[at++] ?? '')
      continue
    }
    if (line.startsWith('\\')) {
      const previous = difference.split('\n')[index + 1] ?? ''
      if (!previous.startsWith('-')) noNewline = true
      continue
    }
    const text = line.slice(1)
    if (!line.startsWith('+')) expect(source[at++]).toBe(text)
    if (!line.startsWith('-')) {
      result.push(text)
      noNewline = false
    }
  }
  const rest = source.slice(at)
  if (rest.length > 0 && !(rest.length === 1 && rest[0] === '')) {
    result.push(...rest.slice(0, rest.at(-1) === '' ? -1 : undefined))
    noNewline = rest.at(-1) !== ''
  }
  return result.length === 0 ? '' : result.join('\n') + (noNewline ? '' : '\n')
}

const line = fc.constantFrom('a', 'b', 'c', '', '+x', '-y', '@@')
const text = fc
  .tuple(fc.array(line, { maxLength: 30 }), fc.boolean())
  .map(([lines, ends]) => (lines.length === 0 ? '' : lines.join('\n') + (ends ? '\n' : '')))

test('applied to what was, it gives what will be', () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      expect(apply(before, unifiedDifference('f', before, after))).toBe(after)
    }),
    { numRuns: 2_000 },
  )
})

test('far changes have hunks of their own, near ones share one', () => {
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`)
  const before = `${lines.join('\n')}\n`
  const after = before.replace('line 2\n', 'two\n').replace('line 5\n', '').replace('line 30\n', 'thirty\n')
  expect(unifiedDifference('/f', before, after)).toBe(
    [
      ...[
        '--- /f',
        '+++ /f',
        '@@ -1,9 +1,8 @@',
        ' line 0',
        ' line 1',
        '-line 2',
        '+two',
        ' line 3',
        ' line 4',
      ],
      ...['-line 5', ' line 6', ' line 7', ' line 8'],
      ...['@@ -28,7 +27,7 @@', ' line 27', ' line 28', ' line 29', '-line 30', '+thirty', ' line 31'],
      ...[' line 32', ' line 33'],
    ].join('\n'),
  )
})

test('texts that differ everywhere cost little, and are shown one for the other', () => {
  const count = limits.approvalDiffEditsMax * 20
  const before = Array.from({ length: count }, (_, index) => `a${index}\n`).join('')
  const after = Array.from({ length: count }, (_, index) => `b${index}\n`).join('')
  const shown = unifiedDifference('/f', before, after).split('\n')
  expect(shown.slice(3, 3 + count).every((each) => each.startsWith('-a'))).toBe(true)
  expect(shown.slice(3 + count).every((each) => each.startsWith('+b'))).toBe(true)
})
