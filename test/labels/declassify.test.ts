/** Releasing: one value, by a tool or by a person, on record; no process loses a label by it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KernelSpace } from '../../src/index.ts'
import { limits } from '../../src/limits.ts'
import { ask, boot, entriesOf, exitValue, kernelErrorOf, main, tempFolder } from '../support/kernel.ts'
import { bootLabelled, carries, labelsNow, pageText } from '../support/labels.ts'

const length = {
  description: 'how long a text is',
  parameters: { type: 'object', properties: { text: { type: 'string' } } },
  declassifies: ['untrusted'],
  execute: ({ text }: { text: string }) => `${text.length} characters`,
}
const withTool = (more = {}): KernelSpace => bootLabelled({ tools: { length, ...more } as never })
const measured = `const text = await tools.read_page({}), value = await tools.length({ text });`
const released = `${pageText.length} characters`
const run = (kernel: KernelSpace, body: string) => ask(kernel, body, { name: 'reader' })

describe('a tool that declassifies', () => {
  test('releases its result: written, sent and returned exactly, it does not carry the label on', async () => {
    const kernel = withTool()
    const receiver = kernel.spawn(
      { source: main(`const { message } = await ipc.receive(); return [message, ${labelsNow}]`) },
      { name: 'receiver' },
    )
    await run(kernel, `${measured} await fs.write('/mem/a', value)`)
    await carries(kernel, "if ((await fs.read('/mem/a')) === '') throw new Error()", [])
    await run(kernel, `${measured} await ipc.send('receiver', value)`)
    expect(exitValue(await receiver.exit)).toEqual([released, []])
    const exit = await kernel.spawn({ source: main(`${measured} return value`) }).exit
    expect(exit).toMatchObject({ value: released, labels: [] })
    const child = `export default async () => { ${measured} return value }`
    await carries(kernel, `await proc.wait((await proc.spawn(${JSON.stringify(child)})).pid)`, [])
  })

  test('takes nothing off the process', async () => {
    expect(await run(withTool(), `${measured} return ${labelsNow}`)).toEqual(['untrusted'])
  })

  test.each([
    ['with a word beside it', 'value + text'],
    ['in part', 'value.slice(1)'],
    ['within another value', 'JSON.stringify({ value })'],
    ['that only looks like it', "value + ' '"],
  ])('releases nothing %s', async (_what, text) => {
    const kernel = withTool()
    await run(kernel, `${measured} await fs.write('/mem/a', ${text})`)
    expect(kernel.vfs('reader').labels('/mem/a')).toEqual(['untrusted'])
  })

  test('releases a value once', async () => {
    const kernel = withTool()
    await run(kernel, `${measured} await fs.write('/mem/a', value); await fs.write('/mem/b', value)`)
    const files = kernel.vfs('reader')
    expect([files.labels('/mem/a'), files.labels('/mem/b')]).toEqual([[], ['untrusted']])
  })

  test('releases no name: where it is written is the process’s own choice', async () => {
    const kernel = withTool()
    await run(kernel, `${measured} await fs.write('/mem/working/' + 'secret', value)`)
    await carries(kernel, "await fs.read('/mem/working/secret')", [])
    await carries(kernel, "await fs.list('/mem/working')", ['untrusted'])
  })

  test('releases only to who called it', async () => {
    const kernel = withTool()
    await run(kernel, measured)
    await run(kernel, `await tools.read_page({}); await fs.write('/mem/a', '${released}')`)
    expect(kernel.vfs('reader').labels('/mem/a')).toEqual(['untrusted'])
  })

  test('releases nothing when it fails, and no more values than are kept', async () => {
    const fails = {
      ...length,
      execute: () => {
        throw new Error('no')
      },
    }
    const kernel = withTool({ fails_too: fails })
    await run(kernel, 'await tools.read_page({}); await tools.fails_too({}).catch(() => {})')
    expect(entriesOf(kernel, 'declassify')).toEqual([])
    const many = limits.releasesMax + 1
    await run(
      kernel,
      `await tools.read_page({}); const values = []
      for (let n = 0; n < ${many}; n += 1) values.push(await tools.length({ text: 'x'.repeat(n) }))
      await fs.write('/mem/first', values[0]); await fs.write('/mem/last', values.at(-1))`,
    )
    const files = kernel.vfs('reader')
    expect([files.labels('/mem/first'), files.labels('/mem/last')]).toEqual([['untrusted'], []])
  })

  test('is on record, with what it released and not in clear', async () => {
    const kernel = withTool()
    await run(kernel, measured)
    const [entry] = entriesOf(kernel, 'declassify')
    expect(entry).toMatchObject({
      by: 'tool length',
      labels: ['untrusted'],
      value: { hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
    expect(JSON.stringify(entry)).not.toContain(released)
    expect(entriesOf(kernel, 'outcome').at(1)).toMatchObject({ released: ['untrusted'] })
    expect(kernel.evidence.verify().ok).toBe(true)
  })

  test('releases nothing from labels that it was not given', async () => {
    const both = { ...length, declassifies: ['untrusted', 'confidential'] }
    const kernel = withTool({ length: both })
    await run(kernel, "await tools.length({ text: 'x' })")
    expect(entriesOf(kernel, 'declassify')).toEqual([])
    await run(kernel, measured)
    expect(entriesOf(kernel, 'declassify')).toMatchObject([{ labels: ['untrusted'] }])
    // What came of a clean process, and is written by one that is not, is written with the labels of that one.
    await run(
      kernel,
      "const value = await tools.length({ text: 'x' }); await tools.read_page({}); await fs.write('/mem/a', value)",
    )
    expect(kernel.vfs('reader').labels('/mem/a')).toEqual(['untrusted'])
  })

  test('gives no label that it releases, and is refused where it says so', async () => {
    const both = { ...length, labels: ['untrusted'] }
    const error = await kernelErrorOf(() => boot({ tools: { both } as never }))
    expect(error.message).toBe(
      'tool `both`: its results carry `untrusted`, which it declassifies; leave one out',
    )
  })

  test('does not release from a label that its rule gives', async () => {
    const kernel = bootLabelled({
      tools: { length } as never,
      policy: {
        version: 1,
        name: 'test',
        rules: [{ id: 'all', effect: 'permit', action: '*', label: ['untrusted'] }],
      },
    })
    await run(kernel, `const value = await tools.length({ text: 'x' }); await fs.write('/mem/a', value)`)
    expect(kernel.vfs('reader').labels('/mem/a')).toEqual(['untrusted'])
    expect(entriesOf(kernel, 'declassify')).toEqual([])
  })
})

describe('a person who declassifies', () => {
  const how = { labels: ['untrusted'], by: 'ann', reason: 'a day, and nothing else' }
  const waiting = main(`await tools.read_page({}); const { promise, resolve } = Promise.withResolvers()
    await proc.on('SIGUSR1', resolve); console.log('ready'); await promise
    await fs.write('/mem/a', 'the date'); await fs.write('/mem/b', 'more'); return ${labelsNow}`)

  test('releases one value of a process', async () => {
    const kernel = bootLabelled()
    const proc = kernel.spawn({ source: waiting }, { name: 'reader' })
    await new Promise<void>((ready) => kernel.on('output', () => ready()))
    kernel.declassify(proc.pid, 'the date', how)
    kernel.declassify('reader', { a: 1 }, how)
    proc.signal('SIGUSR1')
    expect(exitValue(await proc.exit)).toEqual(['untrusted'])
    const files = kernel.vfs('reader')
    expect([files.labels('/mem/a'), files.labels('/mem/b')]).toEqual([[], ['untrusted']])
    const entries = entriesOf(kernel, 'declassify')
    expect(entries).toMatchObject([{ ...how, pid: proc.pid, value: { bytes: 10 } }, how])
    expect(JSON.stringify(entries)).not.toContain('the date')
  })

  test.each([
    ['no labels', { ...how, labels: [] }, 'EINVAL'],
    ['a label that is none', { ...how, labels: ['A'] }, 'EINVAL'],
    ['nobody', { ...how, by: ' ' }, 'EINVAL'],
    ['no reason', { labels: ['untrusted'], by: 'ann' }, 'EINVAL'],
    ['nothing', undefined, 'EINVAL'],
  ])('has to say what and why: %s', async (_what, given, code) => {
    const kernel = bootLabelled()
    const proc = kernel.spawn({ source: waiting })
    expect(await kernelErrorOf(() => kernel.declassify(proc.pid, 1, given as never))).toMatchObject({ code })
    expect(
      await kernelErrorOf(() => kernel.vfs('reader').declassify('/mem/a', given as never)),
    ).toMatchObject({ code })
    expect(entriesOf(kernel, 'declassify')).toEqual([])
  })

  test('names a process that lives, and a value that is JSON; not more than are kept', async () => {
    const kernel = bootLabelled()
    expect(await kernelErrorOf(() => kernel.declassify(99, 1, how))).toMatchObject({ code: 'ESRCH' })
    const proc = kernel.spawn({ source: waiting })
    await new Promise<void>((ready) => kernel.on('output', () => ready()))
    expect(await kernelErrorOf(() => kernel.declassify(proc.pid, () => 1, how))).toMatchObject({
      code: 'EINVAL',
    })
    for (let n = 0; n < limits.releasesMax; n += 1) kernel.declassify(proc.pid, n, how)
    expect(await kernelErrorOf(() => kernel.declassify(proc.pid, 'more', how))).toMatchObject({
      code: 'EAGAIN',
    })
  })

  test('releases no label that is not there, and says which are', async () => {
    const kernel = bootLabelled()
    const clean = kernel.spawn({ source: main('await new Promise(() => {})') }, { name: 'clean' })
    expect(await kernelErrorOf(() => kernel.declassify(clean.pid, 1, how))).toMatchObject({
      code: 'EINVAL',
      message: `\`untrusted\` cannot be released: process ${clean.pid} carries no labels; name labels that are there`,
    })
    const proc = kernel.spawn({ source: waiting }, { name: 'reader' })
    await new Promise<void>((ready) => kernel.on('output', () => ready()))
    const both = { ...how, labels: ['untrusted', 'confidential'] }
    expect(await kernelErrorOf(() => kernel.declassify(proc.pid, 1, both))).toMatchObject({
      message: expect.stringMatching(/^`confidential` cannot be released: .* carries only `untrusted`;/),
    })
    const files = kernel.vfs('reader')
    await files.write('/mem/c', 'x', { labels: ['untrusted'] })
    expect(await kernelErrorOf(() => files.declassify('/mem/c', both))).toMatchObject({
      message: expect.stringContaining('`confidential` cannot be released: the content of this file carries'),
    })
    expect(entriesOf(kernel, 'declassify')).toEqual([])
    proc.signal('SIGUSR1')
    await proc.exit
    expect(files.labels('/mem/c')).toEqual(['untrusted'])
  })

  test('releases a file’s content as it is, until it is written anew', async () => {
    const kernel = bootLabelled()
    await run(kernel, "await fs.write('/mem/a', await tools.read_page({}))")
    await kernel.vfs('reader').declassify('/mem/a', how)
    await carries(kernel, "await fs.read('/mem/a')", [])
    await carries(kernel, "await fs.list('/mem')", ['untrusted'])
    expect(entriesOf(kernel, 'declassify')).toMatchObject([{ agent: 'reader', path: '/mem/a', ...how }])
    await run(kernel, "await tools.read_page({}); await fs.append('/mem/a', 'x')")
    await carries(kernel, "await fs.read('/mem/a')", ['untrusted'])
  })

  test('releases a file that came with a folder, and not what a later move says', async () => {
    const kernel = bootLabelled()
    const files = kernel.vfs('reader')
    await files.mkdir('/mem/in')
    await files.write('/mem/in/a', 'x')
    await files.write('/mem/in/b', 'x')
    await run(kernel, "await tools.read_page({}); await fs.move('/mem/in', '/mem/out')")
    await files.declassify('/mem/out/a', how)
    expect([files.labels('/mem/out/a'), files.labels('/mem/out/b')]).toEqual([[], ['untrusted']])
    await run(kernel, "await tools.read_page({}); await fs.move('/mem/out', '/mem/again')")
    expect(files.labels('/mem/again/a')).toEqual(['untrusted'])
  })

  test('releases a file on the host, and none that a mount labels or the kernel shows', async () => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'given'), 'x')
    const mounts = {
      '/out': { host: folder, mode: 'rw' as const },
      '/secret': { host: folder, labels: ['confidential', 'untrusted'] },
    }
    const kernel = bootLabelled({ mounts })
    await run(kernel, "await fs.write('/out/a', await tools.read_page({}))")
    const files = kernel.vfs('reader')
    await files.declassify('/out/a', how)
    await carries(kernel, "await fs.read('/out/a')", [])
    const error = await kernelErrorOf(() => files.declassify('/secret/given', how))
    expect(error.message).toContain('`untrusted` is a label of its mount, and stays')
    await carries(kernel, "await fs.read('/secret/given')", ['confidential', 'untrusted'])
    expect(await kernelErrorOf(() => files.declassify('/proc/1.json', how))).toMatchObject({ code: 'EROFS' })
    expect(await kernelErrorOf(() => files.declassify('/mem/none', how))).toMatchObject({ code: 'ENOENT' })
    expect(entriesOf(kernel, 'declassify')).toHaveLength(1)
  })

  test('releases no file on the host that is being changed', async () => {
    const folder = tempFolder()
    const kernel = bootLabelled({ mounts: { '/out': { host: folder, mode: 'rw' } } })
    const files = kernel.vfs('reader')
    await files.write('/out/a', 'x', { labels: ['untrusted'] })
    const change = files.write('/out/b', 'y'.repeat(limits.fileBytesMax))
    const error = await kernelErrorOf(() => files.declassify('/out/a', how))
    expect(error.code).toBe('EAGAIN')
    await change
    expect(files.labels('/out/a')).toEqual(['untrusted'])
  })
})
