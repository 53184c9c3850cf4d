/** The document that loads a file of another language, checked as closely as a policy of ours. */
import { KernelError } from '../../errors.ts'
import { parseBudget, parseBudgetEntry } from '../budget.ts'
import { readDocument, refuseFlaws } from '../parse.ts'
import type { Policy, Rule } from '../types.ts'
import { type Flaw, validateEngine } from '../validate.ts'
import { type Engine, type EngineDocument, engineFacts } from './engine.ts'

/** A document, and where it names its file. */
export interface EngineFile {
  readonly document: EngineDocument
  readonly line: number
}

/**
 * @returns the document; undefined where the text is a policy of ours, which has no `engine`
 * @throws PolicyError with line, column, what was found and what was meant
 */
export function parseEngineDocument(text: string, source: string): EngineFile | undefined {
  const data = readDocument(text, source)
  const { value } = data
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, 'engine')) return undefined
  const checked = validateEngine(value)
  if ('flaws' in checked) return refuseFlaws(checked.flaws, data, source)
  const { document } = checked
  const flaws = findFlaws(document)
  if (flaws.length > 0) return refuseFlaws(flaws, data, source)
  return { document, line: data.positionOf(['file']).line }
}

/**
 * @param document with what its files held
 * @returns the policy, which is besides what judges the same as one of ours
 */
export function policyOf(document: EngineDocument, engine: Engine, rules: readonly Rule[]): Policy {
  return Object.freeze({
    name: document.name,
    extends: undefined,
    isolation: document.isolation ?? 'host',
    cell: document.cell ?? 'shared',
    mode: document.mode ?? 'enforce',
    budget: parseBudget(document.budget ?? {}),
    signals: Object.freeze({ ...document.signals }),
    loopRepeats: document.loop?.repeats,
    rules: Object.freeze([...rules]),
    engine,
    document,
    text: `${JSON.stringify(document, null, 2)}\n`,
  })
}

function findFlaws({
  engine,
  file,
  cell,
  isolation = 'host',
  budget,
  ...rest
}: EngineDocument): readonly Flaw[] {
  const { title, ending } = engineFacts[engine]
  const flaws: Flaw[] = []
  if (!file.endsWith(ending)) {
    const how = engine === 'rego' ? '; `opa build -t wasm` makes one, in its bundle as policy.wasm' : ''
    flaws.push({
      path: ['file'],
      message: `\`${file}\` does not end in ${ending}, as files for ${title} do${how}`,
    })
  }
  for (const [key, value] of Object.entries(budget ?? {})) {
    try {
      parseBudgetEntry(key, value)
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      flaws.push({ path: ['budget', key], message: error.message })
    }
  }
  for (const key of ['entrypoint', 'data'] as const)
    if (engine === 'cedar' && rest[key] !== undefined)
      flaws.push({ path: [], key, message: `\`${key}\` belongs to Rego; a Cedar file has none` })
  if (cell === 'own' && isolation !== 'cell')
    flaws.push({ path: [], key: 'cell', message: '`cell: own` needs `isolation: cell` with it' })
  return flaws
}
