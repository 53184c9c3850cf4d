import { expect, test } from 'vitest'
import { TablePages, tableOf } from '../../src/cli/table.ts'

const plain = { bold: (text: string | number | null | undefined) => String(text) }

test('pages have one head, and columns that only grow', () => {
  const table = new TablePages(['name', 'what'], plain)
  expect(table.page([['a', 'b']])).toBe('name  what\na     b')
  expect(table.page([['longer', 'b']])).toBe('longer  b')
  expect(table.page([['a', 'b']])).toBe('a       b')
})

test('a page is laid out as a table is, wide and combining letters too, and nothing steers the terminal', () => {
  const rows = [
    ['日本', 'x'],
    ['cafe\u0301', 'y'],
    ['\u001b[2J', 'two\nlines'],
    ['plain', ''],
  ]
  const page = new TablePages(['name', 'what'], plain).page(rows)
  expect(page).toBe(tableOf(['name', 'what'], rows, plain))
  expect(page).not.toContain('\u001b')
})
