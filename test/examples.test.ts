/** The examples do what they say, run as a person runs them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const from = (path: string): URL => new URL(`../examples/${path}`, import.meta.url)

test('the data analyst works out its report, is refused three times, and leaves verified evidence', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-example-'))
  try {
    const main = from('data-analyst/main.ts').pathname
    const printed = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', main, dir], {
      encoding: 'utf8',
    })
    // The folder and the hash differ from run to run; that it verified does not.
    const steady = printed.replace(dir, 'DIR').replace(/head [0-9a-f]{64}/, 'head HASH')
    expect(steady).toBe(readFileSync(from('data-analyst/expected.txt'), 'utf8'))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('ten injected instructions: with labels none lands, without all do, and every task is done', () => {
  const main = from('injection/main.ts').pathname
  const printed = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    encoding: 'utf8',
  })
  expect(printed).toBe(readFileSync(from('injection/expected.txt'), 'utf8'))
})
