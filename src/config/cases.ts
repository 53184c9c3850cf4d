/** Cases beside a policy: requests, and what it has to say to each. */
import { basename, dirname, extname, join } from 'node:path'
import { z } from 'zod'
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { actionProblem, isAction } from '../policy/actions.ts'
import type { PolicyCase } from '../policy/cases.ts'
import { Content } from '../policy/content.ts'
import { deedPlaces, pastOf } from '../policy/past-of-case.ts'
import { plainArguments } from '../policy/plain.ts'
import { PolicyError } from '../policy/problem.ts'
import { effects, isolations, type PolicySet } from '../policy/types.ts'
import { parseDuration } from '../policy/units.ts'
import { readYaml, type YamlData } from '../policy/yaml.ts'
import { engineOfPath } from './engines.ts'
import { loadPolicy } from './policy.ts'
import { readText } from './read-text.ts'

const text = z.string().min(1).max(limits.urlMax)
const count = z.int().nonnegative()

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
    context.addIssue({
      code: 'custom',
      message: actionProblem(name) ?? `\`${name}\` covers several actions; name the one that was done`,
    })
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
  labels: z.array(text).default([]),
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
  label: z.array(text).optional(),
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
  const first = foreign ? undefined : readData(given)
  const isPolicy = first === undefined || isPolicyDocument(first.value)
  const beside = foreign ? `${basename(given, extname(given))}.yaml` : basename(given)
  const file = isPolicy ? join(dirname(given), 'cases', beside) : given
  const data = isPolicy ? readData(file) : first
  const { policy, cases } = validate(data, file)
  const set = loadPolicy([policy].flat().map((each) => fromFolder(dirname(file), each)))
  return {
    file,
    set,
    cases: cases.map((each, index) => {
      const { principal, action, resource, isolation, labels, budget } = each
      const { line } = data.positionOf(['cases', index])
      const args = isAction(action) ? plainArguments(action, resource, each.args) : (each.args ?? {})
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

/** @returns a preset as it is; a path from where the cases lie */
function fromFolder(folder: string, policy: string): string {
  if (!/\/|\.(yaml|yml|json)$/.test(policy)) return policy
  const ref = join(folder, policy)
  return ref.includes('/') ? ref : `./${ref}`
}

function readData(file: string): YamlData {
  const data = readYaml(readText(file, file, 'file of cases'))
  if ('value' in data) return data
  throw new PolicyError(file, data)
}

function validate(data: YamlData, file: string): z.infer<typeof Cases> {
  const read = Cases.safeParse(data.value)
  if (read.success) return read.data
  const problems = read.error.issues.map(({ path, message }) => {
    const steps = path.filter((step) => typeof step !== 'symbol')
    const where = steps.length === 0 ? 'the file' : `\`${steps.join('.')}\``
    return {
      ...data.positionOf(steps),
      message: `${where}: ${message.charAt(0).toLowerCase()}${message.slice(1)}`,
    }
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

/** @throws KernelError EINVAL where an action of a case can be no action, so that a misspelling is no passing refusal */
export function assertActions({ file, cases }: CaseFile): void {
  for (const { line, request } of cases) {
    const why = isAction(request.action) ? undefined : actionProblem(request.action)
    if (why?.includes('did you mean')) throw new KernelError('EINVAL', `${file}:${line}: ${why}`)
  }
}
