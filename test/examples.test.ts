/** The examples do what they say, run as a person runs them. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectEqual, replayAll } from './replay/support.ts'

const from = (path: string): URL => new URL(`../examples/${path}`, import.meta.url)

/** What an example prints, with what differs from run to run taken out; what it has on record replays. */
async function printedBy(example: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-example-'))
  try {
    const main = from(`${example}/main.ts`).pathname
    const printed = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', main, dir], {
      encoding: 'utf8',
    })
    const runs = await replayAll(dir)
    expect(runs.length).toBeGreaterThan(0)
    runs.forEach(expectEqual)
    // The folder, the hash, and how many turns and signatures there were differ; that it verified does not.
    return printed
      .replace(dir, 'DIR')
      .replace(/head [0-9a-f]{64}/, 'head HASH')
      .replace(/\b\d+ entries/, 'N entries')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const expected = (example: string): string => readFileSync(from(`${example}/expected.txt`), 'utf8')

test('the data analyst works out its report, is refused three times, and leaves verified evidence', async () => {
  expect(await printedBy('data-analyst')).toBe(expected('data-analyst'))
})

test('the mail clerk has one mail approved, one denied, one that nobody answers, and one that nobody is asked about', async () => {
  expect(await printedBy('mail-clerk')).toBe(expected('mail-clerk'))
})

test('a LangChain agent runs as it is in user space: a note cannot have it send the list away', async () => {
  expect(await printedBy('langchain-in-user-space')).toBe(expected('langchain-in-user-space'))
})

test.each([
  ['approval', 'a person decides while the agent waits'],
  ['decorator', 'a method is governed by one line'],
  ['langchain', 'a wrapped LangChain agent gives back a small sum, and a person denies it a large one'],
  ['openai-agents', 'an agent that was handed over to changes a seat, and may not cancel'],
  ['approval', 'an agent of the AI SDK mails what a person has read'],
  ['decorator', 'a method runs in an isolate, with nothing that its policy does not permit'],
  ['mcp', 'a tool that says something else of itself is gone until a person accepts it'],
])('%s: %s', (example) => {
  const main = from(`${example}/main.ts`).pathname
  const printed = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    encoding: 'utf8',
  })
  expect(printed).toBe(expected(example))
})

test('two agents over a pipe: what is no measurement does not pass, and the end comes when the writer closes', async () => {
  expect(await printedBy('pipe')).toBe(expected('pipe'))
})

test('ten injected instructions: with labels none lands, without all do, and every task is done', () => {
  const main = from('injection/main.ts').pathname
  const printed = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    encoding: 'utf8',
  })
  expect(printed).toBe(readFileSync(from('injection/expected.txt'), 'utf8'))
})
