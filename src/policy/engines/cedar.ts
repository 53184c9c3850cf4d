/** Cedar's own engine, asked as one member of a set of policies. */
import type { Reading } from '../match.ts'
import { PolicyError } from '../problem.ts'
import type { Request, Rule } from '../types.ts'
import { cedarQuestion } from './cedar-request.ts'
import { readPolicies, type Statement } from './cedar-text.ts'
import type { Engine, EngineAnswer } from './engine.ts'
import { Unjudged } from './judge.ts'

/** What we use of `@cedar-policy/cedar-wasm`; what it answers is looked at before it is believed. */
export interface CedarModule {
  policySetTextToParts(text: string): unknown
  policyToJson(policy: string): unknown
  preparsePolicySet(
    id: string,
    policies: { readonly staticPolicies: Readonly<Record<string, string>> },
  ): unknown
  statefulIsAuthorized(call: object): unknown
}

/** The module keeps policies by a name that we give them, one for each that is loaded. */
let loaded = 0

/**
 * @param cedar the library
 * @param text the policies
 * @param file how messages call it
 * @returns what judges, and a rule for each policy
 * @throws PolicyError with line and column of what is wrong
 */
export function loadCedar(
  cedar: CedarModule,
  text: string,
  file: string,
): Engine & { readonly rules: readonly Rule[] } {
  const statements = readPolicies(cedar, text, file)
  loaded += 1
  const id = `gatehouse ${loaded}`
  const staticPolicies = Object.fromEntries(statements.map(({ rule, source }) => [rule.id, source]))
  const failed = failureOf(cedar.preparsePolicySet(id, { staticPolicies }))
  if (failed !== undefined) throw new PolicyError(file, [{ line: 1, column: 1, message: failed }])
  const byId = new Map(statements.map((each) => [each.rule.id, each]))
  released.register(byId, { cedar, id })
  return {
    name: 'cedar',
    source: text,
    rules: statements.map(({ rule }) => rule),
    ask: (request, reading) => ask(cedar, id, byId, request, reading),
  }
}

/** Policies that nobody asks any more are let go of, so that a kernel can reload as often as it likes. */
const released = new FinalizationRegistry<{ readonly cedar: CedarModule; readonly id: string }>(
  ({ cedar, id }) => {
    cedar.preparsePolicySet(id, { staticPolicies: {} })
  },
)

function ask(
  cedar: CedarModule,
  preparsedPolicySetId: string,
  byId: ReadonlyMap<string, Statement>,
  request: Request,
  reading: Reading,
): EngineAnswer {
  if (crashed.has(cedar)) throw new Unjudged('its engine has crashed; `reload` begins it anew')
  const call = { ...cedarQuestion(request, reading), preparsedPolicySetId }
  const { allow, reasons, errors } = responseOf(answerOf(cedar, call))
  const found = reasons.map((id) => statementOf(byId, id))
  const rules = found.toSorted((a, b) => a.order - b.order).map(({ rule }) => rule)
  if (!allow && rules.length > 0) return { effect: 'forbid', rules }
  const [first] = errors
  if (first !== undefined) {
    const failed = errors.map(({ policyId }) => statementOf(byId, policyId).rule)
    throw new Unjudged(`\`${first.policyId}\` fails: ${first.message}`, failed)
  }
  if (!allow) return { effect: 'forbid', rules: [] }
  if (rules.length === 0) throw new Unjudged('it permits without a policy')
  const asking = rules.filter(({ effect }) => effect === 'ask')
  return asking.length > 0 ? { effect: 'ask', rules: asking } : { effect: 'permit', rules }
}

/** What a crash leaves in an engine's memory, nobody knows: it is not asked again. */
const crashed = new WeakSet<CedarModule>()

export const hasCrashed = (cedar: CedarModule): boolean => crashed.has(cedar)

function answerOf(cedar: CedarModule, call: object): unknown {
  try {
    return cedar.statefulIsAuthorized(call)
  } catch (error) {
    // What it refuses to read it throws as a plain error.
    if (error instanceof Error && error.name === 'RuntimeError') crashed.add(cedar)
    throw error
  }
}

function statementOf(byId: ReadonlyMap<string, Statement>, id: string): Statement {
  const statement = byId.get(id)
  if (statement === undefined) throw new Unjudged('it names a policy that is not there')
  return statement
}

interface Response {
  readonly allow: boolean
  readonly reasons: readonly string[]
  readonly errors: readonly { readonly policyId: string; readonly message: string }[]
}

/** @throws Unjudged for an answer of any other shape than Cedar 4 gives */
function responseOf(answer: unknown): Response {
  const failed = failureOf(answer)
  if (failed !== undefined) throw new Unjudged(failed)
  const response = get(answer, 'response')
  const decision = get(response, 'decision')
  const reasons = get(get(response, 'diagnostics'), 'reason')
  const errors = get(get(response, 'diagnostics'), 'errors')
  if ((decision !== 'allow' && decision !== 'deny') || !Array.isArray(reasons) || !Array.isArray(errors))
    throw new Unjudged('its answer has a form that we do not know')
  return {
    allow: decision === 'allow',
    reasons: reasons.map(String),
    errors: errors.map((each: unknown) => ({
      policyId: String(get(each, 'policyId')),
      message: String(get(get(each, 'error'), 'message')),
    })),
  }
}

/** @returns why it could not be done; undefined where it was */
function failureOf(answer: unknown): string | undefined {
  if (get(answer, 'type') === 'success') return undefined
  const [first]: readonly unknown[] = listOf(get(answer, 'errors'))
  return first === undefined ? 'it gives no answer' : String(get(first, 'message'))
}

const get = (value: unknown, key: string): unknown =>
  value !== null && typeof value === 'object' ? Reflect.get(value, key) : undefined

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
