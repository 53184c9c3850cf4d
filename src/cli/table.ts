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
  return draw(rows, { head: head.map((name) => colors.bold(name)) }).text
}

/** A table that comes in pages, as its rows are found; columns only grow. */
export class TablePages {
  readonly #head: readonly string[]
  readonly #colors: Pick<Colors, 'bold'>
  #widths: readonly number[] = []

  constructor(head: readonly string[], colors: Pick<Colors, 'bold'>) {
    this.#head = head
    this.#colors = colors
  }

  /** @returns lines, the first page's with the names of the columns above them */
  page(rows: readonly (readonly string[])[]): string {
    const isFirst = this.#widths.length === 0
    const head = isFirst ? { head: this.#head.map((name) => this.#colors.bold(name)) } : {}
    const { widths } = draw(rows, head)
    this.#widths = widths.map((width, column) => Math.max(width, this.#widths[column] ?? 0))
    return draw(rows, { ...head, colWidths: [...this.#widths] }).text
  }
}

function draw(
  rows: readonly (readonly string[])[],
  options: { head?: string[]; colWidths?: number[] },
): { readonly text: string; readonly widths: readonly number[] } {
  const table = new Table({
    ...options,
    chars: borderless,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) table.push(row.map(visibleLine))
  const lines = table.toString().split('\n')
  // The table fills in the widths of its columns when it is drawn.
  return { text: lines.map((line) => line.trimEnd()).join('\n'), widths: table.options.colWidths.map(Number) }
}
