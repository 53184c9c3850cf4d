/** One decision of several: a call of several questions is permitted by the rules that answered each. */
import type { Decision } from '../policy/types.ts'

/** Where one asks, a person answers all. @returns undefined for none */
export function mergeDecisions([first, ...rest]: readonly Decision[]): Decision | undefined {
  if (first === undefined || rest.length === 0) return first
  const all = [first, ...rest]
  const observed = all.find((each) => each.observed !== undefined)?.observed
  const sensitive = [...new Set(all.flatMap((each) => each.sensitive ?? []))]
  const asking = all.filter(({ effect }) => effect === 'ask')
  const deciding = asking.length > 0 ? asking : all
  const rules = deciding.flatMap((each) => each.rules)
  const obligations = all.flatMap((each) => each.obligations ?? [])
  return {
    ...(asking[0] ?? first),
    rules,
    ...(obligations.length > 0 && { obligations }),
    ...(sensitive.length > 0 && { sensitive }),
    ...(observed !== undefined && { observed }),
  }
}
