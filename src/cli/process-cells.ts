/** One process as cells of a table, for `ps` and `top`. */
import type { ProcessRow } from '../proc/rows.ts'

export const processHead: readonly string[] = [
  ...['PID', 'PPID', 'NAME', 'STATE', 'ISOLATION', 'POLICY', 'CPU', 'HEAP', 'TIME', 'CALLS', 'OPEN'],
  ...['LEFT', 'LABELS'],
]

/** @returns what stands below `processHead`; not yet fit for a terminal */
export const processCells = (row: ProcessRow): readonly string[] => [
  String(row.pid),
  String(row.ppid),
  row.name,
  row.asking === undefined ? row.state : `${row.state}, ${row.asking} to approve`,
  row.isolation,
  row.policy,
  seconds(row.cpuMs),
  row.heapBytes === 0 ? '-' : bytes(row.heapBytes),
  seconds(row.wallMs),
  String(row.syscalls),
  String(row.inFlight),
  leftOf(row.budgetLeft),
  row.labels.join(','),
]

/** @returns such as `0.31s`, `12.0s`, `3m20s`, `2h05m` */
export function seconds(ms: number): string {
  const whole = Math.floor(ms / 1_000)
  if (whole < 10) return `${(ms / 1_000).toFixed(2)}s`
  if (whole < 60) return `${(ms / 1_000).toFixed(1)}s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes}m${two(whole % 60)}s`
  return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`
}

/** @returns such as `0`, `812K`, `3.2M` */
export function bytes(count: number): string {
  const kibi = count / 1024
  if (kibi < 1) return String(count)
  return kibi < 1_000 ? `${Math.round(kibi)}K` : `${(kibi / 1024).toFixed(1)}M`
}

const two = (number: number): string => String(number).padStart(2, '0')

/** @returns such as `44 calls, 2.10s cpu`; `-` where no budget names anything */
export function leftOf({ syscalls, cpuMs, tokens, costUsd }: ProcessRow['budgetLeft']): string {
  const parts = [
    syscalls === undefined ? [] : [`${syscalls} calls`],
    cpuMs === undefined ? [] : [`${seconds(cpuMs)} cpu`],
    tokens === undefined ? [] : [`${tokens} tokens`],
    costUsd === undefined ? [] : [`${costUsd.toFixed(2)} USD`],
  ].flat()
  return parts.length === 0 ? '-' : parts.join(', ')
}
