/** Whatever a guest writes as arguments, each call has one answer and one outcome, and what is refused touches nothing. */
import { expect, test } from 'vitest'
import { Random } from '../support/random.ts'
import { ArgumentFuzz } from './arguments.ts'
import { rowNames, someArguments } from './values.ts'

test.each([1, 2, 3, 4, 5, 6])('ten kernels, seed %i', async (seed) => {
  for (let kernel = 0; kernel < 10; kernel += 1) {
    const fuzz = new ArgumentFuzz(new Random(`calls ${seed} ${kernel}`))
    for (let count = 0; count < 50; count += 1) await fuzz.call()
    await fuzz.close()
    expect(fuzz.answers.get('ok')).toBeGreaterThan(0)
  }
})

test('every row of the table comes up, and is at times sound', () => {
  const random = new Random('rows')
  const names = new Set(Array.from({ length: 2_000 }, () => someArguments(random).name))
  expect(rowNames.filter((name) => !names.has(name))).toEqual([])
})
