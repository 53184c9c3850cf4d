/** `gatehouse run`: runs one agent as a process, and ends as the process ended; or goes on with what a killed kernel ran. */
import { statSync } from 'node:fs'
import type { Command } from 'commander'
import { findEvidence } from '../evidence/read.ts'
import type { Json } from '../json.ts'
import type { KernelSpace } from '../kernel.ts'
import type { ProcessHandle } from '../proc/handle.ts'
import type { CommandSpec } from './command.ts'
import { evidenceDir } from './evidence-dir.ts'
import { UsageError } from './failure.ts'
import { addKernelOptions, type KernelRunOptions, runKernel, unsettledOption } from './kernel-run.ts'
import { agentName, argument, duration, each, once, text } from './options.ts'
import type { Output } from './output.ts'

interface Options extends KernelRunOptions {
  readonly arg?: readonly Json[]
  readonly evidence?: string
  readonly timeout?: string
  readonly name?: string
  readonly resume?: string | true
}

export const run: CommandSpec = {
  name: 'run',
  args: '[file]',
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
    ['gatehouse run --resume --policy policy.yaml', 'goes on with what ran when the kernel was killed'],
  ],
  options: addOptions,
  run(out, command) {
    const options = command.opts<Options>()
    if (options.resume !== undefined) return resume(out, command, options)
    const file = fileOf(command)
    if (options.unsettled !== undefined) throw new UsageError('--unsettled goes with --resume')
    return runKernel(out, options, { dir: options.evidence ?? evidenceDir }, (kernel) =>
      spawnOf(kernel, file, options),
    )
  },
}

function resume(out: Output, command: Command, options: Options): Promise<number> {
  const { resume, arg, name, timeout, evidence, unsettled } = options
  if (command.args.length > 0 || arg !== undefined || name !== undefined || timeout !== undefined)
    throw new UsageError(
      '--resume goes on with what is on record: a file, --arg, --name and --timeout are for a new run',
    )
  if (typeof resume === 'string' && evidence !== undefined)
    throw new UsageError('the folder of evidence is given twice: with --resume and with --evidence')
  const dir = typeof resume === 'string' ? resume : (evidence ?? evidenceDir)
  const found = findEvidence(dir)
  if (found.state !== 'found') throw new UsageError(`nothing can go on: ${found.reason}`)
  const settled = unsettled === undefined ? true : { unsettled }
  return runKernel(out, options, { dir, resume: settled }, (kernel) => {
    const [first, ...more] = kernel.restored
    if (first === undefined) out.note(`nothing in ${dir} goes on: its kernel ended in order, or ran nothing`)
    else out.note(`goes on: ${[first, ...more].map((each) => `${each.name} (pid ${each.pid})`).join(', ')}`)
    return first
  })
}

function spawnOf(kernel: KernelSpace, file: string, options: Options): ProcessHandle {
  const { arg: args = [], timeout, name } = options
  return kernel.spawn(
    { file },
    {
      args,
      ...(timeout !== undefined && { budget: { wall: timeout } }),
      ...(name !== undefined && { name }),
    },
  )
}

function addOptions(command: Command): void {
  addKernelOptions(command)
    .option('--arg <value>', 'an argument: JSON if it parses as JSON, otherwise text', each(argument))
    .option('--evidence <dir>', `where the record is kept (default: ${evidenceDir})`, once(text))
    .option('--timeout <duration>', 'the longest it may take, such as 30s or 5m', once(duration))
    .option(
      '--name <name>',
      "the agent's name in policies and evidence (default: the file's)",
      once(agentName),
    )
    .option(
      '--resume [dir]',
      `go on with what ran when the kernel of that folder was killed (default: ${evidenceDir})`,
    )
    .addOption(unsettledOption())
}

/** @throws UsageError before anything runs; a file that cannot be bundled is found later, by the kernel */
function fileOf(command: Command): string {
  const [file] = command.args
  if (file === undefined)
    throw new UsageError("missing required argument 'file', or --resume; see `gatehouse run --help`")
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file
  throw new UsageError(
    `no program at \`${file}\`; a relative path starts at the working directory, and \`gatehouse init\` writes a first agent`,
  )
}
