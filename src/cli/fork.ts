/** `gatehouse fork`: begins a run of its own where one on record was. */
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { findEvidence } from '../evidence/read.ts'
import type { Json } from '../json.ts'
import { findRuns } from '../replay/find-run.ts'
import type { CommandSpec } from './command.ts'
import { evidenceDir } from './evidence-dir.ts'
import { UsageError } from './failure.ts'
import { addKernelOptions, type KernelRunOptions, runKernel, unsettledOption } from './kernel-run.ts'
import { each, once, text } from './options.ts'

interface Options extends KernelRunOptions {
  readonly program?: string
  readonly reply?: readonly EditedReply[]
}

interface EditedReply {
  readonly seq: number
  readonly value: Json
}

export const fork: CommandSpec = {
  name: 'fork',
  args: '<run@seq> [dir]',
  summary:
    'begin a run of its own where one on record was after an entry: what it had come to comes back from the record, nothing outside is done again, and from there on it is live. Exit codes as of `run`',
  examples: [
    ['gatehouse fork 5f0c9a1b2c3d@42 --policy policy.yaml', 'under the options of `gatehouse run`'],
    [
      'gatehouse fork 5f0c9a1b2c3d@42 --program agent.ts',
      'with another version, which has to do the same up to there',
    ],
    [
      `gatehouse fork 5f0c9a1b2c3d@42 --reply '42={"ok":false}'`,
      'with another result of the call that entry 42 ended',
    ],
  ],
  options: addOptions,
  run(out, command) {
    const options = command.opts<Options>()
    const [place = '', dir = evidenceDir] = command.args
    const { given, seq } = placeOf(place)
    const run = runIn(dir, given)
    const { program, reply = [], unsettled } = options
    const replies = Object.fromEntries(reply.map((edited) => [edited.seq, edited.value]))
    const fork = {
      ...{ run, seq, replies },
      ...(program !== undefined && { program: { file: program } }),
      ...(unsettled !== undefined && { unsettled }),
    }
    return runKernel(out, options, { dir, fork }, (kernel) => {
      const [first] = kernel.restored
      if (first !== undefined)
        out.note(`goes on from run ${run}, entry ${seq}: ${first.name} (pid ${first.pid})`)
      return first
    })
  },
}

function addOptions(command: Command): void {
  addKernelOptions(command)
    .option('--program <file>', "another version of the first process's program", once(text))
    .option(
      '--reply <seq=json>',
      'another result of the call that this entry ended: JSON, or a file that holds it',
      each(readReply),
    )
    .addOption(unsettledOption())
}

function placeOf(place: string): { readonly given: string; readonly seq: number } {
  const { run: given, seq } = /^(?<run>[^@]+)@(?<seq>\d+)$/.exec(place)?.groups ?? {}
  if (given !== undefined && seq !== undefined) return { given, seq: Number(seq) }
  throw new UsageError(
    `\`${place}\` names no place: write RUN@SEQ, such as 5f0c9a1b2c3d@42; \`gatehouse evidence timeline\` shows both`,
  )
}

/** @returns the run's whole id */
function runIn(dir: string, given: string): string {
  const found = findEvidence(dir)
  if (found.state !== 'found') throw new UsageError(found.reason)
  const [id, ...more] = findRuns(found.evidence, given, 2)
  if (id !== undefined && more.length === 0) return id
  throw new UsageError(
    id === undefined
      ? `no run \`${given}\` is on record in \`${dir}\``
      : `several runs begin with \`${given}\`; write more of it`,
  )
}

function readReply(given: string): EditedReply {
  const { seq, rest = '' } = /^(?<seq>\d+)=(?<rest>.+)$/su.exec(given)?.groups ?? {}
  if (seq === undefined) throw new UsageError('--reply is not sound: write SEQ=JSON or SEQ=FILE')
  const value = parsed(rest) ?? parsed(textOf(rest))
  if (value !== undefined) return { seq: Number(seq), value: value.json }
  throw new UsageError(`--reply ${seq}: what is given is neither JSON nor a file that holds it`)
}

function parsed(json: string): { readonly json: Json } | undefined {
  try {
    return { json: JSON.parse(json) as Json }
  } catch {
    return undefined
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
