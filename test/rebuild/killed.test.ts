/** Kernels killed with SIGKILL, one after another, until one comes to the end: each goes on where the one before was. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import { tempFolder } from '../support/kernel.ts'

const script = fileURLToPath(new URL('killed.ts', import.meta.url))

interface Result {
  readonly told: readonly (number | string)[]
  readonly log: string
  readonly child: number
}

/** @returns what the run came to, what it left outside, and how many kernels it took */
async function untilEnd(unsettled: string, kills = 3) {
  const dir = join(tempFolder(), 'evidence')
  const effects = join(tempFolder(), 'effects')
  let kernels = 0
  // The last ones are left to end, however slow the machine is.
  for (; !existsSync(`${effects}.end`); kernels += 1) {
    expect(kernels).toBeLessThan(12)
    const child = spawn(process.execPath, [script, dir, effects, unsettled], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const closed = once(child, 'close')
    await once(child.stdout, 'data')
    if (kernels < kills) {
      await sleep(20 + Math.random() * 90)
      child.kill('SIGKILL')
    }
    await closed
  }
  const exit = JSON.parse(readFileSync(`${effects}.end`, 'utf8'))
  expect(exit).toMatchObject({ status: 'exited' })
  expect(new EvidenceFolder(dir).verify()).toMatchObject({ ok: true })
  const outside = readFileSync(effects, 'utf8').trimEnd().split('\n').map(Number)
  return { kernels, outside, ...(exit.value as Result) }
}

const all = Array.from({ length: 20 }, (_, index) => index + 1)

test('with `retry` a killed run comes to what an undisturbed one gives', { timeout: 60_000 }, async () => {
  const { told, log, child, outside } = await untilEnd('retry', 2)
  expect({ told, log, child }).toEqual({ told: all, log: all.map((n) => `${n};`).join(''), child: 20 })
  expect([...new Set(outside)]).toEqual(all)
})

test('without it no effect outside happens twice, and what is not known fails', {
  timeout: 60_000,
}, async () => {
  const { told, log, child, outside } = await untilEnd('fail')
  expect({ log, child }).toEqual({ log: all.map((n) => `${n};`).join(''), child: 20 })
  expect(outside).toEqual([...new Set(outside)])
  for (const n of all)
    if (told[n - 1] !== 'EIO')
      expect({ n, told: told[n - 1], done: outside.includes(n) }).toEqual({ n, told: n, done: true })
})
