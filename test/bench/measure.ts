/** How a benchmark is measured: in batches, alternating between what is compared, so that noise hits all alike. */
import { performance } from 'node:perf_hooks'

export interface Contender {
  readonly name: string
  /** Prepares whatever is not measured. */
  open(): Promise<Round>
}

export interface Round {
  /** Does the work once and gives how long one unit of it took, in µs. */
  run(): Promise<number>
  close(): Promise<void>
}

export interface Figures {
  readonly name: string
  readonly p50: number
  readonly p90: number
  readonly p99: number
  /** p50 over the p50 of the first contender. */
  readonly ratio: number
}

/**
 * @param rounds how many times each contender runs, after a fifth as many to warm up
 * @returns percentiles over rounds, in µs, and the ratio to the first contender
 */
export async function compare(contenders: readonly Contender[], rounds: number): Promise<readonly Figures[]> {
  const open = await Promise.all(
    contenders.map(async (contender) => ({ contender, round: await contender.open() })),
  )
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]))
  const warmUp = Math.ceil(rounds / 5)
  for (let index = -warmUp; index < rounds; index += 1) {
    for (const { contender, round } of open) {
      const micros = await round.run()
      if (index >= 0) samples.get(contender.name)?.push(micros)
    }
  }
  for (const { round } of open) await round.close()
  const base = percentile(samples.get(contenders[0]?.name ?? '') ?? [], 0.5)
  return contenders.map(({ name }) => {
    const own = samples.get(name) ?? []
    const p50 = percentile(own, 0.5)
    return { name, p50, p90: percentile(own, 0.9), p99: percentile(own, 0.99), ratio: p50 / base }
  })
}

/** @returns the value that `share` of the samples do not reach; 0 where there are none */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** @returns how long `work` took, in µs */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) * 1_000
}
