/** How a process takes a signal: by default, not at all, or by a handler with a deadline. */
import { describe, expect, test } from 'vitest'
import type { KernelSpace } from '../../src/index.ts'
import { limits } from '../../src/limits.ts'
import { boot, entriesOf, exitValue, main, until } from '../support/kernel.ts'

/** Starts a program and waits until it has said that it is ready. */
async function started(kernel: KernelSpace, body: string) {
  const ready = new Promise<void>((resolve) => {
    kernel.on('output', ({ text }) => text === 'ready\n' && resolve())
  })
  const proc = kernel.spawn({ source: main(body) })
  await ready
  return proc
}

const forever = 'await new Promise((resolve) => setTimeout(resolve, 60_000))'

describe('refused', () => {
  test.each(['SIGKILL', 'SIGSTOP', 'SIGCONT'])('%s cannot be handled, ignored or masked', async (signal) => {
    const exit = await boot().spawn({
      source: main(`const codes = []
        for (const how of [() => {}, 'ignore', 'default'])
          codes.push(await proc.on('${signal}', how).then(() => 'ok', (error) => error.message))
        codes.push(await proc.sigmask(['SIGTERM', '${signal}']).then(() => 'ok', (error) => error.message))
        return codes`),
    }).exit
    const messages = exitValue(exit) as string[]
    expect(messages).toHaveLength(4)
    for (const message of messages) expect(message).toContain(`\`${signal}\` cannot be caught`)
  })

  test.each(['SIGPOLICY', 'SIGBUDGET', 'SIGTRUST', 'TERM', 7])(
    '%s is no signal that an agent may handle',
    async (signal) => {
      const exit = await boot().spawn({
        source: main(
          `return proc.on(${JSON.stringify(signal)}, () => {}).then(() => 'ok', (error) => error.code)`,
        ),
      }).exit
      expect(exitValue(exit)).toBe('EINVAL')
    },
  )
})

test.each(['SIGTERM', 'SIGINT', 'SIGUSR1', 'SIGUSR2'])('%s by default ends the process', async (signal) => {
  const proc = await started(boot(), `console.log('ready'); ${forever}`)
  expect(proc.signal(signal)).toBe('ended the process')
  expect(await proc.exit).toMatchObject({ status: 'killed', signal })
})

test.each(['SIGTERM', 'SIGINT', 'SIGUSR1'])(
  '%s ignored does nothing, and by default again it ends',
  async (signal) => {
    const proc = await started(
      boot(),
      `await proc.on('${signal}', 'ignore')
     await proc.on('SIGUSR2', () => proc.on('${signal}', 'default').then(() => console.log('default')))
     console.log('ready'); ${forever}`,
    )
    expect(proc.signal(signal)).toBe('ignored')
    expect(proc.state).not.toBe('killed')
    proc.signal('SIGUSR2')
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(proc.signal(signal)).toBe('ended the process')
    expect((await proc.exit).signal).toBe(signal)
  },
)

test('SIGTERM with a handler lets it clean up, and then ends the process', async () => {
  const kernel = boot()
  const proc = await started(
    kernel,
    `await proc.on('SIGTERM', async (signal) => {
       await new Promise((resolve) => setTimeout(resolve, 10))
       await fs.write('/mem/working/cleaned', signal)
     })
     console.log('ready'); ${forever}`,
  )
  expect(proc.signal('SIGTERM')).toContain(`SIGKILL in ${limits.handlerMs} ms`)
  expect(await proc.exit).toMatchObject({ status: 'killed', signal: 'SIGTERM' })
  expect(await kernel.vfs('program').read('/mem/working/cleaned')).toBe('SIGTERM')
})

test('a handler may end the process itself, with a value', async () => {
  const proc = await started(
    boot(),
    `await proc.on('SIGINT', () => proc.exit({ saved: true })); console.log('ready'); ${forever}`,
  )
  proc.signal('SIGINT')
  expect(exitValue(await proc.exit)).toEqual({ saved: true })
})

test.each([
  ['never returns', '() => new Promise((resolve) => setTimeout(resolve, 60_000))'],
  ['spins', '() => { for (;;); }'],
  [
    'calls for its own mask and return',
    '() => { proc.sigmask([]); return new Promise(() => setTimeout(() => {}, 60_000)) }',
  ],
])('a handler that %s is ended by SIGKILL at its deadline', async (_name, handler) => {
  const proc = await started(boot(), `await proc.on('SIGTERM', ${handler}); console.log('ready'); ${forever}`)
  const at = performance.now()
  proc.signal('SIGTERM')
  const exit = await proc.exit
  expect(exit).toMatchObject({ status: 'killed', signal: 'SIGKILL' })
  expect(exit.reason).toContain('handler of SIGTERM')
  expect(performance.now() - at).toBeGreaterThanOrEqual(limits.handlerMs - 50)
})

test('a second SIGTERM gives a handler no new deadline', async () => {
  const proc = await started(
    boot(),
    `await proc.on('SIGTERM', () => new Promise((resolve) => setTimeout(resolve, 60_000))); console.log('ready'); ${forever}`,
  )
  const at = performance.now()
  proc.signal('SIGTERM')
  const again = setInterval(() => proc.state === 'killed' || proc.signal('SIGTERM'), 400)
  const exit = await proc.exit
  clearInterval(again)
  expect(exit.signal).toBe('SIGKILL')
  expect(performance.now() - at).toBeLessThan(limits.handlerMs * 1.9)
})

test('SIGUSR1 and SIGUSR2 reach their own handlers, as often as they are sent, and end nothing', async () => {
  const kernel = boot()
  const proc = await started(
    kernel,
    `const got = []
     await proc.on('SIGUSR1', (signal) => { got.push(signal) })
     await proc.on('SIGUSR2', (signal) => { got.push(signal); if (got.length === 5) proc.exit(got) })
     console.log('ready'); ${forever}`,
  )
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGUSR1', 'SIGUSR1', 'SIGUSR2']) {
    expect(proc.signal(signal)).toBe('handler called')
  }
  expect(exitValue(await proc.exit)).toEqual(['SIGUSR1', 'SIGUSR2', 'SIGUSR1', 'SIGUSR1', 'SIGUSR2'])
  expect(entriesOf(kernel, 'signal')).toHaveLength(5)
})

test('a handler that throws ends the process with its error', async () => {
  const proc = await started(
    boot(),
    `await proc.on('SIGUSR1', () => { throw new Error('in the handler') }); console.log('ready'); ${forever}`,
  )
  proc.signal('SIGUSR1')
  expect(await proc.exit).toMatchObject({ status: 'failed', error: { message: 'Error: in the handler' } })
})

test('a process that only waits for a signal it handles is no deadlock', async () => {
  const proc = await started(
    boot(),
    `console.log('ready')
     return new Promise((resolve) => proc.on('SIGUSR1', () => resolve('woken')))`,
  )
  await until(() => proc.state === 'waiting', 'it waits')
  await new Promise((resolve) => setTimeout(resolve, 20))
  proc.signal('SIGUSR1')
  expect(exitValue(await proc.exit)).toBe('woken')
})
