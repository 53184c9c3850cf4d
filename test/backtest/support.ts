/** Records to try policies on: kernels whose evidence lies in a folder, ended before it is read. */
import { type BacktestOptions, backtest } from '../../src/backtest/backtest.ts'
import type { Evidence } from '../../src/backtest/collect.ts'
import type { Backtest } from '../../src/backtest/result.ts'
import { loadPolicy, type PolicyRef } from '../../src/config/policy.ts'
import { findEvidence } from '../../src/evidence/read.ts'
import type { KernelOptions, KernelSpace } from '../../src/index.ts'
import { boot, tempFolder } from '../support/kernel.ts'

/** @returns what a kernel has put on record by the end of some work */
export async function recordOf(
  options: KernelOptions,
  work: (kernel: KernelSpace) => Promise<unknown>,
): Promise<Evidence & { readonly dir: string }> {
  const dir = tempFolder()
  const kernel = boot({ ...options, evidence: { dir }, control: false })
  await work(kernel)
  await kernel.shutdown()
  return { dir, ...evidenceIn(dir) }
}

export function evidenceIn(dir: string): Evidence {
  const found = findEvidence(dir)
  if (found.state !== 'found') throw new Error(found.reason)
  const { evidence } = found
  return { lines: () => evidence.lines(), payloads: (hashes) => evidence.payloads(hashes) }
}

/** The same record with every payload deleted. */
export const withoutPayloads = ({ lines }: Evidence): Evidence => ({ lines, payloads: () => new Map() })

export const tried = (
  evidence: Evidence,
  policy: PolicyRef,
  more: Omit<BacktestOptions, 'policy'> = {},
): Backtest => backtest(evidence, { policy: loadPolicy(policy), ...more })

/** What changes, as `before → now by the first rule: how often, of those after a change`. */
export const rowsOf = ({ rows }: Backtest): readonly string[] =>
  rows.map(
    ({ before, now, rules, calls, after }) =>
      `${before} → ${now} by ${rules[0]?.id ?? 'no rule'}: ${calls}, ${after}`,
  )
