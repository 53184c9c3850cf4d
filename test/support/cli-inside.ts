/** The command within the test's own process: for what only reads, where starting Node.js would be most of the time. */
import { main } from '../../src/cli/main.ts'
import type { Ran } from './cli.ts'

/** Runs `gatehouse ...args`; folders have to be named in full. */
export async function gatehouseInside(args: readonly string[]): Promise<Ran> {
  const out = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof out) => ({
    write(text: string): boolean {
      out[name] += text
      return true
    },
  })
  const code = await main(args, { stdout: stream('stdout'), stderr: stream('stderr'), env: {} })
  return { code, ...out }
}
