/** A ledger never lets more be used than the least budget on the way up leaves. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Ledger } from '../../src/proc/ledger.ts'
import { ask, boot, entriesOf, main } from '../support/kernel.ts'

describe('refused', () => {
  test('a charge that does not fit is EDQUOT, names the budget that binds, and charges nothing', () => {
    const parent = new Ledger({ syscalls: 3 })
    const child = new Ledger({ syscalls: 100 }, parent)
    expect(() => child.charge('syscalls', 4)).toThrow('the budget of 3 syscalls is used up')
    expect([parent.used.syscalls, child.used.syscalls]).toEqual([0, 0])
  })

  test('calls that cost nothing cannot be made without end by what has no budget left', async () => {
    const kernel = boot()
    const source = main(`for (;;) await sys('proc.sigreturn', { signal: 10 }).catch(() => {})`)
    const exit = await kernel.spawn({ source }, { budget: { syscalls: 20, wall: '1s' } }).exit
    expect(exit.reason).toContain('syscalls')
    expect(entriesOf(kernel, 'intent').length).toBeLessThan(200)
  })
})

test('whatever is charged where, every ledger has used what it and all below it used', () => {
  const charge = fc.record({ who: fc.nat({ max: 3 }), amount: fc.nat({ max: 30 }) })
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.nat({ max: 200 })), { minLength: 4, maxLength: 4 }),
      fc.array(charge),
      (budgets, charges) => {
        const ledgers: Ledger[] = []
        for (const syscalls of budgets)
          ledgers.push(new Ledger(syscalls === null ? {} : { syscalls }, ledgers.at(-1)))
        const own = [0, 0, 0, 0]
        for (const { who, amount } of charges) {
          const ledger = ledgers[who]
          const fits = ledger !== undefined && ledger.left('syscalls') >= amount
          try {
            ledger?.charge('syscalls', amount)
            expect(fits).toBe(true)
            own[who] = (own[who] ?? 0) + amount
          } catch (error) {
            expect([fits, Reflect.get(error as object, 'code')]).toEqual([false, 'EDQUOT'])
          }
        }
        ledgers.forEach((ledger, index) => {
          expect(ledger.used.syscalls).toBe(own.slice(index).reduce((a, b) => a + b, 0))
          expect(ledger.used.syscalls).toBeLessThanOrEqual(budgets[index] ?? Number.POSITIVE_INFINITY)
        })
      },
    ),
  )
})

test('what children use is charged to their parent, and uses up its budget', async () => {
  const child = JSON.stringify(main('for (let n = 0; n < 10; n += 1) await proc.self()'))
  const value = await ask(
    boot(),
    `await proc.wait((await proc.spawn(${child})).pid)
     return [(await proc.self()).budget.syscalls, await proc.spawn(${child}).then(({ pid }) => proc.wait(pid))]`,
    { budget: { syscalls: 20 } },
  )
  expect(value).toEqual([
    7,
    expect.objectContaining({ status: 'failed', error: expect.objectContaining({ code: 'EDQUOT' }) }),
  ])
})

test('the usage of an exit counts what the process and its children did', async () => {
  const exit = await boot().spawn({
    source: main(`await proc.wait((await proc.spawn('for (let n = 0; n < 3; n += 1) await proc.self()')).pid)
      for (let n = 0; n < 5e6; n += 1); await proc.self()`),
  }).exit
  expect(exit.usage.syscalls).toBe(6)
  expect(exit.usage.cpuMs).toBeGreaterThan(0)
  expect(exit.usage.wallMs).toBeGreaterThanOrEqual(0)
  expect(exit.usage.heapBytes).toBeGreaterThan(0)
})
