/** Replays a recorded run: each of its processes again, by itself, with nothing of the world in reach. */
import type { UserSpace } from '../isolate/guest.ts'
import type { Divergence, Place } from './divergence.ts'
import { placeOf } from './place.ts'
import type { Gap, RecordedProcess } from './recorded-process.ts'
import type { RecordedRun } from './recorded-run.ts'
import { type Progress, repeat } from './repetition.ts'
import type { RunSource } from './source.ts'

/**
 * - `equal`: every call on record was made again, byte for byte, and the end was the same
 * - `diverged`: one was not
 * - `incomplete`: the record does not suffice to say so of all of it
 */
export type ReplayVerdict = 'equal' | 'diverged' | 'incomplete'

export interface ReplayedProcess extends Progress {
  readonly pid: number
  readonly agent: string
  /** Where it ran; it is repeated wherever the replay wants. */
  readonly isolation: string
  readonly verdict: ReplayVerdict
  /** How it ended on record, or that it had not. */
  readonly ended: string
  readonly divergence?: Divergence & { readonly place?: Place }
  /** The entry past which nothing could be repeated. */
  readonly gap?: Gap
}

export interface ReplayedRun {
  readonly run: string
  readonly verdict: ReplayVerdict
  readonly processes: readonly ReplayedProcess[]
}

export interface ReplayOptions {
  readonly source: RunSource
  /** Where guests run: nothing but what they ask for comes out of it, and nobody does that. */
  readonly space: UserSpace
  /** Only this process. */
  readonly pid?: number
  /** Is told of each process when it is done. */
  readonly done?: (process: ReplayedProcess) => void
}

/**
 * @returns what became of each process; one that ended before its program was there is left out, it did nothing
 * @throws EvidenceError where the record cannot be read; SyscallError EAGAIN where no guest can be started
 */
export async function replayRun(run: RecordedRun, options: ReplayOptions): Promise<ReplayedRun> {
  const { pid, done } = options
  const processes: ReplayedProcess[] = []
  for (const process of run.processes) {
    if (pid !== undefined && process.pid !== pid) continue
    if (process.spawn === undefined && process.gap === undefined) continue
    const replayed = await replayProcess(process, options)
    processes.push(replayed)
    done?.(replayed)
  }
  return { run: run.id, verdict: worst(processes), processes }
}

async function replayProcess(
  process: RecordedProcess,
  { source, space }: ReplayOptions,
): Promise<ReplayedProcess> {
  const repeated = await repeat({ source, process, space })
  const { turns, calls, unproven } = repeated
  const about = {
    pid: process.pid,
    agent: process.spawn?.agent ?? '',
    isolation: process.spawn?.isolation ?? '',
    ...{ ended: endOf(process), turns, calls, unproven },
  }
  if (repeated.how === 'gap') return { ...about, verdict: 'incomplete', gap: repeated.gap }
  if (repeated.how === 'equal') return { ...about, verdict: unproven > 0 ? 'incomplete' : 'equal' }
  const place = await placeOf(repeated, { source, process, space })
  const divergence = { ...repeated.divergence, ...(place !== undefined && { place }) }
  return { ...about, verdict: 'diverged', divergence }
}

/** A run of which nothing could be repeated is not equal. */
function worst(processes: readonly ReplayedProcess[]): ReplayVerdict {
  if (processes.some(({ verdict }) => verdict === 'diverged')) return 'diverged'
  return processes.length > 0 && processes.every(({ verdict }) => verdict === 'equal')
    ? 'equal'
    : 'incomplete'
}

function endOf({ exit }: RecordedProcess): string {
  if (exit === undefined) return 'its end is not on record'
  const { status, signal, reason } = exit
  return [status, signal, reason].filter((part) => part !== undefined).join(': ')
}
