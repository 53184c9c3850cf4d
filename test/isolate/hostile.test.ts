/** What breaks a cell ends those who live in it, each for its own reason. The attacks themselves are in test/hostile. */
import { expect, test } from 'vitest'
import { boot, main, until } from '../support/kernel.ts'

test('who lived beside a process whose cell had to be killed ends for that, not for its own time', async () => {
  const kernel = boot({ isolation: 'cell' })
  const options = { name: 'twins', budget: { cpu: '200ms' } }
  const beside = kernel.spawn(
    {
      source: main(
        'await fs.write("/mem/working/up", "1"); await new Promise((resolve) => setTimeout(resolve, 60_000))',
      ),
    },
    options,
  )
  await until(() => beside.state === 'waiting', 'the one beside waits')
  const guilty = kernel.spawn({ source: main('let n = 3n; for (;;) n *= n') }, options)
  expect(await guilty.exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
  const exit = await beside.exit
  expect(exit).toMatchObject({ status: 'failed', error: { code: 'EIO' } })
  expect(exit.reason).toContain('beside it')
  expect(exit.usage.cpuMs).toBeLessThan(200)
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
})
