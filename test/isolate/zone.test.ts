/** One time zone and one locale, also in a process that has others. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { CellPool } from '../../src/isolate/cell-pool.ts'
import { expectEqual, replayAll } from '../replay/support.ts'
import { tempFolder } from '../support/kernel.ts'
import { zoneProgram } from '../support/zone-program.ts'

const script = fileURLToPath(new URL('../support/zone-guest.ts', import.meta.url))
const native = ['-p', `(() => {${zoneProgram}})()`]
const saidIn = (zone: string, locale: string, args: readonly string[]): string =>
  execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    env: { ...process.env, TZ: zone, LANG: locale, LC_ALL: locale },
    encoding: 'utf8',
  })

test('an inline guest of a process in New York that speaks German says what V8 says in UTC and en-US', async () => {
  const dir = tempFolder()
  const expected = saidIn('UTC', 'en_US.UTF-8', native)
  // Without this the comparison shows nothing.
  expect(saidIn('America/New_York', 'de_DE.UTF-8', native)).not.toBe(expected)
  expect(saidIn('America/New_York', 'de_DE.UTF-8', [script, dir])).toBe(expected)
  for (const [run] of [await replayAll(dir), await replayAll(dir, new CellPool({ spare: 0 }))])
    expectEqual(run)
})
