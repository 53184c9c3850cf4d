/** Adds up the JSON reports of test runs; the last line of what it prints is `N passed, N failed`. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numFailedTestSuites: number
  readonly success: boolean
}

let passed = 0
let failed = 0
console.log()
for (const file of process.argv.slice(2)) {
  const report: Report = JSON.parse(readFileSync(file, 'utf8'))
  // A file that could not be loaded has no tests of its own to count.
  const broken = report.success ? 0 : Math.max(report.numFailedTests, report.numFailedTestSuites, 1)
  console.log(
    `${basename(file, '.json')}: ${report.numPassedTests} passed, ${broken} failed, ${report.numPendingTests} skipped`,
  )
  passed += report.numPassedTests
  failed += broken
}
console.log(`${passed} passed, ${failed} failed`)
if (failed > 0 || passed === 0) process.exitCode = 1
