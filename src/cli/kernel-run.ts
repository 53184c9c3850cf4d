/** What `run` and `fork` share: the options of their kernel, and how their first process is followed to its end. */
import { existsSync, realpathSync } from 'node:fs'
import { isAbsolute, relative, sep } from 'node:path'
import { type Command, Option } from 'commander'
import { systemClock } from '../clock.ts'
import type { EvidenceFolderOptions } from '../config/options.ts'
import { type Unsettled, unsettledChoices } from '../config/rebuild.ts'
import { loadModels, loadTools, type ToolDefinitions } from '../config/tools.ts'
import type { LlmOptions } from '../drivers/llm/open.ts'
import type { SecretOptions } from '../drivers/net/secrets/open.ts'
import type { HostMounts } from '../drivers/vfs/layout.ts'
import type { KernelSpace } from '../kernel.ts'
import type { Isolation } from '../policy/types.ts'
import type { ProcessHandle } from '../proc/handle.ts'
import { askPeople } from './ask-people.ts'
import { UsageError } from './failure.ts'
import { forwardSignals } from './forward-signals.ts'
import { each, type MountOption, mount, once, oneOf, type SecretArgument, secret, text } from './options.ts'
import type { Output } from './output.ts'
import { elapsed, showProgress } from './progress.ts'
import { cannotExit, type Ended, exitCodeOf, tellEnd } from './run-end.ts'
import { Tally } from './tally.ts'

export interface KernelRunOptions {
  readonly policy?: readonly string[]
  readonly mount?: readonly MountOption[]
  readonly secret?: readonly SecretArgument[]
  readonly tools?: readonly string[]
  readonly evidenceKey?: string
  readonly isolation?: Isolation
  readonly ask: boolean
  readonly unsettled?: Unsettled
}

export function addKernelOptions(command: Command): Command {
  return command
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
      'a module whose default export is `{ name: { description, parameters, execute } }`, and whose export `llm` gives models: your code, run by the command with all that you may do; repeat it',
      each(text),
    )
    .option(
      '--secret <name=source,origin=url>',
      'a secret that the agent can send and not see, from env:VARIABLE or file:PATH, for one server or more',
      each(secret),
    )
    .addOption(
      new Option('--isolation <level>', 'where agent code runs: cell or inline (default: cell)').argParser(
        once(oneOf(['cell', 'inline'])),
      ),
    )
    .option(
      '--evidence-key <file>',
      'the private key that signs the record (default: one of your own, see `gatehouse evidence key`)',
      once(text),
    )
    .option('--no-ask', 'do not ask at this terminal about calls that wait for approval')
}

export const unsettledOption = (): Option =>
  new Option(
    '--unsettled <choice>',
    'what becomes of calls that were on their way outside: fail, retry or ask (default: fail)',
  ).argParser(once(oneOf(unsettledChoices)))

/**
 * @param start the process that the command is about; undefined where there is none
 * @returns the exit code, as the process ended; 0 where there was none
 */
export async function runKernel(
  out: Output,
  options: KernelRunOptions,
  evidence: EvidenceFolderOptions,
  start: (kernel: KernelSpace) => ProcessHandle | undefined,
): Promise<number> {
  const mounts = mountsOf(options.mount ?? [])
  const secrets = secretsOf(options.secret ?? [])
  const tools = await toolsOf(options.tools ?? [], options.mount ?? [])
  const llm = await modelsOf(options.tools ?? [])
  const { policy = ['strict'], evidenceKey: key } = options
  // Loaded late: other commands work where isolated-vm does not.
  const { KernelSpace } = await import('../kernel.ts')
  const kernel = new KernelSpace({
    // Signals are for the process, and how it ends is how the command does.
    ...{ policy, mounts, secrets, tools, exitOnSignal: false },
    evidence: { ...evidence, ...(key !== undefined && { key }) },
    ...(options.isolation !== undefined && { isolation: options.isolation }),
    ...(llm !== undefined && { llm }),
  })
  try {
    const ended = await untilEnd(out, kernel, options.ask, evidence.dir, start)
    await kernel.shutdown()
    if (ended === undefined) return 0
    tellEnd(out, {
      ...ended,
      policy: kernel.policy,
      evidence: { dir: evidence.dir, ...kernel.evidence.head() },
    })
    if (cannotExit(ended)) process.kill(process.pid, 'SIGKILL')
    out.leave()
    return exitCodeOf(ended)
  } finally {
    await kernel.shutdown()
  }
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

/** @throws UsageError for two files with models; KernelError as loadModels does */
async function modelsOf(files: readonly string[]): Promise<LlmOptions | undefined> {
  const found: LlmOptions[] = []
  for (const file of files) {
    const models = await loadModels(file)
    if (models !== undefined) found.push(models)
  }
  if (found.length > 1) throw new UsageError('two files of --tools export `llm`; put the models into one')
  return found[0]
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
  here: boolean,
  dir: string,
  start: (kernel: KernelSpace) => ProcessHandle | undefined,
): Promise<Pick<Ended, 'exit' | 'row' | 'tally'> | undefined> {
  const tally = new Tally(kernel)
  kernel.on('output', ({ stream, text }) => out.agent(stream, text))
  kernel.on('error', ({ where, error }) => {
    const why = error instanceof Error ? error.message : error
    if (where === 'control') out.note(`other terminals cannot reach this run: ${why}`)
    // An agent is told of neither.
    if (where.startsWith('secret ') || where.startsWith('tool ') || where.startsWith('model '))
      out.note(`${where}: ${why}`)
  })
  const stopAsking = askPeople(out, kernel, systemClock, { dir, here })
  const child = start(kernel)
  if (child === undefined) {
    stopAsking()
    return undefined
  }
  const stopForwarding = forwardSignals(child, out)
  const endProgress = showProgress(
    out,
    systemClock,
    (ms) => `${child.name} ${child.state}, ${elapsed(ms)}, ${tally.calls} calls, ${tally.refused} refused`,
  )
  const exit = await child.exit
  // Others that go on with it are the kernel's business too.
  await Promise.all(kernel.restored.map((other) => other.exit))
  endProgress()
  stopForwarding()
  stopAsking()
  const row = kernel.ps({ all: true }).find(({ pid }) => pid === child.pid)
  return { exit, row, tally }
}
