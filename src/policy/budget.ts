/** Budgets: read from their units, and the least of several. */
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Budget, BudgetDocument } from './types.ts'
import { parseDuration, parseMoney, parseSize } from './units.ts'

/** Each key of a document's budget, and what it is in ours. */
const entries = {
  syscalls: { field: 'syscalls', parse: (value: unknown) => parseCount('syscalls', value) },
  wall: { field: 'wallMs', parse: (value: unknown) => moreThanNothing('wall', parseDuration(value)) },
  cpu: { field: 'cpuMs', parse: (value: unknown) => moreThanNothing('cpu', parseDuration(value)) },
  memory: { field: 'memoryBytes', parse: parseMemory },
  tokens: { field: 'tokens', parse: (value: unknown) => parseCount('tokens', value) },
  cost: { field: 'costUsd', parse: parseMoney },
  depth: { field: 'depth', parse: parseDepth },
  bits: { field: 'bits', parse: (value: unknown) => parseCount('bits', value) },
} as const satisfies Readonly<
  Record<keyof BudgetDocument, { field: keyof Budget; parse: (value: unknown) => number }>
>

type Key = keyof typeof entries
const isKey = (key: string): key is Key => Object.hasOwn(entries, key)

/**
 * @param key of a document's budget, such as `wall`
 * @returns the value in the unit of `Budget`
 * @throws KernelError EINVAL with what is wrong and what to write
 */
export function parseBudgetEntry(key: string, value: unknown): number {
  if (!isKey(key)) throw invalid(`unknown budget \`${key}\`; there are ${Object.keys(entries).join(', ')}`)
  return entries[key].parse(value)
}

/**
 * @param document a budget with units
 * @returns the same in milliseconds, bytes, dollars and counts
 * @throws KernelError EINVAL
 */
export function parseBudget(document: BudgetDocument): Budget {
  const budget: { -readonly [field in keyof Budget]: number } = {}
  for (const [key, value] of Object.entries(document)) {
    const amount = parseBudgetEntry(key, value)
    if (isKey(key)) budget[entries[key].field] = amount
  }
  return Object.freeze(budget)
}

/** @returns for each limit the least that any of the budgets sets */
export function leastBudget(budgets: Iterable<Budget>): Budget {
  const least: { -readonly [field in keyof Budget]: number } = {}
  for (const budget of budgets) {
    for (const { field } of Object.values(entries)) {
      const amount = budget[field]
      if (amount !== undefined) least[field] = Math.min(least[field] ?? amount, amount)
    }
  }
  return Object.freeze(least)
}

function parseCount(key: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw invalid(`\`${key}\` has to be a whole number, without a unit`)
  return value
}

function parseDepth(value: unknown): number {
  const depth = parseCount('depth', value)
  if (depth > limits.depthMax)
    throw invalid(`\`depth\` is ${depth}; the kernel itself ends at ${limits.depthMax}`)
  return depth
}

function parseMemory(value: unknown): number {
  const bytes = parseSize(value)
  if (bytes < limits.heapBytesMin)
    throw invalid(
      `\`memory\` is \`${value}\`; a process does not start with less than ${limits.heapBytesMin}B`,
    )
  return bytes
}

function moreThanNothing(key: string, ms: number): number {
  if (ms === 0) throw invalid(`\`${key}\` is no time at all; a process could not begin`)
  return ms
}

const invalid = (why: string): KernelError => new KernelError('EINVAL', why)
