/** How a process ended, as it goes on record. */
import { exitToJson } from './drivers/proc.ts'
import type { EvidenceLog } from './evidence/log.ts'
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
