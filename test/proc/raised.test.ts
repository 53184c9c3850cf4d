/** Signals that the kernel raises by itself do what the policy says: kill, stop or record. */
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { boot, entriesOf, exitValue, main, sleep, until } from '../support/kernel.ts'

/** Permits everything; `more` are further keys of the document. */
const open = (more: object = {}) =>
  ({ version: 1, name: 'open', rules: [{ id: 'all', effect: 'permit', action: '*' }], ...more }) as const

const spins = main('for (;;);')
const raised = (kernel: ReturnType<typeof boot>, signal: string) =>
  entriesOf(kernel, 'signal').filter((entry) => entry.signal === signal)

describe.each(['inline', 'cell'] as const)('SIGBUDGET, %s', (isolation) => {
  test('kills where no policy says otherwise', async () => {
    const kernel = boot({ isolation })
    const { exit } = kernel.spawn({ source: spins }, { budget: { cpu: '200ms' } })
    expect(await exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
    expect(raised(kernel, 'SIGBUDGET')).toHaveLength(1)
  })

  // On V8 14 and later a guest of the application's own process stops at the end of its turn only.
  test.skipIf(isolation === 'inline' && Number(process.versions.v8.split('.')[0]) >= 14)(
    'stops a guest in the middle of its loop, and after SIGCONT it has as much again',
    async () => {
      const kernel = boot({ isolation, policy: open({ signals: { SIGBUDGET: 'stop' } }) })
      const proc = kernel.spawn({ source: spins }, { budget: { cpu: '200ms' } })
      for (let round = 1; round <= 3; round += 1) {
        await until(() => proc.state === 'stopped', `it is stopped for the ${round}th time`)
        expect(raised(kernel, 'SIGBUDGET')).toHaveLength(round)
        await sleep(50)
        proc.signal('CONT')
      }
      proc.signal('KILL')
      expect(await proc.exit).toMatchObject({ status: 'killed', signal: 'SIGKILL' })
    },
  )

  test('only goes on record, once for every time that the budget is used up', async () => {
    const kernel = boot({ isolation, policy: open({ signals: { SIGBUDGET: 'record' } }) })
    const proc = kernel.spawn({ source: spins }, { budget: { cpu: '150ms' } })
    await until(() => raised(kernel, 'SIGBUDGET').length >= 3, 'it is on record three times')
    expect(proc.state).toBe('running')
    proc.signal('KILL')
    await proc.exit
  })

  test('is raised for wall time too', async () => {
    const source = main('await new Promise((resolve) => setTimeout(resolve, 600)); return 1')
    const budget = { wall: '200ms' }
    const strict = boot({ isolation })
    expect(await strict.spawn({ source }, { budget }).exit).toMatchObject({ signal: 'SIGBUDGET' })
    const lenient = boot({ isolation, policy: open({ signals: { SIGBUDGET: 'record' } }) })
    expect(exitValue(await lenient.spawn({ source }, { budget }).exit)).toBe(1)
    expect(raised(lenient, 'SIGBUDGET').length).toBeGreaterThanOrEqual(2)
  })

  test('kills whatever the policy says, for what would flood the kernel', async () => {
    const kernel = boot({ isolation, policy: open({ signals: { SIGBUDGET: 'record' } }) })
    const source = main(`for (;;) await fs.read('/tmp/x').catch(() => {})`)
    const { exit } = kernel.spawn({ source }, { budget: { syscalls: 10 } })
    expect(await exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
  })
})

describe('SIGPOLICY', () => {
  const asks =
    main(`for (let n = 0; n < ${limits.refusalsMax + 10}; n += 1) await fs.read('/etc/' + n).catch(() => {})
    return 'asked'`)
  const rules = [{ id: 'own', effect: 'permit', action: 'fs.*', resource: '/tmp/**' }]

  test('kills a process that goes on asking for what its policy refuses', async () => {
    const kernel = boot({ policy: open({ rules }) as never })
    expect(await kernel.spawn({ source: asks }).exit).toMatchObject({
      status: 'killed',
      signal: 'SIGPOLICY',
      reason: `its policy has refused it ${limits.refusalsMax} calls`,
    })
  })

  test('is only recorded where the policy says so', async () => {
    const kernel = boot({ policy: open({ rules, signals: { SIGPOLICY: 'record' } }) as never })
    expect(exitValue(await kernel.spawn({ source: asks }).exit)).toBe('asked')
    expect(raised(kernel, 'SIGPOLICY')).toHaveLength(1)
  })
})

describe('SIGLOOP', () => {
  const circles = main(`for (let n = 0; n < 40; n += 1) {
      await fs.stat('/tmp'); await fs.list('/tmp'); await new Promise((resolve) => setTimeout(resolve, 1)) }
    return 'done'`)

  test('is recorded for a cycle of calls that follows itself, and kills where the policy says so', async () => {
    const lenient = boot({ policy: open({ loop: { repeats: 20 } }) })
    expect(exitValue(await lenient.spawn({ source: circles }).exit)).toBe('done')
    expect(raised(lenient, 'SIGLOOP')).toHaveLength(2)
    const strict = boot({ policy: open({ loop: { repeats: 20 }, signals: { SIGLOOP: 'kill' } }) })
    expect(await strict.spawn({ source: circles }).exit).toMatchObject({
      status: 'killed',
      signal: 'SIGLOOP',
      reason: 'it has made the same 2 calls 20 times in a row',
    })
  })

  test('is not raised for calls that differ', async () => {
    const kernel = boot({ policy: open({ loop: { repeats: 5 }, signals: { SIGLOOP: 'kill' } }) })
    const source = main(`for (let n = 0; n < 100; n += 1) await fs.write('/tmp/x', 'n' + n); return 1`)
    expect(exitValue(await kernel.spawn({ source }).exit)).toBe(1)
  })
})
