/** Messages between agents, by name, in order, within bounds, as far as the policy permits. */
import { describe, expect, test } from 'vitest'
import { limits } from '../src/limits.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf, refusalOf, sleep, until } from './support/kernel.ts'

describe('refused', () => {
  test('an agent that nobody knows is ENOENT', async () => {
    const message = await ask(boot(), `return ${refusalOf(`ipc.send('nobody', 1)`)}`)
    expect(message).toBe('ENOENT: ipc.send `nobody`: no agent of that name is registered or lives')
  })

  test('sending and receiving are each judged by the other’s name', async () => {
    const rules = [
      { id: 'to', effect: 'permit', action: 'ipc.send', resource: 'friend' },
      { id: 'from', effect: 'permit', action: 'ipc.receive', resource: 'friend' },
    ] as const
    const kernel = boot({ policy: policyOf(rules) })
    for (const name of ['friend', 'stranger']) kernel.register(() => 1, { name })
    const value = await ask(
      kernel,
      `return [${refusalOf(`ipc.send('friend', 1)`)}, ${refusalOf(`ipc.send('stranger', 1)`)},
        ${refusalOf(`ipc.receive({ from: 'stranger', timeoutMs: 1 })`)}, ${refusalOf('ipc.receive({ timeoutMs: 1 })')},
        ${refusalOf(`ipc.receive({ from: 'friend', timeoutMs: 1 })`)}]`,
    )
    const codes = (value as string[]).map((text) => text.split(':')[0])
    expect(codes).toEqual(['ok', 'EPERM', 'EPERM', 'EPERM', 'ETIMEDOUT'])
  })

  test('a mailbox that is full is EAGAIN', async () => {
    const kernel = boot()
    kernel.register(() => 1, { name: 'sink' })
    const value = await ask(
      kernel,
      `const codes = []
       for (let n = 0; n <= ${limits.messagesPendingMax}; n += 1)
         codes.push(await ipc.send('sink', n).then(() => 'ok', (error) => error.code))
       return codes.indexOf('EAGAIN')`,
    )
    expect(value).toBe(limits.messagesPendingMax)
  })

  test('a message larger than fits is EMSGSIZE', async () => {
    const kernel = boot()
    kernel.register(() => 1, { name: 'sink' })
    expect(
      await ask(kernel, `return ${refusalOf(`ipc.send('sink', 'x'.repeat(${limits.messageBytesMax}))`)}`),
    ).toMatch(/^EMSGSIZE/)
  })
})

test.each(['inline', 'cell'] as const)('two agents in %s talk, each told who it was', async (isolation) => {
  const kernel = boot({ isolation })
  const server = kernel.spawn(
    {
      source: main(`for (;;) {
        const { from, message } = await ipc.receive()
        if (message === 'stop') return 'stopped'
        await ipc.send(from, { answer: message.n * 2 })
      }`),
    },
    { name: 'server' },
  )
  const client = kernel.spawn(
    {
      source: main(`const answers = []
        for (let n = 0; n < 5; n += 1) {
          await ipc.send('server', { n })
          const { from, pid, message } = await ipc.receive({ from: 'server' })
          answers.push([from, pid, message.answer])
        }
        await ipc.send('server', 'stop')
        return answers`),
    },
    { name: 'client' },
  )
  expect(exitValue(await client.exit)).toEqual(
    [0, 2, 4, 6, 8].map((answer) => ['server', server.pid, answer]),
  )
  expect(exitValue(await server.exit)).toBe('stopped')
})

test('messages wait in order for an agent that is registered and not yet running', async () => {
  const kernel = boot()
  const reader = kernel.register(
    {
      source: main(
        'return [await ipc.receive(), await ipc.receive(), await ipc.receive()].map(({ message }) => message)',
      ),
    },
    { name: 'reader' },
  )
  await ask(kernel, `for (const m of ['a', null, { c: [3] }]) await ipc.send('reader', m)`)
  expect(await ask(kernel, `return JSON.parse(await fs.read('/ipc/reader.json')).messages`)).toBe(3)
  expect(await kernel.execute(reader)).toEqual(['a', null, { c: [3] }])
})

test('a receiver takes what it asked for, and leaves the rest in order', async () => {
  const kernel = boot()
  kernel.register(() => 1, { name: 'picker' })
  for (const name of ['x', 'y', 'x']) await ask(kernel, `await ipc.send('picker', '${name}')`, { name })
  const value = await ask(
    kernel,
    `const take = async (options) => (await ipc.receive(options)).message
     return [await take({ from: 'y' }), await take(), await take(), ${refusalOf('ipc.receive({ timeoutMs: 5 })')}]`,
    { name: 'picker' },
  )
  expect(value).toEqual(['y', 'x', 'x', 'ETIMEDOUT: ipc.receive `*`: no message within 5 ms'])
})

test('a message is not lost on a receiver that was killed while it waited', async () => {
  const kernel = boot()
  const first = kernel.spawn({ source: main('return ipc.receive()') }, { name: 'box' })
  await until(() => entriesOf(kernel, 'intent', 'ipc.receive').length === 1, 'it waits')
  first.signal('SIGKILL')
  await first.exit
  const second = kernel.spawn({ source: main('return (await ipc.receive()).message') }, { name: 'box' })
  await ask(kernel, `await ipc.send('box', 'kept')`)
  expect(exitValue(await second.exit)).toBe('kept')
})

test('the time to wait for a message stands still while the process is stopped', async () => {
  const kernel = boot()
  kernel.register({ source: 'export default () => 1' }, { name: 'sender' })
  const proc = kernel.spawn(
    { source: main('return (await ipc.receive({ timeoutMs: 150 })).message') },
    { name: 'waits' },
  )
  await until(() => entriesOf(kernel, 'intent', 'ipc.receive').length === 1, 'it waits')
  proc.signal('SIGSTOP')
  await sleep(300)
  expect(entriesOf(kernel, 'outcome')).toEqual([])
  proc.signal('SIGCONT')
  await ask(kernel, `await ipc.send('waits', 'in time')`)
  expect(exitValue(await proc.exit)).toBe('in time')

  const late = kernel.spawn({ source: main(`return ${refusalOf('ipc.receive({ timeoutMs: 30 })')}`) })
  await until(() => entriesOf(kernel, 'intent', 'ipc.receive').length === 2, 'another waits')
  late.signal('SIGSTOP')
  await sleep(60)
  late.signal('SIGCONT')
  expect(exitValue(await late.exit)).toBe('ETIMEDOUT: ipc.receive `*`: no message within 30 ms')
})
