import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { readPlainly } from '../src/flaws.ts'

const schema = z.strictObject({
  name: z.string().min(1).max(3).optional(),
  count: z.int().positive().max(5).optional(),
  effect: z.enum(['permit', 'ask', 'forbid']).optional(),
  list: z.array(z.string()).min(1).max(1).optional(),
  either: z.union([z.string(), z.array(z.string())]).optional(),
  form: z
    .union([z.strictObject({ env: z.string() }), z.strictObject({ file: z.string(), deep: z.string() })])
    .optional(),
  keys: z.record(z.string().max(1), z.number()).optional(),
  own: z.string().regex(/^a/, 'begins with an a').optional(),
  must: z.boolean(),
})
const flaws = (given: unknown): readonly string[] => {
  const read = readPlainly(schema, given)
  return 'flaws' in read ? read.flaws.map(({ path, message }) => `${path.join('.')}: ${message}`) : []
}
const of = (parts: object): readonly string[] => flaws({ must: true, ...parts })

describe('what does not fit is said with what was found and what belongs there', () => {
  test.each<readonly [parts: object, flaw: string]>([
    [{ must: undefined }, 'must: is missing; it is true or false'],
    [{ must: 'yes' }, 'must: a text where true or false belongs'],
    [{ name: 7 }, 'name: `7` where a text belongs'],
    [{ name: null }, 'name: nothing (null) where a text belongs'],
    [{ name: '' }, 'name: it is empty'],
    [{ name: 'abcd' }, 'name: it has 4 characters; at most 3 fit'],
    [{ count: 0 }, 'count: `0` where more than 0 belongs'],
    [{ count: 9 }, 'count: `9` where at most 5 belongs'],
    [{ count: 1.5 }, 'count: `1.5` where a whole number belongs'],
    [{ effect: 'allow' }, 'effect: `allow` is not permit, ask or forbid'],
    [{ effect: 'permitt' }, 'effect: `permitt` is not permit, ask or forbid; did you mean `permit`?'],
    [{ effect: ['permit'] }, 'effect: a list is not permit, ask or forbid'],
    [{ list: [] }, 'list: it is empty'],
    [{ list: ['a', 'b'] }, 'list: it has 2 items; at most 1 fit'],
    [{ either: 3 }, 'either: `3` where a text or a list belongs'],
    [{ either: ['a', 3] }, 'either.1: `3` where a text belongs'],
    [{ form: { env: 3 } }, 'form.env: `3` where a text belongs'],
    [{ form: { evn: 'x' } }, 'form.env: is missing; it is a text'],
    [{ keys: { long: 1 } }, 'keys.long: a key is not sound: it has 4 characters; at most 1 fit'],
    [{ own: 'b' }, 'own: begins with an a'],
    [{ efect: 1 }, ': unknown key `efect`; did you mean `effect`?'],
    [{ zzz: 1 }, expect.stringContaining(': unknown key `zzz`; there are name, count, ')],
  ])('%j', (parts, flaw) => {
    expect(of(parts)).toEqual([flaw])
  })

  test('a whole number that a number does not hold', () => {
    expect(of({ count: 2 ** 60 })[0]).toBe(
      'count: `1152921504606847000` is beyond what a number holds exactly',
    )
  })

  test('all of it at once, and what is no object at all', () => {
    expect(of({ name: 7, count: 'x' })).toHaveLength(2)
    expect(flaws('text')).toEqual([': a text where an object belongs'])
    expect(flaws(undefined)).toEqual([': is missing; it is an object'])
    expect(of({})).toEqual([])
  })

  test('what is shown of it is bounded', () => {
    expect(of({ effect: 'x'.repeat(100_000) })[0]?.length).toBeLessThan(150)
    expect(of({ ['y'.repeat(100_000)]: 1 })[0]?.length).toBeLessThan(200)
  })
})
