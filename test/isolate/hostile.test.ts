/** What breaks a cell ends those who live in it, each for its own reason. The attacks themselves are in test/hostile. */
import { expect, test } from 'vitest'
import { ask, boot, entriesOf, main, until } from '../support/kernel.ts'

test('who lived beside a process whose cell had to be killed goes on, and is charged no time of the other', async () => {
  const kernel = boot({ isolation: 'cell' })
  const options = { name: 'twins', budget: { cpu: '200ms' } }
  const beside = kernel.spawn(
    {
      source: main('await fs.write("/mem/working/up", "1"); await ipc.receive(); return 1'),
    },
    options,
  )
  await until(() => beside.state === 'waiting', 'the one beside waits')
  const guilty = kernel.spawn({ source: main('let n = 3n; for (;;) n *= n') }, options)
  expect(await guilty.exit).toMatchObject({ status: 'killed', signal: 'SIGBUDGET' })
  await until(() => entriesOf(kernel, 'rebuild').length > 0, 'it is made again')
  await ask(kernel, 'await ipc.send("twins", 1)')
  const exit = await beside.exit
  expect(exit).toMatchObject({ status: 'exited', value: 1 })
  expect(entriesOf(kernel, 'rebuild')).toMatchObject([
    { pid: beside.pid, cause: 'cell', reason: expect.stringContaining('beside it') },
  ])
  expect(exit.usage.cpuMs).toBeLessThan(200)
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
})
