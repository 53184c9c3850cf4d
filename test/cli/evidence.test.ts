/** A record is verified and read from outside; what is wrong with it is named, and told by the exit code. */
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { inFolder, intent, recordCall } from '../evidence/support.ts'
import { folderWith, gatehouse, start } from '../support/cli.ts'

const log = 'log-000001.jsonl'
const pack = 'pack-000001.jsonl'
const agent = `export default async () => {
  await fs.write('/mem/note.txt', 'x')
  await fs.read('/etc/pass\\u001b[2Jwd').catch(() => {})
  await fs.read('/mem/none').catch(() => {})
  console.log('said')
}`

/** The record of one run, made once. */
let record: Readonly<Record<'log' | 'pack', string>>

beforeAll(async () => {
  const folder = folderOfRun()
  await gatehouse(folder, ['run', 'agent.ts'])
  record = { log: readFileSync(join(folder, '.gatehouse', log), 'utf8'), pack: readFileSync(join(folder, '.gatehouse', pack), 'utf8') }
  rmSync(folder, { recursive: true })
})
