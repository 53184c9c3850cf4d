/** A kernel deletes what it need not keep: at its start, while it runs, and never of a run that goes on. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EvidenceFolder } from '../src/evidence/read.ts'
import { KernelError, KernelSpace } from '../src/index.ts'
import { ask, boot, kernelErrorOf, main, sleep, tempFolder, until } from './support/kernel.ts'

const everything = (dir: string): string =>
  [
    ...readdirSync(dir, { withFileTypes: true })
      .filter((file) => file.isFile())
      .map(({ name }) => readFileSync(join(dir, name), 'latin1')),
    ...new EvidenceFolder(dir).packs(),
  ].join('\n')

const write = (text: string): string => `await fs.write('/mem/working/note', ${JSON.stringify(text)})`

test('at its start a kernel deletes what earlier runs left, and a new run of the same program is whole', async () => {
  const dir = tempFolder()
  const first = boot({ evidence: { dir } })
  await ask(first, write('an old secret'), { name: 'writer' })
  await first.shutdown()
  expect(everything(dir)).toContain('an old secret')
  await sleep(30)
  const second = boot({ evidence: { dir, retention: '20ms' } })
  await until(() => !everything(dir).includes('an old secret'), 'the old secret is deleted')
  await ask(second, write('an old secret'), { name: 'writer' })
  expect(second.evidence.verify().ok).toBe(true)
  const [redact] = second.evidence.entries({ kind: 'redact' })
  expect(redact).toMatchObject({ by: 'the kernel', reason: 'older than the retention of 20ms' })
  await second.shutdown()
  expect(everything(dir)).toContain('an old secret')
  const evidence = new EvidenceFolder(dir)
  const spawned = [...evidence.entries({ kind: 'spawn' })].at(-1)
  const program: string = Object(spawned?.program).hash
  expect(evidence.payloads(new Set([program])).get(program)?.text).toContain('an old secret')
})

test('of a run that goes on nothing is deleted, however long ago it began', async () => {
  const dir = tempFolder()
  const kernel = boot({ evidence: { dir } })
  await ask(kernel, write('an old secret'))
  await kernel.shutdown()
  await sleep(30)
  const next = boot({ evidence: { dir, retention: '20ms' } })
  const waiting = next.spawn({ source: main(`${write('a live secret')}\nawait ipc.receive()`) })
  await until(() => !everything(dir).includes('an old secret'), 'the old secret is deleted')
  await until(() => everything(dir).includes('a live secret'), 'the live one is written')
  expect(waiting.state).not.toBe('exited')
})

test.each(['0d', '30', 'soon', '-1d'])(
  'a retention of `%s` is refused before anything runs',
  async (retention) => {
    const error = await kernelErrorOf(() => new KernelSpace({ evidence: { dir: tempFolder(), retention } }))
    expect(error).toBeInstanceOf(KernelError)
    expect(error.code).toBe('EINVAL')
    expect(error.message).toContain('retention')
  },
)
