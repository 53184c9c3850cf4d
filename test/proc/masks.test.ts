/** Masked signals wait in a queue, first come first served, with a bound. */
import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { boot, exitValue, main } from '../support/kernel.ts'

/** Masks two signals, prints `ready`, and unmasks them when SIGINT's handler runs. */
const masking = main(`const got = []
  await proc.on('SIGUSR1', () => { got.push(1) })
  await proc.on('SIGUSR2', () => { got.push(2) })
  await proc.sigmask(['SIGUSR1', 'SIGUSR2'])
  console.log('ready')
  await ipc.receive()
  const before = [...got]
  await proc.sigmask([])
  await new Promise((resolve) => setTimeout(resolve, 10))
  return [before, got]`)

async function masked() {
  const kernel = boot()
  const ready = new Promise<void>((resolve) => void kernel.on('output', () => resolve()))
  const proc = kernel.spawn({ source: masking }, { name: 'masker' })
  await ready
  const unmask = () => kernel.execute({ source: main(`await ipc.send('masker', 'now')`) })
  return { proc, unmask }
}

test('past the bound a signal is lost, and its sender is told', async () => {
  const { proc, unmask } = await masked()
  const effects = Array.from({ length: limits.signalsPendingMax + 2 }, () => proc.signal('SIGUSR1'))
  expect(effects.slice(0, -2).every((effect) => effect === 'queued')).toBe(true)
  expect(effects.slice(-2)).toEqual(['lost: too many signals wait', 'lost: too many signals wait'])
  await unmask()
  const [before, after] = exitValue(await proc.exit) as number[][]
  expect([before, after?.length]).toEqual([[], limits.signalsPendingMax])
})

test('masked signals wait, and are taken in the order in which they came', async () => {
  const { proc, unmask } = await masked()
  for (const signal of ['SIGUSR2', 'SIGUSR1', 'SIGUSR2']) expect(proc.signal(signal)).toBe('queued')
  await unmask()
  expect(exitValue(await proc.exit)).toEqual([[], [2, 1, 2]])
})

test('a mask holds back what is not handled too: it ends the process when the mask goes', async () => {
  const kernel = boot()
  const proc = kernel.spawn({
    source: main(`await proc.sigmask(['SIGTERM'])
      await proc.signal((await proc.self()).pid, 'SIGTERM')
      await fs.write('/mem/working/survived', 'yes')
      await proc.sigmask([])
      await new Promise((resolve) => setTimeout(resolve, 60_000))`),
  })
  expect(await proc.exit).toMatchObject({ status: 'killed', signal: 'SIGTERM' })
  expect(await kernel.vfs('program').read('/mem/working/survived')).toBe('yes')
})

test('SIGKILL passes every mask', async () => {
  const { proc } = await masked()
  proc.signal('SIGKILL')
  expect((await proc.exit).signal).toBe('SIGKILL')
})
