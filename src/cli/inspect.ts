/** `gatehouse inspect`: everything that a running kernel knows of one process. */

import { rowsOf } from '../evidence/report/timeline.ts'
import type { InspectedFrame, Inspection, LiveInspection } from '../inspect.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { addDirOption, withKernel } from './find-kernel.ts'
import { bytes, leftOf, seconds } from './process-cells.ts'
import { visibleLine } from './terminal.ts'

export const inspect: CommandSpec = {
  name: 'inspect',
  args: '<target>',
  summary:
    'look at one process, by pid or name: where it stands if it is stopped, its calls, its last entries',
  examples: [
    ['gatehouse inspect 3', 'with the stack of its code, after `gatehouse kill -s STOP 3`'],
    ['gatehouse inspect researcher --json', 'for a program'],
  ],
  options: addDirOption,
  async run(out, command) {
    const [target = ''] = command.args
    const inspection = await withKernel(command, (kernel) => kernel.inspect(target))
    for (const line of describe(inspection)) out.say(visibleLine(line))
    out.give(inspection)
    return exitCodes.done
  },
}

/** @returns lines for people; not yet fit for a terminal */
export function describe({ process, end, live }: Inspection): readonly string[] {
  const { pid, ppid, name, run, state, isolation, policy, cpuMs, heapBytes, wallMs, syscalls } = process
  return [
    `${name} (pid ${pid}${ppid === 0 ? '' : `, child of ${ppid}`}): ${state}${howFrozen(live?.frozen)}`,
    ...(end === undefined ? [] : [field('ended', endText(end))]),
    field('isolation', isolation),
    field('policy', policyText(policy, live)),
    field('run', run),
    field('used', `${seconds(cpuMs)} cpu, ${bytes(heapBytes)} heap, ${seconds(wallMs)}, ${syscalls} calls`),
    field('left', leftOf(process.budgetLeft)),
    field('labels', process.labels.join(', ') || '-'),
    ...(live === undefined ? [] : describeLive(live)),
  ]
}

function describeLive(live: LiveInspection): readonly string[] {
  const { stack, framesMore, stackMissing, inFlight, held, repliesWaiting, signals, children } = live
  return [
    field('signals', signalsText(signals)),
    field(
      'children',
      children.map(({ pid, name, state }) => `${name} (pid ${pid}, ${state})`).join(', ') || '-',
    ),
    field('waiting', `${held.count} calls held until CONT, ${repliesWaiting} replies to deliver`),
    ...section('stack', stackMissing === undefined ? stack.map(frameText) : [stackMissing]),
    ...(framesMore > 0 ? [`  and ${framesMore} frames further out`] : []),
    ...section(
      'calls in flight',
      inFlight.map(({ number, syscall, resource, ms, approval }) =>
        [
          ...[`#${number}`, syscall, resource, `open for ${seconds(ms)}`],
          approval === undefined ? '' : `waits for approval ${approval}`,
        ]
          .filter(Boolean)
          .join(' '),
      ),
    ),
    ...section(
      'calls held',
      held.calls.map(({ number, syscall }) => `#${number} ${syscall}`),
    ),
    ...section('last entries', entriesText(live.entries)),
  ]
}

const field = (name: string, text: string): string => `  ${name.padEnd(9)} ${text}`

const section = (name: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`${name}:`, ...lines.map((line) => `  ${line}`)]

function howFrozen(frozen: LiveInspection['frozen']): string {
  if (frozen === undefined) return ''
  return {
    paused: ', frozen in the middle of an instruction',
    idle: ', frozen between two turns',
    system: ', stopped with its whole cell by the operating system',
  }[frozen]
}

function endText({ status, signal, code, reason }: NonNullable<Inspection['end']>): string {
  const by = signal ?? code
  return `${status}${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : `: ${reason}`}`
}

function policyText(name: string, live: LiveInspection | undefined): string {
  if (live === undefined) return name
  const { names, hash, mode } = live.policy
  return `${names.join(' + ')}${mode === 'observe' ? ', which only observes' : ''} (${hash})`
}

function signalsText(signals: LiveInspection['signals']): string {
  const parts = (['pending', 'masked', 'handled', 'ignored'] as const)
    .filter((what) => signals[what].length > 0)
    .map((what) => `${what}: ${signals[what].join(' ')}`)
  return parts.join('; ') || '-'
}

const frameText = ({ function: name, file, line, column }: InspectedFrame): string =>
  `${name === '' ? '(anonymous)' : name} at ${file}:${line}:${column}`

function entriesText(entries: LiveInspection['entries']): readonly string[] {
  const rows = [...rowsOf(entries)]
  return rows.map(({ seq, time, what, resource, decision, outcome }) =>
    [String(seq), time.slice(11, 23), what, resource, decision, outcome].filter(Boolean).join('  '),
  )
}
