import { expect, test } from 'vitest'
import { limits } from '../src/limits.ts'
import { ask, boot, tempFolder } from './support/kernel.ts'

const audit = `const text = await fs.read('/audit/log.jsonl')
  const entries = text.trim().split('\\n').map((line) => JSON.parse(line))`

test('/audit shows nothing of an earlier kernel’s process of the same pid', async () => {
  const evidence = { dir: tempFolder() }
  const first = boot({ evidence })
  await ask(first, `await fs.write('/tmp/secret-name', '1')`)
  await first.shutdown()
  const value = await ask(
    boot({ evidence }),
    `${audit}; return [text.includes('secret-name'), entries.length > 0,
    new Set(entries.map(({ run, pid }) => run + pid)).size]`,
  )
  expect(value).toEqual([false, true, 1])
})

test('/audit shows the newest entries of this process, and its listing and size cost no more', async () => {
  const value = await ask(
    boot(),
    `for (let n = 0; n < ${limits.auditEntriesMax}; n += 1) await sys('clock.time')
     const { size } = await fs.stat('/audit/log.jsonl')
     ${audit}; return [size > 0, entries.length, entries.at(-1).resource, (await fs.list('/audit')).length]`,
  )
  expect(value).toEqual([true, limits.auditEntriesMax, '/audit/log.jsonl', 1])
})
