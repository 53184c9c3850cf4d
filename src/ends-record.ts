/** How a kernel begins and how a process ended, as it goes on record. */
import { versionsHere } from './config/package-version.ts'
import { exitToJson } from './drivers/proc.ts'
import type { OpenBody } from './evidence/beginnings.ts'
import type { EvidenceLog } from './evidence/log.ts'
import type { Jail } from './isolate/jail.ts'
import { protectionsOf } from './isolate/launch.ts'
import type { PolicySet } from './policy/types.ts'
import type { Exit } from './proc/exit.ts'

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
 * @param kept the canonical text of all policies of the kernel, and its tools, where it has any
 * @param jail around its cells; undefined where it has none
 * @param from where it goes on from, where it does
 */
export function openBody(
  { hash: policy, name: policies }: PolicySet,
  kept: Pick<OpenBody, 'documents' | 'tools'>,
  isolation: string,
  jail: Jail | undefined,
  from: OpenBody['from'],
): OpenBody {
  return {
    ...{ kind: 'open', policy, policies, ...kept, isolation, versions: versionsHere() },
    ...(jail !== undefined && { protections: { ...protectionsOf(jail) } }),
    ...(from !== undefined && { from }),
  }
}
