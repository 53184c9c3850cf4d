/** How a run ended, for people, for programs and for the shell. */
import type { Json } from '../json.ts'
import type { Mode } from '../policy/types.ts'
import type { Exit } from '../proc/exit.ts'
import type { ProcessRow } from '../proc/rows.ts'
import { signals } from '../proc/signals.ts'
import { exitCodes } from './failure.ts'
import type { Output } from './output.ts'
import { elapsed } from './progress.ts'
import type { Tally } from './tally.ts'
import { visible, visibleJson, visibleLine } from './terminal.ts'

export interface Ended {
  readonly exit: Exit
  /** The process as the table shows it. */
  readonly row: ProcessRow | undefined
  readonly tally: Tally
  readonly policy: { readonly name: string; readonly hash: string; readonly mode: Mode }
  readonly evidence: { readonly dir: string; readonly entries: number; readonly hash: string }
}

/** @returns 0 for a result, 1 for a failed agent, 3 for an unhandled refusal, 128 + n for a signal */
export function exitCodeOf(ended: Pick<Ended, 'exit' | 'row'>): number {
  const { status, error, signal } = ended.exit
  if (status === 'exited') return exitCodes.done
  if (cannotExit(ended)) return exitCodes.signal + signals.SIGKILL.number
  if (signal !== undefined) return exitCodes.signal + signals[signal].number
  return error?.refused === true ? exitCodes.refused : exitCodes.failed
}

/**
 * An isolate of this process that V8 gave up for want of memory can never be disposed, and Node.js waits for it in vain
 * when it exits: only SIGKILL ends such a process.
 */
export const cannotExit = ({ exit, row }: Pick<Ended, 'exit' | 'row'>): boolean =>
  exit.error?.code === 'ENOMEM' && row?.isolation === 'inline'

/** Prints the value on stdout and the rest on stderr; in JSON mode one document on stdout. */
export function tellEnd(out: Output, ended: Ended): void {
  const { exit, row, tally, policy, evidence } = ended
  if (exit.value !== undefined) out.say(valueText(exit.value))
  if (exit.status !== 'exited') {
    // An agent wrote them; no line of theirs can pass for one of the command.
    const stack = exit.error?.stack?.replaceAll(/^/gm, '  ')
    out.fail(visibleLine(whyEnded(row?.name ?? 'agent', exit)), stack)
  }
  if (!out.json) tellSummary(out, ended)
  const { value, error, ...rest } = exit
  const { pid, run, name, isolation } = row ?? {}
  out.give({
    ...{ pid, run, name, isolation, policy, exitCode: exitCodeOf(ended) },
    ...rest,
    ...(value !== undefined && { value }),
    ...(error !== undefined && { error: { ...error, stack: out.withStack ? error.stack : undefined } }),
    calls: { permitted: tally.permitted, refused: tally.refused, observed: tally.observed },
    evidence: { dir: evidence.dir, entries: evidence.entries, head: evidence.hash },
  })
}

const valueText = (value: Json): string =>
  typeof value === 'string' ? visible(value) : visibleJson(JSON.stringify(value, null, 2))

function whyEnded(name: string, { status, error, signal, reason }: Exit): string {
  if (status === 'killed') return `\`${name}\` was ended by ${signal}: ${reason}`
  if (error?.refused === true)
    return `\`${name}\` ended because it did not handle a refusal: ${error.message}`
  return `\`${name}\` failed: ${error?.message ?? reason}`
}

function tellSummary(out: Output, { exit, row, tally, policy, evidence }: Ended): void {
  const mode = policy.mode === 'observe' ? ', which only observes' : ''
  const where =
    row === undefined ? '' : ` (pid ${row.pid}, isolation ${row.isolation}, policy ${policy.name}${mode})`
  const observed = tally.observed === 0 ? '' : `, ${tally.observed} would have been refused`
  const calls = `${tally.permitted} permitted, ${tally.refused} refused${observed}`
  out.note(
    `${row?.name ?? 'agent'}${where}: ${exit.status} after ${elapsed(exit.usage.wallMs)}; calls: ${calls}`,
  )
  out.note(
    `evidence ${evidence.dir}: ${evidence.entries} entries, head ${evidence.hash}, run ${row?.run ?? ''}`,
  )
}
