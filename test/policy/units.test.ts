import { describe, expect, test } from 'vitest'
import { KernelError } from '../../src/errors.ts'
import { parseDuration, parseMoney, parseSize } from '../../src/policy/units.ts'

const refusal = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof KernelError) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

describe('a duration', () => {
  test.each([
    [30, '`30` has no unit; write a duration as 30ms, 30s, 30m, 30h'],
    ['30', '`30` has no unit; write a duration as 30ms, 30s, 30m, 30h'],
    ['3d', 'unknown unit `d` in `3d`; units are ms, s, m, h'],
    ['3S', 'unknown unit `S` in `3S`; units are ms, s, m, h'],
    ['3 s', '`3 s` is not a duration; write a number and a unit, as in 3ms, 3s, 3m, 3h'],
    ['-3s', '`-3s` is not a duration; write a number and a unit, as in 3ms, 3s, 3m, 3h'],
    ['1e3s', '`1e3s` is not a duration; write a number and a unit, as in 3ms, 3s, 3m, 3h'],
    ['0.5ms', '`0.5ms` is not a whole number of ms'],
    ['600h', '`600h` is longer than a timer can wait, at most 2147483647ms'],
    ['3constructor', 'unknown unit `constructor` in `3constructor`; units are ms, s, m, h'],
    [null, 'nothing is not a duration; write a number and a unit, as in 3ms, 3s, 3m, 3h'],
    [['3s'], 'a list is not a duration; write a number and a unit, as in 3ms, 3s, 3m, 3h'],
  ])('%j is refused', (value, message) => {
    expect(refusal(() => parseDuration(value))).toBe(message)
  })

  test.each([
    ['0s', 0],
    ['250ms', 250],
    ['3s', 3_000],
    ['1.5h', 5_400_000],
    ['30m', 1_800_000],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms))
})

describe('a size', () => {
  test.each([
    [64, '`64` has no unit; write a size as 64B, 64KiB, 64MiB, 64GiB'],
    ['64MB', 'unknown unit `MB` in `64MB`; units are B, KiB, MiB, GiB'],
    ['0.5B', '`0.5B` is not a whole number of B'],
    ['99999999999GiB', '`99999999999GiB` is not a whole number of B'],
  ])('%j is refused', (value, message) => {
    expect(refusal(() => parseSize(value))).toBe(message)
  })

  test.each([
    ['512B', 512],
    ['1KiB', 1024],
    ['64MiB', 67_108_864],
    ['1.5GiB', 1_610_612_736],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes))
})

describe('money', () => {
  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '$2', '2.', '2,00', '1e3', '', true, null, 1e300])(
    '%j is refused',
    (value) => {
      expect(refusal(() => parseMoney(value))).toMatch(/US dollars|too many/)
    },
  )

  test.each([
    [2, 2],
    ['2.00', 2],
    [0.25, 0.25],
    ['0', 0],
  ])('%j is %d dollars', (value, dollars) => expect(parseMoney(value)).toBe(dollars))
})
