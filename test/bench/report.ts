/** What a benchmark has to say, as tables on the terminal and as sections of docs/benchmarks.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { percentile } from './measure.ts'

export interface Table {
  /** Of what is compared, and of each figure with its unit. */
  readonly columns: readonly [string, ...string[]]
  readonly rows: readonly (readonly string[])[]
  /** What a reader has to know besides, one sentence each. */
  readonly notes?: readonly string[]
}

export interface Section extends Table {
  readonly name: string
  readonly what: string
}

const mark = '<!-- figures -->'
const page = new URL('../../docs/benchmarks.md', import.meta.url)

/** The machine, as every section names it. */
export const machine = `Node.js ${process.version}, V8 ${process.versions.v8}, ${process.platform} ${process.arch}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`

/** A section as Markdown. */
export function sectionText({ name, what, columns, rows, notes = [] }: Section): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = line(columns.map((_, index) => (index === 0 ? '---' : '---:')))
  const table = [line(columns), rule, ...rows.map(line)].join('\n')
  return [`## ${name}`, `${what}.`, `${machine}.`, table, ...notes].join('\n\n')
}

/**
 * Puts sections into docs/benchmarks.md, in place of those of the same names; the others stay as they are.
 * @param order names of all benchmarks, in the order of the page
 */
export function writeSections(sections: readonly Section[], order: readonly string[]): void {
  const [before = '', figures = ''] = readFileSync(page, 'utf8').split(mark)
  const kept = figures
    .split(/^(?=## )/m)
    .map((text): [string, string] => [/^## (.*)/.exec(text)?.[1] ?? '', text.trim()])
  const texts = new Map([...kept, ...sections.map((it): [string, string] => [it.name, sectionText(it)])])
  const body = order.flatMap((name) => texts.get(name) ?? []).join('\n\n')
  writeFileSync(page, `${before}${mark}\n\n${body}\n`)
}

/** Puts a table between the marks `<!-- NAME -->` and `<!-- /NAME -->` of docs/benchmarks.md. */
export function writeTable(name: string, lines: readonly string[]): void {
  const text = readFileSync(page, 'utf8')
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no place for the table \`${name}\``)
  const table = `${begin}\n\n${machine}.\n\n${lines.join('\n')}\n\n`
  writeFileSync(page, text.slice(0, from) + table + text.slice(to))
}

/** @returns `p50 / p90 / p99` of times in ms, and `–` where there is none */
export function spread(samples: readonly number[]): string {
  if (samples.length === 0) return '–'
  return [0.5, 0.9, 0.99].map((share) => shown(percentile(samples, share))).join(' / ')
}

/** A figure with as many places as matter. */
export const shown = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)

/** @returns a size in MiB */
export const mebibytes = (bytes: number): string => shown(bytes / 2 ** 20)

/** Says on the terminal how far a long benchmark has come. */
export const progress = (text: string): void => void process.stderr.write(`${text}\n`)
