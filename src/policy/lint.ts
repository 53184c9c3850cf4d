/** What an author of a policy may not have meant: rules without effect, and patterns that are broader than they look. */
import { isAction } from './actions.ts'
import { broadness } from './broad.ts'
import type { CompiledRule } from './compiled-rule.ts'
import { assertOwnRules } from './engines/engine.ts'
import { readResource } from './match.ts'
import { probesFor } from './probes.ts'
import { type CompiledPolicy, compilePolicy } from './rules.ts'
import { effects, type PolicySet, type RuleRef } from './types.ts'

export const lintKinds = ['never-matches', 'never-decides', 'adds-nothing', 'broad'] as const

export interface LintFinding {
  readonly rule: RuleRef
  readonly kind: (typeof lintKinds)[number]
  /** As a sentence without its end. */
  readonly message: string
}

export interface Lint {
  readonly findings: readonly LintFinding[]
  /** Whether no rule without effect has been missed. */
  readonly complete: boolean
}

/** What is known of one rule, over all requests that it matches but for its condition. */
interface Seen {
  /** Stricter rules without a condition that match somewhere where it does. */
  readonly overruling: ReadonlySet<CompiledRule>
  /** Whether one of them does wherever it does. */
  readonly overruled: boolean
  /** Rules without conditions and demands that say the same wherever it matches. */
  readonly covering: ReadonlySet<CompiledRule>
}

/**
 * @param set each policy of it is looked at by itself
 * @throws KernelError EINVAL where one is in another language
 */
export function lint(set: PolicySet): Lint {
  assertOwnRules(set, 'looked through')
  const { requests, sampled } = probesFor([set])
  const places = new Map(requests.map((it) => [`${it.action} ${it.principal} ${it.resource}`, it]))
  const findings = set.policies.flatMap((policy) => {
    const compiled = compilePolicy(policy)
    const records = new Map<CompiledRule, Seen>()
    for (const { action, principal, resource } of places.values())
      observe(compiled, action, principal, resource, records)
    const seen = new Map([...records.keys()].map((each) => [each.rule, each]))
    return policy.rules.flatMap((rule) => {
      const ref = { policy: policy.name, id: rule.id, line: rule.line }
      const idle = idleness(seen.get(rule), records, ref)
      // What extends another permits nothing by itself, however broad it is.
      const permits = rule.effect === 'permit' && policy.extends === undefined
      const broad = permits ? broadness(rule) : []
      return [...idle, ...broad.map((message) => ({ rule: ref, kind: 'broad' as const, message }))]
    })
  })
  return { findings, complete: sampled.every((what) => what.startsWith('the conditions')) }
}

function observe(
  { index }: CompiledPolicy,
  action: string,
  principal: string,
  resource: string,
  records: Map<CompiledRule, Seen>,
): void {
  const readings = isAction(action) ? readResource(action, resource) : 'unknown'
  if (!isAction(action) || typeof readings === 'string') return
  const matching = index.get(action)?.matching(principal, readings) ?? []
  for (const rule of matching) {
    const always = matching.filter((it) => it !== rule && it.always)
    const stricter = always.filter((it) => rank(it) > rank(rule))
    const same = always.filter((it) => rank(it) === rank(rule) && !hasTerms(it))
    const known = records.get(rule)
    records.set(rule, {
      overruling: new Set([...(known?.overruling ?? []), ...stricter]),
      overruled: (known?.overruled ?? true) && stricter.length > 0,
      covering: new Set(known === undefined ? same : same.filter((it) => known.covering.has(it))),
    })
  }
}

const rank = ({ rule }: CompiledRule): number => effects.indexOf(rule.effect)

const hasTerms = ({ rule }: CompiledRule): boolean => rule.addresses.length > 0 || rule.demands !== undefined

function idleness(
  rule: CompiledRule | undefined,
  records: ReadonlyMap<CompiledRule, Seen>,
  ref: RuleRef,
): readonly LintFinding[] {
  const seen = rule === undefined ? undefined : records.get(rule)
  if (rule === undefined || seen === undefined)
    return [{ rule: ref, kind: 'never-matches', message: 'nothing that is asked matches it' }]
  if (seen.overruled) {
    const by = [...seen.overruling].map((it) => `\`${it.rule.id}\``).join(', ')
    return [
      { rule: ref, kind: 'never-decides', message: `wherever it matches, ${by} is stricter and decides` },
    ]
  }
  // Of two rules that say the same of the same, the later one adds nothing.
  const isLater = (it: CompiledRule): boolean => it.order < rule.order || !records.get(it)?.covering.has(rule)
  const cover = hasTerms(rule) ? undefined : [...seen.covering].find(isLater)
  if (cover === undefined) return []
  return [
    { rule: ref, kind: 'adds-nothing', message: `\`${cover.rule.id}\` says the same wherever it matches` },
  ]
}
