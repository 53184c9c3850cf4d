import { expect, test } from 'vitest'
import { Lanes } from '../../../src/drivers/vfs/lanes.ts'
import { refused } from '../../contracts/mount.ts'

test('no more tasks run at once than there are lanes, and all run in order', async () => {
  const lanes = new Lanes(3)
  const began: number[] = []
  let running = 0
  let most = 0
  const task = (index: number) => async (): Promise<void> => {
    began.push(index)
    running += 1
    most = Math.max(most, running)
    await new Promise((resolve) => setImmediate(resolve))
    running -= 1
    if (index % 2 === 0) throw new Error('expected')
  }
  const indexes = Array.from({ length: 20 }, (_, index) => index)
  await Promise.allSettled(indexes.map((index) => lanes.run(task(index))))
  expect(most).toBe(3)
  expect(began).toEqual(indexes)
})

test('closing refuses what waits and what comes, and ends after what runs', async () => {
  const lanes = new Lanes(1)
  const gate = Promise.withResolvers<void>()
  let ended = false
  const running = lanes.run(async () => {
    await gate.promise
    ended = true
  })
  const waiting = refused('EIO', () => lanes.run(async () => undefined))
  const closed = lanes.close().then(() => expect(ended).toBe(true))
  gate.resolve()
  await Promise.all([running, waiting, closed, lanes.close()])
  await refused('EIO', () => lanes.run(async () => undefined))
})
