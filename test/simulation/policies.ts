/** Policies of a simulated application, and what each could ever permit. */
import { loadPolicy, type PolicyRef } from '../../src/config/policy.ts'
import type { PolicyDocument } from '../../src/policy/types.ts'

const rulesOf = (forbidden: readonly string[], asked: readonly string[]): PolicyDocument['rules'] => [
  { id: 'all', effect: 'permit', action: '*' },
  { id: 'secret', effect: 'forbid', action: 'fs.*', resource: '/mem/secret/**' },
  { id: 'tools', effect: 'forbid', action: 'tool.call', resource: [...forbidden] },
  { id: 'person', effect: 'ask', action: 'tool.call', resource: [...asked] },
]

const named = (name: string, more: Partial<PolicyDocument>): PolicyDocument => ({
  version: 1,
  name,
  rules: rulesOf(['forbidden'], ['asked']),
  ...more,
})

interface Known {
  readonly ref: PolicyRef
  /** Tools that it permits to nobody, with or without a person; undefined where it permits none. */
  readonly never: readonly string[] | undefined
}

const known: readonly Known[] = [
  { ref: named('wide', {}), never: ['forbidden'] },
  { ref: named('short', { budget: { syscalls: 40, wall: '5s', cpu: '2s' } }), never: ['forbidden'] },
  {
    ref: named('careful', { rules: rulesOf(['forbidden', 'slow', 'odd'], ['asked']) }),
    never: ['forbidden', 'slow', 'odd'],
  },
  {
    ref: [named('one', {}), named('two', { rules: rulesOf(['hang'], ['late']) })],
    never: ['forbidden', 'hang'],
  },
  { ref: 'strict', never: undefined },
  { ref: named('watching', { mode: 'observe' }), never: [] },
]

export const policies: readonly PolicyRef[] = known.map(({ ref }) => ref)
export const unsoundPolicies: readonly unknown[] = [
  'none',
  [],
  { version: 2 },
  { version: 1, name: 'x', rules: [{}] },
]

const byHash = new Map(known.map(({ ref, never }) => [loadPolicy(ref).hash, never]))

/** Whether a policy of ours, by its hash, could permit a tool. */
export const permits = (hash: string, tool: string): boolean =>
  byHash.has(hash) && byHash.get(hash)?.includes(tool) === false
