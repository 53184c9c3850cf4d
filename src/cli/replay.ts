/** `gatehouse replay`: whether the guest code of a recorded run does the same again. */

import type { Command } from 'commander'
import { Option } from 'commander'
import { findEvidence } from '../evidence/read.ts'
import type { UserSpace } from '../isolate/guest.ts'
import { withLineage } from '../rebuild/lineage.ts'
import type { Side } from '../replay/divergence.ts'
import { findRuns } from '../replay/find-run.ts'
import { readRun } from '../replay/recorded-run.ts'
import type { ReplayedProcess, ReplayedRun, ReplayVerdict } from '../replay/replay.ts'
import type { RunSource } from '../replay/source.ts'
import type { CommandSpec } from './command.ts'
import { evidenceDir, missing } from './evidence-dir.ts'
import { UsageError } from './failure.ts'
import { count, once, oneOf } from './options.ts'
import type { Output } from './output.ts'
import { visibleLine } from './terminal.ts'

/** As an evidence command's own: scripts and auditors act on them. */
const exitCodes: Readonly<Record<ReplayVerdict, number>> = { equal: 0, diverged: 1, incomplete: 2 }

const spaces = ['cell', 'inline'] as const

interface Options {
  readonly pid?: number
  readonly isolation?: (typeof spaces)[number]
}

export const replay: CommandSpec = {
  name: 'replay',
  args: '<run> [dir]',
  summary:
    'run the agent code of a recorded run again, with every reply, time and random value from the record in DIR (default: .gatehouse), and compare each call. Nothing else is touched. Exit codes: 0 equal, 1 diverged, 2 the record does not suffice, 3 no such run',
  examples: [
    ['gatehouse replay 3f9c2a51d0be', 'every process of the run; the beginning of its id is enough'],
    [
      'gatehouse replay 3f9c handed-over --pid 2 --json',
      'one process, from a copy of the record, for a program',
    ],
  ],
  options(command) {
    command
      .option('--pid <number>', 'only this process', once(count))
      .addOption(
        new Option(
          '--isolation <isolation>',
          `where agent code runs: ${spaces.join(', ')} (default: cell), whatever it ran in`,
        ).argParser(once(oneOf(spaces))),
      )
  },
  async run(out, command) {
    const [given = '', dir = evidenceDir] = command.args
    const found = findEvidence(dir)
    if (found.state !== 'found') return missing(out, dir, found.reason)
    const { evidence } = found
    const runs = given === '' ? [] : findRuns(evidence, given, namedMax)
    const [id] = runs
    if (id === undefined) return missing(out, dir, `no run \`${given}\` is on record in \`${dir}\``)
    if (runs.length > 1)
      throw new UsageError(`several runs begin with \`${given}\`: ${runs.join(', ')}; write more of it`)
    return replayed(out, command, withLineage(evidence), id, dir)
  },
}

/** Ids that are named where several fit. */
const namedMax = 10

async function replayed(
  out: Output,
  command: Command,
  source: RunSource,
  id: string,
  dir: string,
): Promise<number> {
  const { pid, isolation = 'cell' } = command.opts<Options>()
  const run = readRun(source, id)
  if (pid !== undefined && run.processes.every((process) => process.pid !== pid))
    return missing(out, dir, `run \`${id}\` has no process ${pid} on record`)
  // Loaded late: other commands work where isolated-vm does not.
  const { replayRun } = await import('../replay/replay.ts')
  const space = await openSpace(isolation)
  try {
    const result = await replayRun(run, {
      ...{ source, space },
      ...(pid !== undefined && { pid }),
      done: (process) => tellProcess(out, process),
    })
    tellRun(out, result)
    out.give({ dir, isolation, ...result })
    return exitCodes[result.verdict]
  } finally {
    await space.close()
    out.leave()
  }
}

async function openSpace(isolation: (typeof spaces)[number]): Promise<UserSpace> {
  if (isolation === 'cell') return new (await import('../isolate/cell-pool.ts')).CellPool()
  return new (await import('../isolate/inline.ts')).InlineSpace()
}

const colorOf = ({ colors }: Output, verdict: ReplayVerdict) =>
  ({ equal: colors.green, incomplete: colors.yellow, diverged: colors.red })[verdict]

function tellProcess(out: Output, process: ReplayedProcess): void {
  const { pid, agent, verdict, turns, calls, unproven, ended, gap, divergence } = process
  const what = `process ${pid} (${agent}): ${turns} turns, ${calls} calls; ${ended}`
  out.say(`${colorOf(out, verdict)(verdict)} ${visibleLine(what)}`)
  if (unproven > 0)
    out.say(`  ${unproven} calls were compared by name and length only: their arguments were deleted`)
  if (gap !== undefined) out.say(visibleLine(`  it can be repeated up to entry ${gap.seq}: ${gap.why}`))
  if (divergence === undefined) return
  const { turn, entry, recorded, replayed, place } = divergence
  out.say(`  in turn ${turn}${entry === null ? '' : `, entry ${entry}`}:`)
  tellSide(out, 'recorded', recorded)
  tellSide(out, 'replayed', replayed)
  if (place === undefined) return
  const { at, file, line, text = '', stack } = place
  const where = at === 'here' ? 'agent code' : 'its last call before'
  const which = file === undefined ? `line ${line}` : `${file}:${line}`
  if (line !== undefined) out.say(visibleLine(`  ${where}, ${which}: ${text}`))
  for (const frame of stack) out.say(out.colors.dim(visibleLine(`    at ${frame}`)))
}

function tellSide(out: Output, side: string, { what, args }: Side): void {
  out.say(visibleLine(`    ${side}: ${what}${args === undefined ? '' : ` ${args}`}`))
}

function tellRun(out: Output, { run, verdict, processes }: ReplayedRun): void {
  const calls = processes.reduce((sum, process) => sum + process.calls, 0)
  const says = {
    equal: `every call was made again, byte for byte: ${calls} calls of ${processes.length} processes`,
    diverged: 'it did something else than is on record',
    incomplete: 'not all of it could be repeated and compared',
  }[verdict]
  out.say(`${colorOf(out, verdict)(verdict)} run ${visibleLine(run)}: ${says}`)
}
