/**
 * The same rules in each engine's own language: parsed once, and asked through the quickest call that its documentation
 * names. `npm run bench:peers` installs them beside this file, in peers/.
 */
import { createRequire } from 'node:module'
import { compilePolicies } from '../../src/policy/compile.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { RuleDocument } from '../../src/policy/types.ts'

/** A permit is for one tool; a forbid for one tool from an amount on. Every engine's language can say both. */
interface PayRule {
  readonly effect: 'permit' | 'forbid'
  readonly tool: string
  readonly from?: number
}

interface PayRequest {
  readonly principal: string
  readonly tool: string
  readonly amount: number
}

/** @returns whether the call is permitted */
type Decide = (request: PayRequest) => boolean

export interface Peer {
  readonly name: string
  compile(rules: readonly PayRule[]): Decide
}

/** A tool a rule; every tenth rule is a forbid about the tool of the one before it. */
export const rulesOf = (size: number): readonly PayRule[] =>
  Array.from({ length: size }, (_, index): PayRule => {
    if (index % 10 === 9) return { effect: 'forbid', tool: `tool_${index - 1}`, from: 500 }
    return { effect: 'permit', tool: `tool_${index}` }
  })

/** Calls of every tool that a rule is about, and some that none is about. */
export const requestsOf = (size: number): readonly PayRequest[] =>
  Array.from({ length: 997 }, (_, index) => ({
    principal: 'desk',
    tool: `tool_${(index * 7_919) % Math.ceil(size * 1.1 + 1)}`,
    amount: (index * 31) % 1_000,
  }))

/** What the rules mean, in the plainest words; every engine is held to it. */
export const meaning =
  (rules: readonly PayRule[]): Decide =>
  ({ tool, amount }) => {
    const about = rules.filter((rule) => rule.tool === tool)
    const forbidden = about.some(({ effect, from = 0 }) => effect === 'forbid' && amount >= from)
    return !forbidden && about.some(({ effect }) => effect === 'permit')
  }

const gatehouse: Peer = {
  name: 'gatehouse',
  compile(rules) {
    const own = rules.map(
      ({ effect, tool, from }, index): RuleDocument => ({
        id: `r${index}`,
        effect,
        action: 'tool.call',
        resource: tool,
        ...(from !== undefined && { when: `args.amount >= ${from}` }),
      }),
    )
    const document = JSON.stringify({ version: 1, name: 'pay', rules: own })
    const set = compilePolicies([parsePolicy(document, 'pay')], 'hash')
    return ({ principal, tool, amount }) => {
      const asked = { principal, action: 'tool.call', resource: tool, args: { amount }, labels: [] }
      return set.decide({ ...asked, isolation: 'cell' }).effect === 'permit'
    }
  },
}

const cel = (load: NodeJS.Require): Peer => ({
  name: 'CEL alone, `@marcbachmann/cel-js`',
  compile(rules) {
    const { Environment } = load('@marcbachmann/cel-js') as typeof import('@marcbachmann/cel-js')
    const environment = new Environment()
      .registerVariable('action', 'string')
      .registerVariable('resource', 'string')
      .registerVariable('amount', 'double')
    const compiled = rules.map(({ effect, tool, from }) => {
      const about = `action == "tool.call" && resource == "${tool}"`
      return {
        effect,
        holds: environment.parse(from === undefined ? about : `${about} && amount >= ${from}.0`),
      }
    })
    return ({ tool, amount }) => {
      const scope = { action: 'tool.call', resource: tool, amount }
      let permitted = false
      for (const { effect, holds } of compiled) {
        if (holds(scope) !== true) continue
        if (effect === 'forbid') return false
        permitted = true
      }
      return permitted
    }
  },
})

interface Cedar {
  preparsePolicySet(id: string, policies: object): { readonly type: string }
  statefulIsAuthorized(call: object): { readonly response?: { readonly decision: string } }
}

const cedar = (load: NodeJS.Require): Peer => ({
  name: 'Cedar, `@cedar-policy/cedar-wasm`',
  compile(rules) {
    const library = load('@cedar-policy/cedar-wasm/nodejs') as Cedar
    const text = rules.map(({ effect, tool, from }) => {
      const when = from === undefined ? '' : ` when { context.amount >= ${from} }`
      return `${effect}(principal, action == Action::"tool.call", resource == Tool::"${tool}")${when};`
    })
    const id = `pay ${rules.length}`
    const parsed = library.preparsePolicySet(id, { staticPolicies: text.join('\n') })
    if (parsed.type !== 'success') throw new Error('the policies do not parse')
    return ({ principal, tool, amount }) => {
      const answer = library.statefulIsAuthorized({
        principal: { type: 'Agent', id: principal },
        action: { type: 'Action', id: 'tool.call' },
        resource: { type: 'Tool', id: tool },
        context: { amount },
        preparsedPolicySetId: id,
        entities: [],
      })
      return answer.response?.decision === 'allow'
    }
  },
})

interface Governance {
  readonly ConflictResolutionStrategy: { readonly DenyOverrides: string }
  readonly PolicyEngine: new (
    rules: readonly object[],
    strategy: string,
  ) => {
    loadJson(text: string): unknown
    evaluatePolicy(agent: string, context: object): { readonly allowed: boolean }
  }
}

const governance = (load: NodeJS.Require): Peer => ({
  name: '`@microsoft/agent-governance-sdk`',
  compile(rules) {
    const { PolicyEngine, ConflictResolutionStrategy } = load('@microsoft/agent-governance-sdk') as Governance
    const engine = new PolicyEngine([], ConflictResolutionStrategy.DenyOverrides)
    const own = rules.map(({ effect, tool, from }, index) => {
      const about = `action == 'tool.call' and resource == '${tool}'`
      return {
        name: `r${index}`,
        condition: from === undefined ? about : `${about} and amount >= ${from}`,
        ruleAction: effect === 'permit' ? 'allow' : 'deny',
      }
    })
    engine.loadJson(JSON.stringify({ name: 'pay', default_action: 'deny', rules: own }))
    return ({ principal, tool, amount }) =>
      engine.evaluatePolicy(principal, { action: 'tool.call', resource: tool, amount }).allowed
  },
})

/** @throws where they are not installed, with what installs them */
export function peers(): readonly Peer[] {
  const load = createRequire(new URL('./peers/package.json', import.meta.url))
  const all = [gatehouse, cel(load), cedar(load), governance(load)]
  try {
    for (const { compile } of all) compile(rulesOf(1))
  } catch (error) {
    throw new Error('the engines to compare with are not installed: npm run bench:peers', { cause: error })
  }
  return all
}
