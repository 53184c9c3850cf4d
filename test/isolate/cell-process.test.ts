/** The kernel's side of a cell meets a process that is gone before anybody has said so. */
import { spawn, spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { CellProcess } from '../../src/isolate/cell-process.ts'
import { protectionsOf } from '../../src/isolate/launch.ts'

test('a cell in a jail that is gone already cannot be stopped or continued, and neither throws', async () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  const jail = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1_000)'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const protections = { ...protectionsOf('none'), parentDeath: true }
  const cell = new CellProcess(
    () => {},
    () => ({ child: jail, pid: () => pid, protections }),
  )
  expect(await cell.suspend()).toBe(false)
  expect(() => cell.resume()).not.toThrow()
  await cell.close()
  expect(jail.signalCode).toBe('SIGKILL')
})
