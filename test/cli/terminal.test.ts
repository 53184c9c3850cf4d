/** What agents print cannot steer a terminal. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Output } from '../../src/cli/output.ts'
import { tableOf } from '../../src/cli/table.ts'
import { shortened, visible, visibleJson, visibleLine } from '../../src/cli/terminal.ts'

const steering = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u
/** Text rich in what terminals obey. */
const hostileText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '\u001b',
      '[2J',
      ']0;',
      '\u0007',
      '\r',
      '\n',
      '\u009b',
      '\u202e',
      '\u2028',
      '\u{e0041}',
      '\b',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
  ),
})

test.each([
  ['an escape sequence', '\u001b[2Jgone', '\\x1b[2Jgone'],
  ['a title', '\u001b]0;owned\u0007', '\\x1b]0;owned\\x07'],
  ['a carriage return that overwrites', 'refused\rpermitted', 'refused\\x0dpermitted'],
  ['the one-character form of an escape', '\u009b31m', '\\x9b31m'],
  ['text that reads backwards', 'a\u202eb', 'a\\u{202e}b'],
  ['a backspace', 'ab\b\bcd', 'ab\\x08\\x08cd'],
])('%s is shown and not obeyed', (_what, text, shown) => {
  expect(visible(text)).toBe(shown)
})

test('lines, tabs, accents and joined emoji stay as they are', () => {
  const text = 'a\tb\nçé 日本 👩‍🚀\n'
  expect(visible(text)).toBe(text)
  expect(visible('one\r\ntwo\r\n')).toBe('one\ntwo\n')
})

test('nothing that steers a terminal gets through, whatever the text', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      expect(visible(text)).not.toMatch(steering)
      expect(visibleLine(text)).not.toMatch(/[\n\t]/)
    }),
  )
})

test('JSON stays the same value and steers nothing', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const json = visibleJson(JSON.stringify({ text }))
      expect(json).not.toMatch(steering)
      expect(JSON.parse(json)).toEqual({ text })
    }),
  )
})

test('a cell of a table stays one line', () => {
  const { colors } = new Output(pipe(), { json: false, stack: false })
  expect(tableOf(['a', 'b'], [['x\ny\u001b[1A', 'z']], colors)).toBe('a            b\nx\\ny\\x1b[1A  z')
})

test('a text is cut by characters, not within one', () => {
  expect(shortened('🚀🚀🚀', 2)).toBe('🚀…')
  expect(shortened('short', 5)).toBe('short')
})

test('colours are used on a terminal, never with NO_COLOR, in a pipe or on a dumb terminal', () => {
  const red = (isTTY: boolean, env: Record<string, string>) =>
    new Output({ ...pipe(isTTY), env }, { json: false, stack: false }).colors.red('x')
  expect(red(true, { TERM: 'xterm' })).toBe('\u001b[31mx\u001b[39m')
  expect(red(true, { TERM: 'xterm', NO_COLOR: '1' })).toBe('x')
  expect(red(true, { TERM: 'dumb' })).toBe('x')
  expect(red(false, { TERM: 'xterm' })).toBe('x')
})

function pipe(isTTY = false) {
  const stream = { isTTY, write: () => true }
  return { stdout: stream, stderr: stream, env: {} }
}
