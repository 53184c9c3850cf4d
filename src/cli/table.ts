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

/** A table that comes in pages, as its rows are found, and may be very long; columns only grow. */
export class TablePages {
  readonly #head: readonly string[]
  readonly #colors: Pick<Colors, 'bold'>
  #widths: readonly number[] | undefined

  constructor(head: readonly string[], colors: Pick<Colors, 'bold'>) {
    this.#head = head
    this.#colors = colors
  }

  /** @returns lines, the first page's with the names of the columns above them */
  page(rows: readonly (readonly string[])[]): string {
    const isFirst = this.#widths === undefined
    const before = this.#widths ?? this.#head.map(({ length }) => length)
    const shown = rows.map((row) => row.map(visibleLine).map((text) => ({ text, width: widthOf(text) })))
    const widths = before.map((width, column) =>
      shown.reduce((widest, row) => Math.max(widest, row[column]?.width ?? 0), width),
    )
    this.#widths = widths
    const head = this.#head.map((text) => ({ text: this.#colors.bold(text), width: text.length }))
    return [...(isFirst ? [head] : []), ...shown]
      .map((row) =>
        row
          .map(({ text, width }, column) => text + ' '.repeat((widths[column] ?? 0) - width))
          .join(borderless.middle)
          .trimEnd(),
      )
      .join('\n')
  }
}

/** @returns how many columns of a terminal a text takes, as far as the table's own measure knows; most are plain */
function widthOf(text: string): number {
  if (/^[ -~…→×]*$/.test(text)) return text.length
  const table = new Table({ style: { 'padding-left': 0, 'padding-right': 0 } })
  table.push([text])
  table.toString()
  return Number(table.options.colWidths[0])
}
