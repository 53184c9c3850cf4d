/** Runs one measurement in a Node.js process of its own, so that its memory and its death are its own too. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export interface Alone<Result> {
  /** What it measured; undefined where it ended before. */
  readonly result: Result | undefined
  /** How the process ended: its exit code, or the name of a signal. */
  readonly end: string
}

/**
 * @param measurement a name of child.ts
 * @param args what it is told
 * @returns what it measured, and how its process ended
 */
export async function alone<Result>(
  measurement: string,
  args: readonly (string | number)[],
): Promise<Alone<Result>> {
  const file = fileURLToPath(new URL('./child.ts', import.meta.url))
  const flags = ['--no-node-snapshot', '--expose-gc', '--disable-warning=ExperimentalWarning']
  const child = spawn(process.execPath, [...flags, file, measurement, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [printed, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')])
  const last = printed.trim().split('\n').at(-1) ?? ''
  return {
    result: last.startsWith('{') ? (JSON.parse(last) as Result) : undefined,
    end: String(signal ?? code),
  }
}
