/** Text becomes a policy only if all of it is understood; otherwise nothing of it is used. */
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { actions, expandAction, type ResourceKind } from './actions.ts'
import { parseBudget, parseBudgetEntry } from './budget.ts'
import { compileMatcher, compileName } from './match.ts'
import { readDemands, readLabel, readLimits, readShowing } from './obligations.ts'
import { PolicyError, type PolicyProblem } from './problem.ts'
import { conditionFlaws } from './rule-condition.ts'
import type { Cell, Isolation, Policy, PolicyDocument, Rule, RuleDocument } from './types.ts'
import { type Flaw, validate } from './validate.ts'
import { type Path, readYaml, type YamlData } from './yaml.ts'

/**
 * @param text a policy in YAML or JSON, at most `limits.policyBytesMax` UTF-16 units
 * @param source how messages call it: the file as its user named it
 * @returns the policy, every pattern of which compiles
 * @throws PolicyError with line, column, what was found and what was meant, of every problem
 */
export function parsePolicy(text: string, source: string): Policy {
  const data = readDocument(text, source)
  const checked = validate(data.value)
  if ('flaws' in checked) return refuseFlaws(checked.flaws, data, source)
  const { document } = checked
  const flaws = findFlaws(document)
  if (flaws.length > 0) refuseFlaws(flaws, data, source)
  return Object.freeze({
    name: document.name,
    extends: document.extends,
    isolation: document.isolation ?? 'host',
    cell: document.cell ?? 'shared',
    mode: document.mode ?? 'enforce',
    budget: parseBudget(document.budget ?? {}),
    signals: Object.freeze({ ...document.signals }),
    loopRepeats: document.loop?.repeats,
    rules: Object.freeze(
      document.rules.map((rule, index) => readRule(rule, data.positionOf(['rules', index]).line)),
    ),
    document,
    text,
  })
}

/**
 * @param text a document in YAML or JSON
 * @returns its data, which is not empty
 * @throws PolicyError where it is too long or cannot be read
 */
export function readDocument(text: string, source: string): YamlData {
  const refuse = (problems: readonly PolicyProblem[]): never => {
    throw new PolicyError(source, problems)
  }
  const start = { line: 1, column: 1 }
  if (text.length > limits.policyBytesMax)
    refuse([
      { ...start, message: `a policy of ${text.length} characters, at most ${limits.policyBytesMax} fit` },
    ])
  if (!text.isWellFormed())
    refuse([{ ...start, message: 'the text holds a lone surrogate, which UTF-8 cannot carry' }])
  const data = readYaml(text)
  if (!('value' in data)) return refuse(data)
  if (data.value === null || data.value === undefined)
    refuse([
      {
        ...start,
        message: 'the policy is empty, which is not the same as one that permits nothing; `rules: []` is',
      },
    ])
  return data
}

/** @throws PolicyError that names them all, each with its place */
export function refuseFlaws(flaws: readonly Flaw[], data: YamlData, source: string): never {
  throw new PolicyError(
    source,
    flaws.map((flaw) => locate(flaw, data)),
  )
}

function locate({ path, key, offset, message }: Flaw, data: YamlData): PolicyProblem {
  if (offset !== undefined) return { ...data.positionWithin(path, offset), message }
  return { ...(key === undefined ? data.positionOf(path) : data.positionOfKey(path, key)), message }
}

function readRule(rule: RuleDocument, line: number): Rule {
  return Object.freeze({
    id: rule.id,
    line,
    effect: rule.effect,
    actions: listOf(rule.action),
    resources: rule.resource === undefined ? undefined : listOf(rule.resource),
    principals: rule.principal === undefined ? undefined : listOf(rule.principal),
    addresses: rule.addresses ?? [],
    when: rule.when,
    contains: rule.contains,
    demands: readDemands(rule),
  })
}

const listOf = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value

/** What the schema cannot say: ids are unique, patterns compile, and a rule's keys fit its actions. */
function findFlaws(document: PolicyDocument): readonly Flaw[] {
  const { budget = {}, cell, isolation = 'host', rules } = document
  const seen = new Map<string, number>()
  const amounts = Object.entries(budget).flatMap(([key, value]) =>
    flawsOf(['budget', key], () => parseBudgetEntry(key, value)),
  )
  const inRules = rules.flatMap((rule, index) => {
    const path = ['rules', index]
    const earlier = seen.get(rule.id)
    seen.set(rule.id, index)
    const duplicate =
      earlier === undefined
        ? []
        : [{ path: [...path, 'id'], message: `another rule is called \`${rule.id}\` too; ids are unique` }]
    return [
      ...duplicate,
      ...wideningFlaws(document, rule, path),
      ...patternFlaws(rule, path),
      ...addressFlaws(rule, path),
      ...whenFlaws(rule, path),
      ...demandFlaws(rule, path),
    ]
  })
  return [...cellFlaws(cell, isolation), ...amounts, ...manyFlaws(rules), ...inRules]
}

const demandKeys = ['once', 'rateLimit', 'label', 'redact', 'log'] as const

/** A process without any cell would have none to itself. */
function cellFlaws(cell: Cell | undefined, isolation: Isolation): readonly Flaw[] {
  if (cell !== 'own' || isolation === 'cell') return []
  const message = `\`cell: own\` accepts isolation \`${isolation}\`, where a process has no cell; write \`isolation: cell\` with it`
  return [{ path: [], key: 'cell', message }]
}

function wideningFlaws({ extends: base }: PolicyDocument, rule: RuleDocument, path: Path): readonly Flaw[] {
  if (base === undefined || rule.effect !== 'permit') return []
  // What demands something of a call narrows, although it is written as a permit.
  if (demandKeys.some((key) => rule[key] !== undefined) && rule.addresses === undefined) return []
  const message = `a policy that extends \`${base}\` only narrows it: its rules forbid or ask, or demand something (${demandKeys.join(', ')}), and what is permitted stands there`
  return [{ path: [...path, 'effect'], message }]
}

/** Each is compiled for each action that its rule covers. */
function manyFlaws(rules: readonly RuleDocument[]): readonly Flaw[] {
  const conditions = rules.filter(({ when }) => when !== undefined).length
  if (conditions <= limits.policyConditionsMax) return []
  const message = `${conditions} rules have a condition, at most ${limits.policyConditionsMax} may`
  return [{ path: ['rules'], message }]
}

function whenFlaws({ when, action }: RuleDocument, path: Path): readonly Flaw[] {
  if (when === undefined) return []
  const covered = [...new Set(listOf(action).flatMap(expandAction))]
  return conditionFlaws(when, covered).map(({ offset, message }) => ({
    path: [...path, 'when'],
    offset,
    message,
  }))
}

function demandFlaws(rule: RuleDocument, path: Path): readonly Flaw[] {
  const counted = rule.once === undefined || rule.effect !== 'forbid' ? 'rateLimit' : 'once'
  const shown = rule.redact === undefined ? 'log' : 'redact'
  return [
    ...flawsOf(path, () => readLimits(rule)).map((flaw) => ({ ...flaw, key: counted })),
    ...flawsOf(path, () => readLabel(rule)).map((flaw) => ({ ...flaw, key: 'label' })),
    ...flawsOf(path, () => readShowing(rule)).map((flaw) => ({ ...flaw, key: shown })),
  ]
}

function patternFlaws(rule: RuleDocument, path: Path): readonly Flaw[] {
  const principals = patternsFlaws(rule.principal, [...path, 'principal'], compileName)
  if (rule.resource === undefined) return principals
  const kinds = new Set(
    listOf(rule.action)
      .flatMap(expandAction)
      .map((action) => actions[action].resource),
  )
  const [kind, ...others] = kinds
  if (kind === undefined || others.length > 0) {
    const means = [...kinds].map((each) => kindNames[each]).join(' and ')
    const message = `\`resource\` with actions that act on ${means}; write one rule for each, or leave it out for any`
    return [...principals, { path, key: 'resource', message }]
  }
  return [
    ...principals,
    ...patternsFlaws(rule.resource, [...path, 'resource'], (it) => compileMatcher(kind, it)),
  ]
}

const kindNames: Readonly<Record<ResourceKind, string>> = { path: 'paths', url: 'URLs', name: 'names' }

function patternsFlaws(
  value: string | readonly string[] | undefined,
  path: Path,
  compile: (pattern: string) => unknown,
): readonly Flaw[] {
  if (value === undefined) return []
  if (typeof value === 'string') return flawsOf(path, () => compile(value))
  return value.flatMap((pattern, index) => flawsOf([...path, index], () => compile(pattern)))
}

function flawsOf(path: Path, read: () => unknown): readonly Flaw[] {
  try {
    read()
    return []
  } catch (flaw) {
    if (flaw instanceof KernelError) return [{ path, message: flaw.message }]
    throw flaw
  }
}

function addressFlaws(rule: RuleDocument, path: Path): readonly Flaw[] {
  if (rule.addresses === undefined) return []
  const fits =
    rule.effect !== 'forbid' &&
    listOf(rule.action)
      .flatMap(expandAction)
      .every((it) => it === 'net.fetch')
  if (fits) return []
  return [
    {
      path,
      key: 'addresses',
      message: '`addresses` belongs to rules that permit net.fetch, or ask about it, and nothing else',
    },
  ]
}
