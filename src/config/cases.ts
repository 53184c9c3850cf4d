/** Cases beside a policy: requests, and what it has to say to each. */
import { existsSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { z } from 'zod'
import { KernelError } from '../errors.ts'
import { readPlainly } from '../flaws.ts'
import { labelFlaw } from '../labels.ts'
import { limits } from '../limits.ts'
import { type Action, actionProblem, actions, isAction, type ResourceKind } from '../policy/actions.ts'
import type { PolicyCase } from '../policy/cases.ts'
import { Content } from '../policy/content.ts'
import { readResource } from '../policy/match.ts'
import { deedPlaces, pastOf } from '../policy/past-of-case.ts'
import { plainArguments } from '../policy/plain.ts'
import { PolicyError } from '../policy/problem.ts'
import { effects, isolations, type PolicySet } from '../policy/types.ts'
import { parseDuration } from '../policy/units.ts'
import { readYaml, type YamlData } from '../policy/yaml.ts'
import { engineOfPath } from './engines.ts'
import { isPath, listPresets, loadPolicy } from './policy.ts'
import { readText } from './read-text.ts'

const text = z.string().min(1).max(limits.urlMax)
const count = z.int().nonnegative()

/** A misspelt one would be carried by nothing, and a case for it would say nothing. */
const label = text.superRefine((name, context) => {
  const message = labelFlaw(name)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

/** In ms, written as a duration. */
const duration = z.string().transform((written, context) => {
  try {
    return parseDuration(written)
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
    return z.NEVER
  }
})

const Deed = z.strictObject({
  action: z.string().transform((name, context) => {
    if (isAction(name)) return name
    context.addIssue({ code: 'custom', message: noAction(name) })
    return z.NEVER
  }),
  resource: z.string().max(limits.urlMax),
  /** That of the case by default. */
  agent: text.optional(),
  in: z.enum(deedPlaces).default('process'),
  ago: duration.default(0),
  times: z.int().positive().max(limits.historyTimesMax).default(1),
})

const values = z.array(z.json()).max(limits.conditionListMax)

const Case = z.strictObject({
  principal: text.default('agent'),
  action: text,
  resource: z.string().max(limits.urlMax),
  isolation: z.enum(isolations).default('cell'),
  args: z.json().optional(),
  /** What the call holds besides: a body, a text that is written, a message. */
  content: z.json().optional(),
  labels: z.array(label).default([]),
  budget: z
    .strictObject({ syscalls: count, cpuMs: z.number(), tokens: count, costUsd: z.number(), bits: count })
    .partial()
    .optional(),
  /** Values, by where they have been seen; all others are unknown. */
  origins: z.strictObject({ task: values, trusted: values, untrusted: values }).partial().default({}),
  /** What has been done before, the oldest first. */
  history: z.array(Deed).max(limits.historyTimesMax).default([]),
  effect: z.enum(effects),
  /** The rule that decides, or all of them; none where silence forbids. */
  rule: z.union([text, z.array(text)]).optional(),
  observed: z.enum(effects).optional(),
  addresses: z.array(text).optional(),
  /** Labels of what comes back. */
  label: z.array(label).optional(),
  for: z.string().optional(),
})

const Cases = z.strictObject({
  policy: z.union([text, z.array(text).min(1)]),
  cases: z.array(Case).min(1).max(limits.policyRulesMax),
})

export interface CaseFile {
  /** As its user named it. */
  readonly file: string
  readonly set: PolicySet
  readonly cases: readonly PolicyCase[]
}

/**
 * @param given a file of cases, or a policy beside which they lie, as `cases/NAME` in the same folder
 * @returns the cases and the policy that they are for; a path in `policy` starts at the folder of the cases
 * @throws PolicyError with line and column, KernelError EINVAL where a file cannot be read
 */
export function readCases(given: string): CaseFile {
  const foreign = engineOfPath(given) !== undefined
  if (listPresets().includes(given))
    throw new KernelError('EINVAL', `\`${given}\` is a preset; name a file of cases, or the file of a policy`)
  const first = foreign ? undefined : readData(given)
  const isPolicy = first === undefined || isPolicyDocument(first.value)
  const beside = foreign ? `${basename(given, extname(given))}.yaml` : basename(given)
  const file = isPolicy ? join(dirname(given), 'cases', beside) : given
  if (isPolicy && !existsSync(file))
    throw new KernelError(
      'EINVAL',
      `the cases of \`${given}\` belong into \`${file}\`, which is not there; \`gatehouse policy init\` writes some for a policy in YAML`,
    )
  const data = isPolicy ? readData(file) : first
  const { policy, cases } = validate(data, file)
  assertJudged(data, file, cases)
  const set = policyOf(policy, file, data)
  return {
    file,
    set,
    cases: cases.map((each, index) => {
      const { principal, action, resource, isolation, labels, budget } = each
      const { line } = data.positionOf(['cases', index])
      const args = isAction(action) ? plainArguments(action, resource, each.args) : {}
      const past = pastOf(
        principal,
        defined(each.origins),
        each.history.map((deed) => ({ ...deed, agent: deed.agent ?? principal })),
      )
      const content = Content.of([resource, args, each.content ?? null])
      const request = { principal, action, resource, isolation, labels, args, content, ...past }
      return {
        line,
        request: budget === undefined ? request : { ...request, budget: () => defined(budget) },
        effect: each.effect,
        rules: each.rule === undefined ? [] : [each.rule].flat(),
        observed: each.observed,
        addresses: each.addresses,
        label: each.label,
      }
    }),
  }
}

/** @throws KernelError EINVAL with the place in the file of cases, where it names what is not there */
function policyOf(named: string | readonly string[], file: string, data: YamlData): PolicySet {
  try {
    return loadPolicy([named].flat().map((each) => fromFolder(dirname(file), each)))
  } catch (error) {
    if (!(error instanceof KernelError) || error instanceof PolicyError) throw error
    throw new KernelError('EINVAL', `${file}:${data.positionOf(['policy']).line}: ${error.message}`)
  }
}

/** @returns a preset as it is; a path from where the cases lie */
function fromFolder(folder: string, policy: string): string {
  if (!isPath(policy)) return policy
  const ref = join(folder, policy)
  return ref.includes('/') ? ref : `./${ref}`
}

function readData(file: string): YamlData {
  const data = readYaml(readText(file, file, 'file of cases'))
  if ('value' in data) return data
  throw new PolicyError(file, data)
}

function validate(data: YamlData, file: string): z.infer<typeof Cases> {
  const read = readPlainly(Cases, data.value)
  if ('data' in read) return read.data
  const problems = read.flaws.map(({ path, message }) => {
    const where = path.length === 0 ? 'the file' : `\`${path.join('.')}\``
    return { ...data.positionOf(path), message: `${where}: ${message}` }
  })
  throw new PolicyError(file, problems)
}

/** Without what nobody said. */
const defined = <T extends object>(parts: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as never

const isPolicyDocument = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  ('rules' in value || 'engine' in value) &&
  !('cases' in value)

/**
 * What no policy can judge is refused by every policy, so a case of it would say nothing and pass.
 * @throws PolicyError with the place of each such case, what is wrong in it and what to write
 */
function assertJudged(data: YamlData, file: string, cases: z.infer<typeof Cases>['cases']): void {
  const problems = cases.flatMap(({ action, resource }, index) => {
    const known = isAction(action)
    const message = known ? unjudged(action, resource) : noAction(action)
    const place = data.positionOf(['cases', index, known ? 'resource' : 'action'])
    return message === undefined ? [] : [{ ...place, message }]
  })
  if (problems.length > 0) throw new PolicyError(file, problems)
}

/** @returns why it is not the action of one call */
const noAction = (name: string): string =>
  actionProblem(name) ?? `\`${name}\` covers several actions; name one of them`

function unjudged(action: Action, resource: string): string | undefined {
  const readings = readResource(action, resource)
  if (typeof readings !== 'string') return undefined
  const kind = actions[action].resource
  return `${readings}, so no policy can judge \`${resource}\`; the resource of ${action} is ${written[kind]}`
}

const written: Readonly<Record<ResourceKind, string>> = {
  path: 'an absolute path, such as `/mem/notes.txt`',
  url: 'a whole URL, such as `https://example.org/page`',
  name: 'a name',
}
