/** Pipes between agents: values in order, within bounds, with the labels of whoever wrote them, as far as the policy permits. */
import { describe, expect, test } from 'vitest'
import { limits } from '../src/limits.ts'
import { expectEqual, replayAll } from './replay/support.ts'
import {
  ask,
  boot,
  entriesOf,
  exitValue,
  main,
  policyOf,
  refusalOf,
  tempFolder,
  until,
} from './support/kernel.ts'

const reads = main(`const pipe = await ipc.pipe(args[0])
  const values = []
  for await (const value of pipe) values.push(value)
  return { from: pipe.from, pid: pipe.pid, schema: pipe.schema ?? null, values }`)

describe('two agents', () => {
  test.each(['inline', 'cell'] as const)(
    'in %s: what one writes the other reads, in order, to the end',
    async (isolation) => {
      const kernel = boot({ isolation })
      const reader = kernel.spawn({ source: reads }, { name: 'reader', args: [{ from: 'writer' }] })
      const writer = kernel.spawn(
        {
          source: main(`const pipe = await ipc.pipe({ to: 'reader' })
          for (const value of [1, 'two', null, { three: [3] }]) await pipe.write(value)
          await pipe.close()
          return pipe.to`),
        },
        { name: 'writer' },
      )
      expect(exitValue(await writer.exit)).toBe('reader')
      expect(exitValue(await reader.exit)).toEqual({
        ...{ from: 'writer', pid: writer.pid, schema: null },
        values: [1, 'two', null, { three: [3] }],
      })
    },
  )

  test('a parent and its children, each with its own pipe', async () => {
    const child = `export default async () => {
      const pipe = await ipc.pipe({ to: 'boss' })
      pipe.write((await proc.self()).name)
      await pipe.close()
    }`
    const value = await ask(
      boot(),
      `for (const name of ['a', 'b']) await proc.spawn(${JSON.stringify(child)}, { name })
       const heard = []
       for (let n = 0; n < 2; n += 1) for await (const value of await ipc.pipe()) heard.push(value)
       return heard.sort()`,
      { name: 'boss' },
    )
    expect(value).toEqual(['a', 'b'])
  })

  test('a pipe waits, with what was written, until the other one takes it', async () => {
    const kernel = boot()
    const reader = kernel.register({ source: reads }, { name: 'reader' })
    await ask(
      kernel,
      `const pipe = await ipc.pipe({ to: 'reader' }); await pipe.write(1); await pipe.close()`,
      {
        name: 'early',
      },
    )
    expect(await kernel.execute(reader, {})).toMatchObject({ from: 'early', values: [1] })
  })
})

describe('refused', () => {
  test('opening and taking are each judged by the other’s name, and writing again with what is written', async () => {
    const rules = [
      { id: 'friends', effect: 'permit', action: 'ipc.pipe', resource: 'friend' },
      { id: 'small', effect: 'forbid', action: 'ipc.pipe', when: 'args.mode == "write" && args.bytes > 10' },
      { id: 'no-cards', effect: 'forbid', action: 'ipc.pipe', contains: ['card'] },
    ] as const
    const kernel = boot({ policy: policyOf(rules) })
    for (const name of ['friend', 'stranger']) kernel.register(() => 1, { name })
    const value = await ask(
      kernel,
      `const code = (work) => work.then(() => 'ok', (error) => error.message.replace(/ \`.*/, ''))
       const small = await ipc.pipe({ to: 'friend' })
       return [await code(small.write(1)), await code(small.write('a long text')), await code(small.write(2)),
         await code(ipc.pipe({ to: 'stranger' })), await code(ipc.pipe({ from: 'stranger', timeoutMs: 1 })),
         await code(ipc.pipe({ timeoutMs: 1 })), await code(ipc.pipe({ from: 'friend', timeoutMs: 1 })),
         await code(ipc.pipe({ to: 'nobody' }))]`,
    )
    expect(value).toEqual([
      ...['ok', 'EPERM: stream.write', 'ok'],
      ...['EPERM: ipc.pipe', 'EPERM: ipc.pipe', 'EPERM: ipc.pipe', 'ETIMEDOUT: ipc.pipe', 'EPERM: ipc.pipe'],
    ])
    const kept = kernel.evidence
      .entries()
      .find(({ kind, syscall }) => kind === 'refusal' && syscall === 'stream.write')
    expect(kernel.evidence.verify()).toMatchObject({ ok: true })
    expect(kept).toMatchObject({ code: 'EPERM', resource: 'friend', decision: { rules: [{ id: 'small' }] } })
  })

  test('what the schema of a typed pipe does not take', async () => {
    const kernel = boot()
    const reader = kernel.spawn({ source: reads }, { name: 'reader', args: [{}] })
    const schema = {
      type: 'object',
      required: ['city'],
      properties: {
        city: { type: 'string', maxLength: 20 },
        degrees: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
      },
      additionalProperties: false,
    }
    const value = await ask(
      kernel,
      `const pipe = await ipc.pipe({ to: 'reader', schema: ${JSON.stringify(schema)} })
       const said = []
       for (const value of [{ city: 'Bern', degrees: 3 }, { degrees: 3 }, { city: 'Bern', degrees: 0.5 }, { city: 1 }, { city: 'Bern', wind: 1 }, 'Bern'])
         said.push(await pipe.write(value).then(() => 'ok', (error) => error.message))
       await pipe.close()
       return said`,
    )
    expect(value).toEqual([
      'ok',
      'EINVAL: stream.write: `value.city` is missing',
      'EINVAL: stream.write: `value.degrees` fits none of the forms',
      'EINVAL: stream.write: `value.city` is no string',
      'EINVAL: stream.write: `value.wind` is not known',
      'EINVAL: stream.write: `value` is no object',
    ])
    expect(exitValue(await reader.exit)).toMatchObject({ schema, values: [{ city: 'Bern', degrees: 3 }] })
  })

  test('a schema whose checks could cost anything', async () => {
    const kernel = boot()
    kernel.register(() => 1, { name: 'sink' })
    for (const schema of [{ pattern: '(a+)+$' }, { $ref: '#' }, { type: 'text' }, { uniqueItems: true }])
      expect(
        await ask(
          kernel,
          `return ${refusalOf(`ipc.pipe({ to: 'sink', schema: ${JSON.stringify(schema)} })`)}`,
        ),
      ).toMatch(/^EINVAL: ipc\.pipe `sink`: `schema/)
    const large = { enum: ['x'.repeat(limits.pipeSchemaMax)] }
    expect(
      await ask(kernel, `return ${refusalOf(`ipc.pipe({ to: 'sink', schema: ${JSON.stringify(large)} })`)}`),
    ).toMatch(/^E2BIG/)
  })
})

const errorOf = (work: string): string => `await (${work}).then(() => 'ok', (error) => error.code)`

describe('how it ends', () => {
  test('a reader that closes breaks it, and so does one that is killed: the writer is told by EPIPE', async () => {
    const kernel = boot()
    const writes = main(`const pipe = await ipc.pipe({ to: args[0] })
      for (;;) {
        const code = ${errorOf(`pipe.write('x'.repeat(100000))`)}
        if (code !== 'ok') return [code, ${errorOf('pipe.write(1)')}]
      }`)
    const closes = kernel.spawn(
      {
        source: main(
          `const pipe = await ipc.pipe(); const { value } = await pipe.next(); await pipe.close(); return value.length`,
        ),
      },
      { name: 'closes' },
    )
    const one = kernel.spawn({ source: writes }, { args: ['closes'] })
    expect(exitValue(await closes.exit)).toBe(100_000)
    expect(exitValue(await one.exit)).toEqual(['EPIPE', 'EBADF'])
    const hangs = kernel.spawn({ source: main('await ipc.pipe(); await ipc.receive()') }, { name: 'hangs' })
    const two = kernel.spawn({ source: writes }, { args: ['hangs'] })
    await until(() => entriesOf(kernel, 'intent', 'ipc.receive').length === 1, 'it has the pipe')
    hangs.signal('SIGKILL')
    expect(exitValue(await two.exit)).toEqual(['EPIPE', 'EBADF'])
  })

  test('a writer that ends in order ends it; one that is killed before it closed it does not', async () => {
    const kernel = boot()
    const read = main(`const pipe = await ipc.pipe()
      const values = []
      try { for await (const value of pipe) values.push(value) } catch (error) { return [...values, error.code] }
      return [...values, 'end']`)
    const first = kernel.spawn({ source: read }, { name: 'first' })
    await ask(kernel, `const pipe = await ipc.pipe({ to: 'first' }); await pipe.write(1)`)
    expect(exitValue(await first.exit)).toEqual([1, 'end'])
    const second = kernel.spawn({ source: read }, { name: 'second' })
    const writer = kernel.spawn({
      source: main(`const pipe = await ipc.pipe({ to: 'second' }); await pipe.write(1); await ipc.receive()`),
    })
    await until(() => entriesOf(kernel, 'intent', 'ipc.receive').length === 1, 'it has written')
    writer.signal('SIGKILL')
    expect(exitValue(await second.exit)).toEqual([1, 'EPIPE'])
  })

  test('one that nobody has taken goes with its writer, when that is killed', async () => {
    const kernel = boot()
    kernel.register(() => 1, { name: 'later' })
    const writer = kernel.spawn({
      source: main(`const pipe = await ipc.pipe({ to: 'later' }); await pipe.write(1); await ipc.receive()`),
    })
    await until(() => entriesOf(kernel, 'intent', 'ipc.receive').length === 1, 'it has written')
    writer.signal('SIGKILL')
    await writer.exit
    expect(await ask(kernel, `return ${errorOf('ipc.pipe({ timeoutMs: 5 })')}`, { name: 'later' })).toBe(
      'ETIMEDOUT',
    )
  })
})

describe('within bounds', () => {
  test('a writer waits while nobody reads, also while the reader is stopped', async () => {
    const kernel = boot()
    const size = 200_000
    const written = Math.ceil(limits.streamQueueMax / size)
    const reader = kernel.spawn(
      {
        source: main(`const pipe = await ipc.pipe()
          await ipc.receive()
          let count = 0
          for await (const value of pipe) count += 1
          return count`),
      },
      { name: 'reader' },
    )
    const writer = kernel.spawn({
      source: main(`const pipe = await ipc.pipe({ to: 'reader' })
        for (let n = 0; n < 20; n += 1) await pipe.write('x'.repeat(${size}))`),
    })
    const writes = () => entriesOf(kernel, 'intent', 'stream.write').length
    await until(() => writes() >= written, 'the pipe is full')
    reader.signal('SIGSTOP')
    await ask(kernel, `await ipc.send('reader', 'go on')`)
    expect(writes()).toBeLessThanOrEqual(written + 1)
    expect(writer.state).toBe('waiting')
    reader.signal('SIGCONT')
    expect(exitValue(await reader.exit)).toBe(20)
    expect(await writer.exit).toMatchObject({ status: 'exited' })
  })

  test('pipes that nobody takes are refused past a number, and so are streams of one process', async () => {
    const kernel = boot()
    kernel.register(() => 1, { name: 'sink' })
    kernel.register(() => 1, { name: 'other' })
    const value = await ask(
      kernel,
      `let count = 0
       const open = (to) => ipc.pipe({ to }).then(() => { count += 1 }, (error) => error.message)
       for (let n = 0; n < ${limits.streamsOpenMax}; n += 1) await open(n % 2 ? 'sink' : 'other')
       const said = await open('sink')
       await sys('stream.close', { stream: 1 })
       await open('sink')
       return [count, said]`,
    )
    expect(value).toEqual([
      limits.streamsOpenMax + 1,
      expect.stringContaining('EAGAIN: ipc.pipe `sink`: 64 streams are open'),
    ])
    await ask(kernel, `for (let n = 0; n < 50; n += 1) await ipc.pipe({ to: 'sink' }).catch(() => {})`)
    expect(await ask(kernel, `return ${errorOf(`ipc.pipe({ to: 'sink' })`)}`)).toBe('EAGAIN')
  })
})

describe('labels', () => {
  test('of whoever writes go with each value, and of whoever closes with the end', async () => {
    const kernel = boot({
      policy: policyOf([
        { id: 'all', effect: 'permit', action: '*' },
        { id: 'web', effect: 'permit', action: 'fs.read', label: ['web'] },
      ]),
    })
    const reader = kernel.spawn(
      {
        source: main(`const pipe = await ipc.pipe()
          const seen = []
          for (;;) {
            const { done } = await pipe.next()
            seen.push((await proc.self()).labels)
            if (done) return seen
          }`),
      },
      { name: 'reader' },
    )
    await ask(
      kernel,
      `const pipe = await ipc.pipe({ to: 'reader' })
       await pipe.write(1)
       await fs.write('/tmp/a', 'x')
       await fs.read('/tmp/a')
       await pipe.write(2)
       await pipe.close()`,
      { labels: ['task'] },
    )
    expect(exitValue(await reader.exit)).toEqual([['task'], ['task', 'web'], ['task', 'web']])
  })

  test('that a writer takes on after it opened the pipe count for rules about it', async () => {
    const kernel = boot({
      policy: policyOf([
        { id: 'all', effect: 'permit', action: '*' },
        { id: 'web', effect: 'permit', action: 'fs.read', label: ['web'] },
        { id: 'no', effect: 'forbid', action: 'ipc.pipe', when: '"web" in labels && args.mode == "write"' },
      ]),
    })
    kernel.register(() => 1, { name: 'sink' })
    const value = await ask(
      kernel,
      `const pipe = await ipc.pipe({ to: 'sink' })
       await fs.write('/tmp/a', 'x')
       const before = ${errorOf('pipe.write(1)')}
       await fs.read('/tmp/a')
       return [before, ${errorOf('pipe.write(2)')}]`,
    )
    expect(value).toEqual(['ok', 'EPERM'])
  })

  test('of a reader that breaks the pipe are told to the writer', async () => {
    const kernel = boot()
    const reader = kernel.spawn(
      { source: main('const pipe = await ipc.pipe(); await pipe.close()') },
      { name: 'reader', labels: ['secret'] },
    )
    const writer = kernel.spawn(
      {
        source: main(`const pipe = await ipc.pipe({ to: 'reader' })
        await ipc.receive()
        const before = (await proc.self()).labels
        const code = ${errorOf('pipe.write(1)')}
        return [before, code, (await proc.self()).labels]`),
      },
      { name: 'writer' },
    )
    await reader.exit
    await ask(kernel, `await ipc.send('writer', 1)`)
    expect(exitValue(await writer.exit)).toEqual([[], 'EPIPE', ['secret']])
  })
})

test('a run with pipes is repeated byte by byte', async () => {
  const dir = tempFolder()
  const kernel = boot({ evidence: { dir } })
  const reader = kernel.spawn({ source: reads }, { name: 'reader', args: [{}] })
  await ask(
    kernel,
    `const pipe = await ipc.pipe({ to: 'reader' }); for (let n = 0; n < 5; n += 1) pipe.write({ n }); await pipe.close()`,
  )
  await reader.exit
  await kernel.shutdown()
  const runs = await replayAll(dir)
  expect(runs).toHaveLength(2)
  runs.forEach(expectEqual)
})
