/** The corpus as a benchmark: attacks tried and contained, kernels that died of them, and the worst pauses. */
import { families as escapes } from '../escape/families.ts'
import { families as hostile } from '../hostile/families.ts'
import { Arena } from '../support/corpus.ts'
import { alone } from './alone.ts'
import { progress, shown, type Table } from './report.ts'

interface Tally {
  readonly tried: number
  /** Those that were not contained, and which promise was broken. */
  readonly broken: readonly string[]
  readonly pauseMs: number
  readonly stallMs: number
  /** During which attack the loop paused longest. */
  readonly worst: string
}

const families = [...escapes, ...hostile]

/** The attacks that are run in a place; those that V8 alone does not contain run in cells only. */
const attacksOf = (family: string, isolation: string) =>
  families
    .filter(({ name }) => name === family)
    .flatMap(({ attacks }) => attacks)
    .filter(({ notInline }) => isolation !== 'inline' || notInline === undefined)

/** Runs one family in an arena of its own. */
export async function measureFamily(isolation = '', family = ''): Promise<Tally> {
  const arena = await Arena.open(isolation === 'inline' ? 'inline' : 'cell')
  const broken: string[] = []
  const attacks = attacksOf(family, isolation)
  let pauseMs = 0
  let stallMs = 0
  let worst = ''
  for (const attack of attacks) {
    try {
      const outcome = await arena.run(attack)
      if (outcome.pauseMs > pauseMs) worst = attack.name
      pauseMs = Math.max(pauseMs, outcome.pauseMs)
      stallMs = Math.max(stallMs, outcome.stallMs)
    } catch (error) {
      broken.push(`${attack.name}: ${error instanceof Error ? error.message : error}`)
    }
  }
  try {
    await arena.close()
  } catch (error) {
    broken.push(`the end: ${error instanceof Error ? error.message : error}`)
  }
  return { tried: attacks.length, broken, pauseMs, stallMs, worst }
}

/** Each family in a process of its own, so that a kernel that dies is counted. */
async function tallyOf(isolation: 'cell' | 'inline'): Promise<readonly string[]> {
  const sum = { tried: 0, contained: 0, crashes: 0, pauseMs: 0, stallMs: 0 }
  for (const { name } of families) {
    const { result, end } = await alone<Tally>('corpus', [isolation, name])
    sum.tried += attacksOf(name, isolation).length
    if (result === undefined || end !== '0') sum.crashes += 1
    if (result === undefined) {
      progress(`  ${isolation} ${name}: the kernel's process ended with ${end}`)
      continue
    }
    const { tried, broken, pauseMs, stallMs } = result
    sum.contained += tried - broken.length
    sum.pauseMs = Math.max(sum.pauseMs, pauseMs)
    sum.stallMs = Math.max(sum.stallMs, stallMs)
    progress(
      `  ${isolation} ${name}: ${tried - broken.length} of ${tried}, pause ${shown(pauseMs)} ms (${result.worst})`,
    )
    for (const text of broken) progress(`    NOT CONTAINED ${text}`)
  }
  const { tried, contained, crashes, pauseMs, stallMs } = sum
  return [isolation, ...[tried, contained, crashes].map(String), shown(pauseMs), shown(stallMs)]
}

export async function corpus(): Promise<Table> {
  return {
    columns: [
      'isolation',
      'attacks tried',
      'contained',
      'kernel crashes',
      "worst pause of the kernel's loop, ms",
      'longest a bystander waited, ms',
    ],
    rows: [await tallyOf('cell'), await tallyOf('inline')],
    notes: [
      'Contained: the attack ended as its file says, a fresh process and a bystander made progress, evidence verifies, nothing leaked. The pauses are those while attacks run; the checks after each are not among them.',
    ],
  }
}
