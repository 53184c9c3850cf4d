/** Signals that the kernel raises by itself, and what the policy makes of them. */
import { describe, expect, test } from 'vitest'
import type { KernelSpace, PolicyDocument } from '../../src/index.ts'
import { boot, entriesOf, exitValue, main, policyOf, until } from '../support/kernel.ts'

const own = [{ id: 'own', effect: 'permit', action: 'fs.*', resource: '/mem/**' }] as const
const under = (more: Partial<PolicyDocument>): KernelSpace => boot({ policy: policyOf(own, more) })
const signalsOf = (kernel: KernelSpace) =>
  entriesOf(kernel, 'signal').map(({ signal, by }) => `${signal} ${by}`)

describe('SIGLOOP', () => {
  test.each([
    ['one call that is permitted', ['fs.list("/mem")'], 'the same call 20 times'],
    ['one call that fails', ['fs.read("/mem/nothing")'], 'the same call 20 times'],
    ['one call that is refused', ['fs.read("/tmp/a")'], 'the same call 20 times'],
    [
      'a cycle of three calls',
      ['fs.list("/mem")', 'fs.read("/mem/nothing")', 'fs.read("/tmp/a")'],
      'the same 3 calls 20 times',
    ],
  ])('is raised for %s, and by default only put on record', async (_name, calls, words) => {
    const kernel = under({ loop: { repeats: 20 } })
    const each = calls.map((call) => `await ${call}.catch(() => {})`).join('; ')
    const proc = kernel.spawn({ source: main(`for (let n = 0; n < 20; n += 1) { ${each} } return 1`) })
    expect(exitValue(await proc.exit)).toBe(1)
    expect(signalsOf(kernel)).toEqual([`SIGLOOP by the kernel: it has made ${words} in a row`])
  })

  test.each([
    ['calls that differ in their arguments', 'fs.read("/mem/" + n)'],
    ['calls that are not judged', 'sys("clock.time")'],
    ['one repetition less', 'n > 0 && fs.list("/mem")'],
  ])('is not raised for %s', async (_name, call) => {
    const kernel = under({ loop: { repeats: 20 } })
    const source = main(`for (let n = 0; n < 20; n += 1) try { await (${call}) } catch {} return 1`)
    expect(exitValue(await kernel.spawn({ source }).exit)).toBe(1)
    expect(signalsOf(kernel)).toEqual([])
  })
})

const loops = main('for (let n = 0; n < 100; n += 1) await fs.list("/mem"); return 1')

test('a policy can have a loop end the process', async () => {
  const kernel = under({ loop: { repeats: 20 }, signals: { SIGLOOP: 'kill' } })
  expect(await kernel.spawn({ source: loops }).exit).toMatchObject({ status: 'killed', signal: 'SIGLOOP' })
})

test('a policy can have a loop stop the process, which goes on when somebody has looked', async () => {
  const kernel = under({ loop: { repeats: 60 }, signals: { SIGLOOP: 'stop' } })
  const proc = kernel.spawn({ source: loops })
  await until(() => proc.state === 'stopped', 'it is stopped')
  proc.signal('CONT')
  expect(exitValue(await proc.exit)).toBe(1)
})

test('SIGPOLICY is raised for every thousand calls that the policy refuses, as long as that does not end it', async () => {
  const kernel = under({ signals: { SIGPOLICY: 'record' } })
  const source = main(
    'for (let n = 0; n < 2_100; n += 1) await fs.read("/tmp/" + n).catch(() => {}); return 1',
  )
  expect(exitValue(await kernel.spawn({ source }).exit)).toBe(1)
  expect(signalsOf(kernel)).toEqual([
    'SIGPOLICY by the kernel: its policy has refused it 1000 calls',
    'SIGPOLICY by the kernel: its policy has refused it 2000 calls',
  ])
})

test('CPU time that is used up stops a process where its policy says so, and as much again is allowed', async () => {
  const kernel = under({ budget: { cpu: '100ms' }, signals: { SIGBUDGET: 'stop' } })
  // In a cell: on V8 14 and later a guest of the application's own process stops at the end of its turn only.
  const proc = kernel.spawn({ source: main('for (;;);') }, { isolation: 'cell' })
  for (let round = 0; round < 2; round += 1) {
    await until(() => proc.state === 'stopped', 'it is stopped')
    proc.signal('CONT')
  }
  await until(() => proc.state === 'stopped', 'it is stopped again')
  expect(signalsOf(kernel).filter((text) => text.startsWith('SIGBUDGET')).length).toBeGreaterThanOrEqual(3)
  proc.signal('KILL')
  expect(await proc.exit).toMatchObject({ status: 'killed', signal: 'SIGKILL' })
})

test('a function of the application is shown as stopping, and goes on all the same', async () => {
  const kernel = boot({ policy: 'permissive' })
  let goOn: (value: number) => void = () => {}
  const proc = kernel.spawn(
    () =>
      new Promise<number>((resolve) => {
        goOn = resolve
      }),
    { isolation: 'host' },
  )
  expect(proc.signal('STOP')).toContain('cannot be stopped')
  expect(proc.state).toBe('stopping')
  expect(proc.signal('TERM')).toBe('queued')
  goOn(7)
  expect(exitValue(await proc.exit)).toBe(7)
})
