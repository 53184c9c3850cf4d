/** What came of a model's stream, and what it cost: on record when it is over, which is after the call that opened it. */
import type { ChargeBody } from '../evidence/entry.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import type { Decision } from '../policy/types.ts'
import type { Process } from '../proc/process.ts'
import type { StreamEnd } from '../syscalls/row.ts'
import type { Admitted } from './admission.ts'
import { isKept, keep, tryRecord } from './record.ts'

/** @param opened the call, with the `seq` of its intent */
export function recordCharge(
  log: EvidenceLog,
  {
    process,
    admitted,
    intent,
  }: { readonly process: Process; readonly admitted: Admitted; readonly intent: number },
  { status, error, reply, cost }: StreamEnd,
): void {
  // Where the log has failed every process is ending for that reason.
  if (log.failed !== undefined) return
  const demands = demandsOf(admitted)
  tryRecord(log, process, () =>
    log.append({
      kind: 'charge',
      run: process.identity.run,
      pid: process.pid,
      ...{ intent, status, cost },
      ...(error !== undefined && { code: error.code, ...(isKept(demands) && { reason: error.message }) }),
      result: keep(log, JSON.stringify(reply), demands),
    } satisfies ChargeBody),
  )
}

/** What permits it, or what permitted the stream that it is about: that says what is kept of it. */
export const demandsOf = ({ decision, under }: Admitted): Decision | undefined => decision ?? under
