/** How a kernel begins and how a process ended, as it goes on record. */
import type { KernelOptions } from './config/options.ts'
import { versionsHere } from './config/package-version.ts'
import { documentsText } from './config/policy.ts'
import { exitToJson } from './drivers/proc.ts'
import type { OpenBody } from './evidence/beginnings.ts'
import type { EvidenceLog } from './evidence/log.ts'
import type { SharedPayloads } from './evidence/shared-payloads.ts'
import type { Runs } from './gate/runs.ts'
import type { CellPool } from './isolate/cell-pool.ts'
import { protectionsOf } from './isolate/launch.ts'
import type { Isolation, PolicySet } from './policy/types.ts'
import type { Exit } from './proc/exit.ts'
import type { Drivers } from './syscalls/row.ts'
import { toolsOnRecord } from './tool-record.ts'

/** @returns what the entry says; a value is kept beside the log, where that can be written still */
export function exitBody(log: EvidenceLog, exit: Exit): { readonly kind: 'exit' } {
  const { cpuMs, syscalls, tokens, costUsd } = exit.usage
  const { value, ...rest } = exitToJson(exit) as { readonly [key: string]: never }
  const isKept = value !== undefined && log.failed === undefined
  return {
    ...{ kind: 'exit', ...rest },
    ...(isKept && { value: log.payload(JSON.stringify(value)) }),
    ...{ usage: { cpuMs: Math.round(cpuMs * 1_000) / 1_000, syscalls, tokens, costUsd } },
  }
}

/** How it ends whose end is not on record: what it gave counts for nothing. */
export function unrecorded({ labels, usage }: Exit, error: unknown): Exit {
  const message = error instanceof Error ? error.message : 'evidence could not be written'
  return { status: 'failed', reason: message, error: { code: 'EIO', message }, labels, usage }
}

/**
 * A kernel begins, on record.
 * @param cells the option; `own` are its cells, undefined where it has none
 * @param from where it goes on from, where it does
 * @returns `seq` of its first entry
 */
export function recordOpening(
  kernel: {
    readonly log: EvidenceLog
    readonly runs: Runs
    readonly drivers: Pick<Drivers, 'tool'>
    readonly ceiling: PolicySet
  },
  shared: SharedPayloads,
  {
    isolation,
    cells,
    own,
  }: {
    readonly isolation: Isolation
    readonly cells: KernelOptions['cells']
    readonly own: CellPool | undefined
  },
  from: OpenBody['from'],
): number {
  const { log, runs, drivers, ceiling } = kernel
  const documents = shared.of(documentsText(ceiling.policies))
  runs.prepare(ceiling.needs)
  const { seq } = log.append({
    ...{ kind: 'open', policy: ceiling.hash, policies: ceiling.name, documents },
    ...toolsOnRecord(log, drivers.tool),
    ...{ isolation, versions: versionsHere() },
    ...(own !== undefined && { protections: { ...protectionsOf(cells?.jail ?? 'none') } }),
    ...(from !== undefined && { from }),
  } satisfies OpenBody)
  own?.warm()
  return seq
}
