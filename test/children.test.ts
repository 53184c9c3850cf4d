/** The names of children: kept while their run lives, and no longer. */
import { expect, test } from 'vitest'
import { makeAgent } from '../src/agents.ts'
import { System } from '../src/system.ts'
import { main } from './support/kernel.ts'

test('the names that agents gave to their children are dropped with their run', async () => {
  const system = new System({ policy: 'permissive', isolation: 'inline' }, () => false)
  const source = main(`const { pid } = await proc.spawn('export default () => 1', { name: 'clerk' })
    await proc.wait(pid)
    await proc.spawn('export default () => 1', { name: 'clerk' })
    const taken = await proc.spawn('await new Promise((wake) => setTimeout(wake, 6e4))', { name: 'night clerk' })
    await ipc.receive()`)
  const spawn = (name: string) => system.spawner.spawn(makeAgent({ source }, { name }, 'inline'), [])
  const [first, second] = [spawn('first'), spawn('second')]
  await expect.poll(() => first.state === 'waiting' || first.over).toBe(true)
  await expect.poll(() => system.children.named).toBe(2)
  first.kill('SIGKILL', 'the test')
  second.kill('SIGKILL', 'the test')
  await Promise.all([first.exit, second.exit])
  expect(system.children.named).toBe(0)
  await system.shutdown()
})
