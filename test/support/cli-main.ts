/** The command from the source tree: what bin/gatehouse.js does with the built one. */
import process from 'node:process'
import { main } from '../../src/cli/main.ts'

process.exitCode = await main(process.argv.slice(2), process)
