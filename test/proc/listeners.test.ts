/** Listeners that act on the kernel in the middle of what they are told of: the last act counts, and none is undone. */
import { expect, test } from 'vitest'
import { boot, main } from '../support/kernel.ts'

const waits = main('await sys("clock.sleep", { ms: 20 }); return "done"')

test('a process that a listener kills when it is told of a SIGSTOP stays killed', async () => {
  const kernel = boot()
  const process = kernel.spawn({ source: waits })
  const states: string[] = []
  kernel.on('state', ({ to }) => states.push(to))
  kernel.on('signal', ({ signal }) => {
    if (signal === 'SIGSTOP') process.signal('SIGKILL')
  })
  expect(() => process.signal('SIGSTOP')).toThrow('has ended')
  expect((await process.exit).status).toBe('killed')
  expect(process.state).toBe('killed')
  expect(states.slice(states.indexOf('killed'))).toEqual(['killed'])
})

test('a listener that asks for the shutdown while the kernel shuts down waits for the same one', async () => {
  const kernel = boot()
  kernel.spawn({ source: waits })
  const again: Promise<void>[] = []
  kernel.on('state', ({ to }) => {
    if (to === 'killed') again.push(kernel.shutdown())
  })
  await kernel.shutdown()
  await Promise.all(again)
  expect(again).toHaveLength(1)
  expect(kernel.evidence.verify().ok).toBe(true)
})
