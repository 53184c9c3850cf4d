import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { FileStore } from '../../src/evidence/file-store.ts'
import { tempDir } from './support.ts'

/** Another kernel that writes to a folder until it is killed. */
async function otherKernel(dir: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('writer.ts', import.meta.url)), dir], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout ?? child, 'data')
  child.stdout?.resume()
  return child
}

test('two kernels on one folder: the second is refused, and told who the first is', async () => {
  const dir = tempDir()
  const child = await otherKernel(dir)
  expect(() => FileStore.open(dir)).toThrow(
    expect.objectContaining({
      code: 'EBUSY',
      message: `evidence cannot be kept in \`${dir}\`: another kernel writes there (process ${child.pid}); end it or name another folder`,
    }),
  )
  child.kill('SIGKILL')
  await once(child, 'exit')
  await FileStore.open(dir).close()
})

test('two logs of one process on one folder: the second is refused', async () => {
  const dir = tempDir()
  const first = FileStore.open(dir)
  expect(() => FileStore.open(dir)).toThrow('another kernel writes there (this process)')
  await first.close()
  await FileStore.open(dir).close()
})

test('a lock whose process lives is respected, whoever owns that process', () => {
  const dir = tempDir()
  writeFileSync(join(dir, 'lock'), '{"pid":1,"started":null}\n')
  expect(() => FileStore.open(dir)).toThrow('(process 1)')
})

test('a refused kernel leaves nothing behind and the lock as it was', async () => {
  const dir = tempDir()
  const first = FileStore.open(dir)
  const before = readdirSync(dir)
  expect(() => FileStore.open(dir)).toThrow()
  expect(readdirSync(dir)).toEqual(before)
  await first.close()
})

test.each([
  ['of a process that is gone', '{"pid":999999999,"started":null}\n'],
  ['that a loss of power emptied', ''],
  ['that a loss of power cut short', '{"pid":1'],
])('a lock %s is taken over, and given back in the end', async (_, text) => {
  const dir = tempDir()
  writeFileSync(join(dir, 'lock'), text)
  const store = FileStore.open(dir)
  expect(() => FileStore.open(dir)).toThrow('this process')
  await store.close()
  expect(existsSync(join(dir, 'lock'))).toBe(false)
  expect(readdirSync(dir).filter((file) => file.startsWith('lock'))).toEqual([])
})

test.runIf(process.platform === 'linux')(
  'a lock is stale when its pid belongs to a later process now',
  async () => {
    const dir = tempDir()
    writeFileSync(join(dir, 'lock'), `{"pid":${process.pid},"started":"another-boot:17"}\n`)
    await FileStore.open(dir).close()
  },
)
