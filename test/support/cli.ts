/** The command as people run it: a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export interface Ran {
  /** The exit code; null where a signal ended the command itself. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const runner = fileURLToPath(new URL('./cli-main.ts', import.meta.url))

/** The command is compiled once, and not each time it is started. */
const compiled = join(tmpdir(), 'gatehouse-compiled')

/** The whole command line, for `script` and the like. */
export const commandLine: readonly string[] = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  runner,
]

/** @returns a folder with these files, gone when the test is over */
export function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** Runs `gatehouse ...args` to its end. */
export const gatehouse = (cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
  start(cwd, args, env).ended

/** Starts `gatehouse ...args`; `child` is the leader of a process group, as under a shell. */
export function start(
  cwd: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ran>; until(text: string): Promise<void> } {
  return watch(commandLine, cwd, args, env)
}

/** Runs any command line to its end. */
export const runCommand = (line: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
  watch(line, cwd, [], env).ended

function watch(line: readonly string[], cwd: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const [program = '', ...rest] = line
  const child = spawn(program, [...rest, ...args], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: compiled,
      NO_COLOR: undefined,
      FORCE_COLOR: undefined,
      GATEHOUSE_STACK: undefined,
      ...env,
    },
  })
  const out = { stdout: '', stderr: '' }
  const waiting = new Set<() => void>()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      out[stream] += text
      for (const look of waiting) look()
    })
  }
  const ended = new Promise<Ran>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...out }))
  })
  const until = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (out.stdout.includes(text) || out.stderr.includes(text)) resolve()
      }
      waiting.add(look)
      look()
      void ended.then(() => reject(new Error(`it ended without \`${text}\`: ${JSON.stringify(out)}`)))
    })
  return { child, ended, until }
}
