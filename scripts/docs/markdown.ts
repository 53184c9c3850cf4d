/** The little Markdown that printed pages need. */

/** What every printed page says on top. */
export const printedFrom = (table: string): string =>
  `<!-- Printed by \`npm run docs\` from ${table}: change the table, not this page. -->`

/** @param rows cells as Markdown; a `|` in one is written so that it does not end it */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

export const code = (text: string): string => `\`${text}\``

/** Paragraphs, headings and tables, one below the other. */
export const page = (...parts: readonly string[]): string => `${parts.join('\n\n')}\n`

export const count = (value: number): string => value.toLocaleString('en-US')
