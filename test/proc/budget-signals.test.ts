/** SIGBUDGET kills, stops or is only recorded, as the policy says; after a stop or a record there is as much again. */
import { describe, expect, test } from 'vitest'
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
