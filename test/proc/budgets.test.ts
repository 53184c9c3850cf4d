/** Wall time, CPU and memory: the strictest of kernel, policy, agent and call counts, and ends what goes beyond. */
import { describe, expect, test } from 'vitest'
import { boot, main, policyOf, until } from '../support/kernel.ts'

const asleep = main('await new Promise((resolve) => setTimeout(resolve, 60_000))')
const all = [{ id: 'all', effect: 'permit', action: '*' }] as const
const policy = (budget: object, name = 'ceiling') => policyOf(all, { budget, name })

describe.each([
  ['wall', '60ms', asleep, { status: 'killed', signal: 'SIGBUDGET' }],
  ['cpu', '60ms', 'for (;;);', { status: 'killed', signal: 'SIGBUDGET' }],
  [
    'memory',
    '12MiB',
    'const a = []; for (;;) a.push({ n: a.length })',
    { status: 'failed', error: { code: 'ENOMEM' } },
  ],
] as const)('%s', (key, tight, source, expected) => {
  const loose = { wall: '20s', cpu: '20s', memory: '256MiB' }[key]
  const places = {
    'the kernel’s limits': () =>
      boot({ limits: { [key]: tight } }).spawn({ source }, { budget: { [key]: loose } }),
    'the policy': () =>
      boot({ policy: policy({ [key]: tight }), limits: { [key]: loose } }).spawn({ source }),
    'a policy of its own': () =>
      boot({ policy: policy({ [key]: loose }) }).spawn(
        { source },
        { policy: policy({ [key]: tight }, 'own') },
      ),
    'its own budget': () =>
      boot({ policy: policy({ [key]: loose }) }).spawn({ source }, { budget: { [key]: tight } }),
    'a registered agent’s': () => {
      const kernel = boot()
      const agent = kernel.register({ source }, { name: 'a', budget: { [key]: tight } })
      return kernel.spawn(agent, { budget: { [key]: loose } })
    },
    'its parent’s': () =>
      boot().spawn(
        {
          source:
            main(`const { pid } = await proc.spawn(${JSON.stringify(source)}, { budget: { ${key}: '${loose}' } })
            const { status, error } = await proc.wait(pid); if (error) throw Object.assign(new Error(), error); return status`),
        },
        { budget: { [key]: tight } },
      ),
  }

  test.each(Object.entries(places))('%s ends what goes beyond', async (name, spawn) => {
    const exit = await spawn().exit
    if (name === 'its parent’s' && exit.status === 'exited') expect(exit.value).toBe(expected.status)
    else expect(exit).toMatchObject(expected)
  })
})

test('CPU is used by turns alone: a process that sleeps uses none', async () => {
  const source = main('await new Promise((resolve) => setTimeout(resolve, 150)); return 1')
  const exit = await boot().spawn({ source }, { budget: { cpu: '100ms' } }).exit
  expect(exit).toMatchObject({ status: 'exited', value: 1 })
})

test('CPU of many short turns adds up', async () => {
  const source = main('for (;;) { for (let n = 0; n < 1e6; n += 1); await proc.self() }')
  const exit = await boot().spawn({ source }, { budget: { cpu: '80ms' } }).exit
  expect(exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
  expect(exit.usage.cpuMs).toBeGreaterThan(79)
})

test('a process that fills its share of the evidence ends, and the others go on', async () => {
  const kernel = boot()
  const fill = main("const text = 'x'.repeat(2e6); for (;;) await fs.write('/tmp/a', text)")
  const quiet = main('await new Promise((resolve) => setTimeout(resolve, 100)); return fs.list("/tmp")')
  const filler = kernel.spawn({ source: fill }, { name: 'filler' })
  expect(await filler.exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
  expect((await filler.exit).reason).toContain('evidence')
  expect(await kernel.spawn({ source: quiet }, { name: 'quiet' }).exit).toMatchObject({ value: [] })
})

test('a turn is charged no more CPU time than was used: on a busy machine it takes longer', async () => {
  const kernel = boot()
  const before = process.cpuUsage()
  const busy = main(
    'for (let n = 0; n < 3e8; n += 1); await new Promise((resolve) => setTimeout(resolve, 60_000))',
  )
  const { pid } = kernel.spawn({ source: busy })
  const row = () => kernel.ps().find((process) => process.pid === pid)
  await until(() => row()?.state === 'waiting', 'its turn is over')
  const { user, system } = process.cpuUsage(before)
  expect(row()?.cpuMs).toBeGreaterThan(0)
  expect(row()?.cpuMs).toBeLessThanOrEqual((user + system) / 1_000)
})
