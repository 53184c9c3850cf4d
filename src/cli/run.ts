/** `gatehouse run`: runs one agent as a process, and ends as the process ended. */
import { existsSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, relative, sep } from 'node:path'
import { type Command, Option } from 'commander'
import { systemClock } from '../clock.ts'
import { loadTools, type ToolDefinitions } from '../config/tools.ts'
import type { SecretOptions } from '../drivers/net/secrets/open.ts'
import type { HostMounts } from '../drivers/vfs/layout.ts'
import type { Json } from '../json.ts'
import type { KernelSpace } from '../kernel.ts'
import type { Isolation } from '../policy/types.ts'
import { askPeople } from './ask-people.ts'
import type { CommandSpec } from './command.ts'
import { evidenceDir } from './evidence-dir.ts'
import { UsageError } from './failure.ts'
import { forwardSignals } from './forward-signals.ts'
import {
  agentName,
  argument,
  duration,
  each,
  type MountOption,
  mount,
  once,
  oneOf,
  type SecretArgument,
  secret,
  text,
} from './options.ts'
import type { Output } from './output.ts'
import { elapsed, showProgress } from './progress.ts'
import { cannotExit, type Ended, exitCodeOf, tellEnd } from './run-end.ts'
import { Tally } from './tally.ts'

interface Options {
  readonly policy?: readonly string[]
  readonly mount?: readonly MountOption[]
  readonly secret?: readonly SecretArgument[]
  readonly tools?: readonly string[]
  readonly arg?: readonly Json[]
  readonly isolation?: Isolation
  readonly evidence?: string
  readonly evidenceKey?: string
  readonly timeout?: string
  readonly name?: string
  readonly ask: boolean
}

export const run: CommandSpec = {
  name: 'run',
  args: '<file>',
  summary:
    "run an agent's file, TypeScript or JavaScript. Exit codes: 0 a result, 1 a failed agent, 128 + n a signal, 3 a refusal that the agent did not handle, 2 wrong usage or a bad policy",
  examples: [
    ['gatehouse run agent.ts --policy policy.yaml', 'under a policy of your own'],
    [
      'gatehouse run analyse.ts --policy read-only --mount ./data:/workspace --arg sales.csv',
      'with a folder to read and an argument',
    ],
    [
      'gatehouse run agent.ts --policy p.yaml --secret GITHUB_TOKEN=env:GH_TOKEN,origin=https://api.github.com',
      'with a secret that it can send to one server, and not see',
    ],
    [
      'gatehouse run agent.ts --policy p.yaml --tools tools.ts --mount ./mail:/mail,label=untrusted',
      'with tools of your own, and a folder that others write to',
    ],
    [
      'gatehouse run agent.ts --policy researcher --policy house-rules.yaml --timeout 30s --json',
      'under two policies that must agree, at most 30 seconds, for a program',
    ],
  ],
  options: addOptions,
  async run(out, command) {
    const options = command.opts<Options>()
    const file = fileOf(command)
    const policy = options.policy ?? ['strict']
    const mounts = mountsOf(options.mount ?? [])
    const secrets = secretsOf(options.secret ?? [])
    const tools = await toolsOf(options.tools ?? [], options.mount ?? [])
    const dir = options.evidence ?? evidenceDir
    // Loaded late: other commands work where isolated-vm does not.
    const { KernelSpace } = await import('../kernel.ts')
    const kernel = new KernelSpace({
      // Signals are for the process, and how it ends is how the command does.
      ...{ policy, mounts, secrets, tools, exitOnSignal: false },
      evidence: { dir, ...(options.evidenceKey !== undefined && { key: options.evidenceKey }) },
      ...(options.isolation !== undefined && { isolation: options.isolation }),
    })
    try {
      const ended = await untilEnd(out, kernel, file, options)
      await kernel.shutdown()
      tellEnd(out, {
        ...ended,
        policy: kernel.policy,
        evidence: { dir, ...kernel.evidence.head() },
      })
      if (cannotExit(ended)) process.kill(process.pid, 'SIGKILL')
      out.leave()
      return exitCodeOf(ended)
    } finally {
      await kernel.shutdown()
    }
  },
}

function addOptions(command: Command): void {
  command
    .option(
      '--policy <policy>',
      'a preset or a file; repeat it, and all must agree (default: strict)',
      each(text),
    )
    .option(
      '--mount <host:guest[:ro|rw][,label=name]>',
      'show a host folder to the agent, read-only unless said; what is read there carries its labels',
      each(mount),
    )
    .option(
      '--tools <file>',
      'a module whose default export is `{ name: { description, parameters, execute } }`: your code, run by the command with all that you may do; repeat it',
      each(text),
    )
    .option(
      '--secret <name=source,origin=url>',
      'a secret that the agent can send and not see, from env:VARIABLE or file:PATH, for one server or more',
      each(secret),
    )
    .option('--arg <value>', 'an argument: JSON if it parses as JSON, otherwise text', each(argument))
    .addOption(
      new Option('--isolation <level>', 'where agent code runs: cell or inline (default: cell)').argParser(
        once(oneOf(['cell', 'inline'])),
      ),
    )
    .option('--evidence <dir>', `where the record is kept (default: ${evidenceDir})`, once(text))
    .option(
      '--evidence-key <file>',
      'the private key that signs the record (default: one of your own, see `gatehouse evidence key`)',
      once(text),
    )
    .option('--timeout <duration>', 'the longest it may take, such as 30s or 5m', once(duration))
    .option(
      '--name <name>',
      "the agent's name in policies and evidence (default: the file's)",
      once(agentName),
    )
    .option('--no-ask', 'do not ask at this terminal about calls that wait for approval')
}

/** @throws UsageError before anything runs; a file that cannot be bundled is found later, by the kernel */
function fileOf(command: Command): string {
  const [file = ''] = command.args
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file
  throw new UsageError(
    `no program at \`${file}\`; a relative path starts at the working directory, and \`gatehouse init\` writes a first agent`,
  )
}

function mountsOf(mounts: readonly MountOption[]): HostMounts {
  const points = mounts.map(({ guest }) => guest)
  const twice = points.find((point, index) => points.indexOf(point) !== index)
  if (twice !== undefined) throw new UsageError(`two mounts at \`${twice}\`; give each a place of its own`)
  return Object.fromEntries(mounts.map(({ guest, ...mount }) => [guest, mount]))
}

/**
 * An agent that can write the code of its tools would run with all that the user may do, from the next run on.
 * @throws UsageError for a file that an agent could write, and for two tools of one name; KernelError as loadTools does
 */
async function toolsOf(files: readonly string[], mounts: readonly MountOption[]): Promise<ToolDefinitions> {
  const tools: Record<string, ToolDefinitions[string]> = {}
  for (const file of files) {
    const open = mounts.find(({ mode, host }) => mode === 'rw' && isBelow(file, host))
    if (open !== undefined)
      throw new UsageError(
        `\`${file}\` lies in \`${open.host}\`, which agents can write; keep the code of tools outside`,
      )
    for (const [name, tool] of Object.entries(await loadTools(file))) {
      if (Object.hasOwn(tools, name))
        throw new UsageError(`two tools are called \`${name}\`; give each a name of its own`)
      tools[name] = tool
    }
  }
  return tools
}

/** Wherever links lead. What is not there is found by who opens it. */
function isBelow(file: string, folder: string): boolean {
  if (!existsSync(file) || !existsSync(folder)) return false
  const way = relative(realpathSync(folder), realpathSync(file))
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

function secretsOf(secrets: readonly SecretArgument[]): SecretOptions {
  const names = secrets.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new UsageError(`two secrets \`${twice}\`; give each a name of its own`)
  return Object.fromEntries(secrets.map(({ name, option }) => [name, option]))
}

async function untilEnd(
  out: Output,
  kernel: KernelSpace,
  file: string,
  { arg: args = [], timeout, name, ask, evidence: dir = evidenceDir }: Options,
): Promise<Pick<Ended, 'exit' | 'row' | 'tally'>> {
  const tally = new Tally(kernel)
  kernel.on('output', ({ stream, text }) => out.agent(stream, text))
  kernel.on('error', ({ where, error }) => {
    const why = error instanceof Error ? error.message : error
    if (where === 'control') out.note(`other terminals cannot reach this run: ${why}`)
    // An agent is told of neither.
    if (where.startsWith('secret ') || where.startsWith('tool ')) out.note(`${where}: ${why}`)
  })
  const stopAsking = askPeople(out, kernel, systemClock, { dir, here: ask })
  const child = kernel.spawn(
    { file },
    {
      args,
      ...(timeout !== undefined && { budget: { wall: timeout } }),
      ...(name !== undefined && { name }),
    },
  )
  const stopForwarding = forwardSignals(child, out)
  const endProgress = showProgress(
    out,
    systemClock,
    (ms) => `${child.name} ${child.state}, ${elapsed(ms)}, ${tally.calls} calls, ${tally.refused} refused`,
  )
  const exit = await child.exit
  endProgress()
  stopForwarding()
  stopAsking()
  const row = kernel.ps({ all: true }).find(({ pid }) => pid === child.pid)
  return { exit, row, tally }
}
