import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { Obligation } from '../../src/policy/types.ts'
import { Tallies } from '../../src/proc/tallies.ts'
import { ask, boot, entriesOf, policyOf, refusalOf } from '../support/kernel.ts'

const rule = { policy: 'desk', id: 'r', line: 3 }
const rate = (calls: number, perMs: number): Obligation => ({ rule, rateLimit: { calls, perMs } })

const passes = (tallies: Tallies, obligation: Obligation, now: number): boolean => {
  try {
    tallies.assertFree([obligation], now)
  } catch {
    return false
  }
  tallies.count([obligation], now)
  return true
}

test('no window of any run holds more calls than its limit, and none is refused that would fit', () => {
  const times = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 })
  fc.assert(
    fc.property(
      times,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 50 }),
      (gaps, calls, perMs) => {
        const tallies = new Tallies()
        const done: number[] = []
        let now = 0
        for (const gap of gaps) {
          now += gap
          const fits = done.filter((at) => at > now - perMs).length < calls
          expect(passes(tallies, rate(calls, perMs), now)).toBe(fits)
          if (fits) done.push(now)
        }
      },
    ),
  )
})

test('a refusal says which rule, how many and how long to wait, and counts nothing', () => {
  const tallies = new Tallies()
  tallies.count([rate(2, 1_000)], 0)
  tallies.count([rate(2, 1_000)], 400)
  for (let again = 0; again < 3; again += 1)
    expect(() => tallies.assertFree([rate(2, 1_000)], 900)).toThrow(
      expect.objectContaining({
        code: 'EAGAIN',
        message: 'rule `r` (desk:3) permits 2 calls in 1000 ms; try again in 100 ms',
      }),
    )
  expect(passes(tallies, rate(2, 1_000), 1_000)).toBe(true)
})

test('a run that uses more rules with limits than are counted is permitted no more of them', () => {
  const tallies = new Tallies()
  const numbered = (id: number): Obligation => ({ rule: { ...rule, id: `r${id}` }, once: true })
  for (let id = 0; id < limits.talliesMax; id += 1) expect(passes(tallies, numbered(id), 0)).toBe(true)
  expect(passes(tallies, numbered(limits.talliesMax), 0)).toBe(false)
})

describe('in a kernel', () => {
  const limited = (demand: object, more: object = {}) =>
    policyOf([
      { id: 'all', effect: 'permit', action: ['proc.*', 'fs.list', 'fs.stat', 'fs.mkdir'] },
      { id: 'limited', effect: 'permit', action: ['fs.write', 'fs.remove', 'fs.read'], ...demand, ...more },
    ])
  const write = refusalOf('fs.write("/tmp/a", "x")')
  const usedUp =
    /^EPERM: fs\.write `\/tmp\/a`: rule `limited` \(test:\d+\) permits it once in a run, and it has been done$/

  test('`once` is once in a run, and another run has its own', async () => {
    const kernel = boot({ policy: limited({ once: true }) })
    const body = `return [${write}, ${write}]`
    expect(await ask(kernel, body)).toEqual(['ok', expect.stringMatching(usedUp)])
    expect(await ask(kernel, body)).toEqual(['ok', expect.stringMatching(usedUp)])
    expect(entriesOf(kernel, 'refusal', 'fs.write')).toMatchObject([{ code: 'EPERM' }, { code: 'EPERM' }])
  })

  test('a child does not start afresh, nor does its parent after it, nor a reload of the same policy', async () => {
    const kernel = boot({ policy: limited({ once: true }) })
    const child = JSON.stringify(`export default async () => ${write}`)
    const body = `
      const spawned = async () => (await proc.wait((await proc.spawn(${child})).pid)).value
      return [await spawned(), await spawned(), ${write}]`
    expect(await ask(kernel, body)).toEqual([
      'ok',
      expect.stringMatching(usedUp),
      expect.stringMatching(usedUp),
    ])
    const held = kernel.spawn({
      source: `export default async () => { const first = ${write}; await new Promise((go) => proc.on('SIGUSR1', go)); return [first, ${write}] }`,
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    await kernel.reload(limited({ once: true }))
    held.signal('SIGUSR1' as never)
    expect((await held.exit).value).toEqual(['ok', expect.stringMatching(usedUp)])
  })

  test('`rateLimit` refuses what comes too fast, and lets it pass when it is time', async () => {
    const kernel = boot({ policy: limited({ rateLimit: { calls: 2, per: '150ms' } }) })
    const body = `
      const first = [${write}, ${write}, ${write}]
      await new Promise((resolve) => setTimeout(resolve, 200))
      return [...first, ${write}]`
    expect(await ask(kernel, body)).toEqual([
      'ok',
      'ok',
      expect.stringMatching(/^EAGAIN: .* permits 2 calls in 150 ms; try again in \d+ ms$/),
      'ok',
    ])
  })

  test('one call that is judged as several uses a rule once', async () => {
    const kernel = boot({ policy: [limited({ rateLimit: { calls: 2, per: '1h' } }), 'permissive'] })
    const move = refusalOf('fs.move("/tmp/a", "/tmp/b")')
    expect(await ask(kernel, `return [${write}, ${move}, ${move}]`)).toEqual([
      'ok',
      'ok',
      expect.stringMatching(/^EAGAIN/),
    ])
  })

  test('what is refused otherwise uses up nothing', async () => {
    const kernel = boot({ policy: limited({ once: true }) })
    const body = `return [${refusalOf('sys("fs.write", { path: 7 })')}, ${write}]`
    expect(await ask(kernel, body)).toEqual([expect.stringMatching(/^EINVAL/), 'ok'])
    const poor = boot({ policy: limited({ once: true }) })
    expect(await ask(poor, `return ${write}`, { budget: { syscalls: 0 } })).toMatch(/^EDQUOT/)
  })

  test('a rule that permits without a limit does not lift the limit of another', async () => {
    const open = policyOf([
      { id: 'all', effect: 'permit', action: '*' },
      { id: 'limited', effect: 'permit', action: 'fs.write', once: true },
    ])
    expect(await ask(boot({ policy: open }), `return [${write}, ${write}]`)).toEqual([
      'ok',
      expect.stringMatching(usedUp),
    ])
  })

  test('where only observed, a limit refuses nothing', async () => {
    const watch = policyOf([{ id: 'limited', effect: 'permit', action: '*', once: true }], {
      name: 'watch',
      mode: 'observe',
    })
    expect(await ask(boot({ policy: ['permissive', watch] }), `return [${write}, ${write}]`)).toEqual([
      'ok',
      'ok',
    ])
  })

  test('a folder is not taken whole by what permits once', async () => {
    const kernel = boot({ policy: limited({ once: true }, { action: 'fs.*' }) })
    const body = `await fs.mkdir("/tmp/d"); return ${refusalOf('fs.remove("/tmp/d", { recursive: true })')}`
    expect(await ask(kernel, body)).toMatch(/^EPERM: fs\.remove: a rule about what lies below/)
  })
})
