/** Durations, sizes and money have one form in policies, options and the command: a number with its unit. */
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'

/** In milliseconds. */
const durations: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
/** In bytes. */
const sizes: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

/** The same forms for the published schema, which an editor checks. */
export const durationPattern = '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$'
export const sizePattern = '^[0-9]+(\\.[0-9]+)?(B|KiB|MiB|GiB)$'
export const moneyPattern = '^[0-9]+(\\.[0-9]{1,6})?$'

/**
 * @param value such as `250ms`, `3s`, `1.5h`
 * @returns whole milliseconds, at most `limits.sleepMsMax`
 * @throws KernelError EINVAL that names the units there are
 */
export function parseDuration(value: unknown): number {
  const ms = parseQuantity(value, 'a duration', durations)
  if (ms > limits.sleepMsMax)
    throw invalid(`\`${shown(value)}\` is longer than a timer can wait, at most ${limits.sleepMsMax}ms`)
  return ms
}

/**
 * How long something is kept: a duration that may be in days too, and longer than a timer waits.
 * @param value such as `30d`, `12h`
 * @returns whole milliseconds
 * @throws KernelError EINVAL that names the units there are
 */
export const parseAge = (value: unknown): number =>
  parseQuantity(value, 'an age', { ...durations, d: 24 * (durations.h ?? 0) })

/**
 * @param value such as `512B`, `64MiB`, `1.5GiB`
 * @returns whole bytes
 * @throws KernelError EINVAL that names the units there are
 */
export const parseSize = (value: unknown): number => parseQuantity(value, 'a size', sizes)

/**
 * @param value US dollars, as a number or a text such as `2.00`; at most six decimals, no currency sign
 * @returns dollars
 * @throws KernelError EINVAL
 */
export function parseMoney(value: unknown): number {
  const text = typeof value === 'number' ? plain(value) : value
  if (typeof text !== 'string' || !new RegExp(moneyPattern).test(text))
    throw invalid(`${found(value)} is not an amount in US dollars; write a number such as 2.00`)
  const dollars = Number(text)
  if (dollars > Number.MAX_SAFE_INTEGER) throw invalid(`\`${shown(value)}\` dollars are too many to count`)
  return dollars
}

function parseQuantity(value: unknown, what: string, units: Readonly<Record<string, number>>): number {
  const names = Object.keys(units)
  if (typeof value === 'number')
    throw invalid(`\`${value}\` has no unit; write ${what} as ${example(value, names)}`)
  const [, count, unit = ''] = (typeof value === 'string' && /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(value)) || []
  if (count === undefined)
    throw invalid(`${found(value)} is not ${what}; write a number and a unit, as in ${example(3, names)}`)
  if (unit === '') throw invalid(`\`${count}\` has no unit; write ${what} as ${example(count, names)}`)
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined
  if (factor === undefined)
    throw invalid(`unknown unit \`${unit}\` in \`${shown(value)}\`; units are ${names.join(', ')}`)
  const total = Number(count) * factor
  if (!Number.isSafeInteger(total)) throw invalid(`\`${shown(value)}\` is not a whole number of ${names[0]}`)
  return total
}

const example = (count: number | string, names: readonly string[]): string =>
  names.map((name) => `${count}${name}`).join(', ')

/** A number without an exponent, which the pattern knows. */
const plain = (value: number): string =>
  Number.isFinite(value) && Number.isInteger(value) ? value.toFixed(0) : String(value)

const shown = (value: unknown): string => String(value).slice(0, 40).toWellFormed()

const found = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number'
    ? `\`${shown(value)}\``
    : value === null || value === undefined
      ? 'nothing'
      : `a ${Array.isArray(value) ? 'list' : typeof value}`

const invalid = (why: string): KernelError => new KernelError('EINVAL', why)
