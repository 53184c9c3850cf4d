/** Rows for people, in columns; what stands in a cell cannot leave it. */
import Table from 'cli-table3'
import type { Colors } from './output.ts'
import { visibleLine } from './terminal.ts'

/** Columns are told apart by space alone, so that lines can be cut and searched. */
const borderless = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
}

/** @returns the lines of a table, without spaces at their ends */
export function tableOf(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  colors: Pick<Colors, 'bold'>,
): string {
  const table = new Table({
    head: head.map((name) => colors.bold(name)),
    chars: borderless,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) table.push(row.map(visibleLine))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}
