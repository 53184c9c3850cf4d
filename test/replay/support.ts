/** Recorded runs for tests: made by a kernel with its evidence in a folder, and replayed from there. */
import { expect } from 'vitest'
import { type EvidenceFolder, findEvidence } from '../../src/evidence/read.ts'
import type { KernelOptions, KernelSpace, SpawnOptions } from '../../src/index.ts'
import type { UserSpace } from '../../src/isolate/guest.ts'
import { InlineSpace } from '../../src/isolate/inline.ts'
import { readRun } from '../../src/replay/recorded-run.ts'
import { type ReplayedRun, replayRun } from '../../src/replay/replay.ts'
import { boot, tempFolder } from '../support/kernel.ts'

export function evidenceIn(dir: string): EvidenceFolder {
  const found = findEvidence(dir)
  if (found.state !== 'found') throw new Error(found.reason)
  return found.evidence
}

/** The ids of all runs on record, in their order. */
export const runsIn = (evidence: EvidenceFolder): readonly string[] => [
  ...new Set([...evidence.entries()].flatMap(({ run }) => (run === undefined ? [] : [run]))),
]

/** Replays every run that is on record in a folder. */
export async function replayAll(
  dir: string,
  space: UserSpace = new InlineSpace(),
): Promise<readonly ReplayedRun[]> {
  const source = evidenceIn(dir)
  const replayed: ReplayedRun[] = []
  for (const id of runsIn(source)) replayed.push(await replayRun(readRun(source, id), { source, space }))
  await space.close()
  return replayed
}

/**
 * Lets a kernel run something, and replays all of it.
 * @param work with the kernel; it is shut down afterwards
 */
export async function recordAndReplay(
  work: (kernel: KernelSpace) => unknown,
  options: KernelOptions = {},
): Promise<readonly ReplayedRun[]> {
  const dir = tempFolder()
  const kernel = boot({ evidence: { dir }, ...options })
  await work(kernel)
  await kernel.shutdown()
  return replayAll(dir)
}

/** One program, recorded and replayed. */
export async function replayOf(
  source: string,
  options: SpawnOptions = {},
  kernelOptions: KernelOptions = {},
): Promise<ReplayedRun> {
  const [run] = await recordAndReplay((kernel) => kernel.spawn({ source }, options).exit, kernelOptions)
  if (run === undefined) throw new Error('nothing is on record')
  return run
}

/** Holds a replay to be equal. */
export function expectEqual(run: ReplayedRun | undefined): void {
  if (run === undefined) throw new Error('nothing was replayed')
  const wrong = run.processes.filter(({ verdict }) => verdict !== 'equal')
  expect(wrong, 'what did not replay').toEqual([])
  expect(run.verdict).toBe('equal')
}
