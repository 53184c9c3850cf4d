/** Code of the application that runs as a process can know that it is to end or to stand still. */
import { expect, test } from 'vitest'
import { currentProcess } from '../src/index.ts'
import { boot, kernelErrorOf, sleep, until } from './support/kernel.ts'

test('a host function has an AbortSignal that aborts when its process is killed, through what it awaits', async () => {
  const kernel = boot({ isolation: 'host' })
  let reason = ''
  const call = kernel.govern(async function worker() {
    await sleep(1)
    const here = currentProcess()
    await new Promise<void>((resolve) => here?.signal.addEventListener('abort', () => resolve()))
    reason = `${here?.name} ended`
  })
  const called = kernelErrorOf(() => call())
  await until(() => kernel.ps().length === 1, 'it runs')
  await sleep(20)
  kernel.signals.signal('worker', 'KILL')
  expect(await called).toMatchObject({ code: 'EINTR', signal: 'SIGKILL' })
  await until(() => reason === 'worker ended', 'the function was told')
})

test('it sees that it is stopped, and that it goes on', async () => {
  const kernel = boot({ isolation: 'host' })
  const seen: boolean[] = []
  const call = kernel.govern(async function worker() {
    for (let look = 0; look < 60; look += 1) {
      seen.push(currentProcess()?.isStopped ?? false)
      await sleep(5)
    }
    return 'done'
  })
  const called = call()
  await until(() => seen.length > 2, 'it looks')
  kernel.signals.signal('worker', 'STOP')
  await until(() => seen.at(-1) === true, 'it sees the stop')
  expect(kernel.ps()[0]?.state).toBe('stopping')
  kernel.signals.signal('worker', 'CONT')
  expect(await called).toBe('done')
  expect(seen.at(-1)).toBe(false)
})

test('outside of a process there is none, and two at once are told apart', async () => {
  expect(currentProcess()).toBeUndefined()
  const kernel = boot({ isolation: 'host' })
  const pidOf = kernel.govern(async function pidOf(ms: number) {
    await sleep(ms)
    return currentProcess()?.pid
  })
  const [first, second] = await Promise.all([pidOf(20), pidOf(5)])
  expect(first).not.toBe(second)
  expect(typeof first).toBe('number')
})
