/** Prints docs/limits.md: the value of each limit beside the sentence that stands before it in the code. */
import { readFileSync } from 'node:fs'
import { limits } from '../../src/limits.ts'
import { code, count, page, printedFrom, tableOf } from './markdown.ts'

const KiB = 1024
const MiB = 1024 * KiB

const intro =
  'Everything that can grow has a bound. A policy or an option can lower some of them for one process (`budget`, `limits`); nothing raises them, except those that say they are a default. `Ki` is 1,024, `Mi` is 1,024 × 1,024.'

export function limitsText(): string {
  const sentences = sentencesIn(readFileSync(new URL('../../src/limits.ts', import.meta.url), 'utf8'))
  const rows = Object.entries(limits).map(([name, value]) => {
    const sentence = sentences.get(name)
    if (sentence === undefined) throw new Error(`\`${name}\` in src/limits.ts has no sentence before it`)
    return [code(name), valueText(name, value), sentence]
  })
  return page(
    '# Limits',
    printedFrom('src/limits.ts'),
    intro,
    tableOf(['limit', 'value', 'what it bounds'], rows),
  )
}

/** The doc comment before each property. */
const sentencesIn = (source: string): ReadonlyMap<string, string> =>
  new Map(
    [...source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(\w+):/g)].map(([, comment = '', name = '']) => [
      name,
      comment.replaceAll(/\s*\n\s*\*\s*/g, ' ').trim(),
    ]),
  )

function valueText(name: string, value: number): string {
  if (name.endsWith('Ms') || name.endsWith('MsMax')) return `${count(value)} ms`
  if (value % MiB === 0) return `${count(value / MiB)} Mi`
  return value % KiB === 0 && value > KiB ? `${count(value / KiB)} Ki` : count(value)
}
