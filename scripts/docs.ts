/** Prints what comes from the tables of the code; with `--check` only says which files differ, and exits with 1. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { printedFiles } from './docs/files.ts'

const onlyCheck = process.argv.includes('--check')
for (const [path, print] of Object.entries(printedFiles)) {
  const file = new URL(`../${path}`, import.meta.url)
  const text = print()
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  if (onlyCheck) {
    console.error(`${path} is not what the tables say; run \`npm run docs\``)
    process.exitCode = 1
  } else {
    writeFileSync(file, text)
    console.log(`printed ${path}`)
  }
}
