/** What `top` shows and what its keys do; pure, so that it can be tested without a terminal. */
import type { PsReply } from '../control/protocol.ts'
import type { SignalName } from '../proc/signals.ts'
import type { Colors } from './output.ts'
import { processCells, processHead } from './process-cells.ts'
import { tableOf } from './table.ts'
import { shortened, visibleLine } from './terminal.ts'

export interface TopState {
  readonly reply: PsReply
  /** The process that keys act on; it stays the same while rows come and go. */
  readonly selected: number | undefined
  /** What the last key did, or why the kernel does not answer. */
  readonly message: string
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** What a key asks for. */
export type Press =
  | { readonly do: 'move'; readonly by: number }
  | { readonly do: 'signal'; readonly signal: SignalName }
  | { readonly do: 'quit' }

const signals: Readonly<Record<string, SignalName>> = {
  s: 'SIGSTOP',
  c: 'SIGCONT',
  t: 'SIGTERM',
  K: 'SIGKILL',
}
const moves: Readonly<Record<string, number>> = {
  j: 1,
  k: -1,
  '\u001b[B': 1,
  '\u001b[A': -1,
  '\u001bOB': 1,
  '\u001bOA': -1,
}
/** An arrow comes as a control character and two more (xterm); everything else is a key by itself. */
const keyParts = /\p{Cc}[[O][A-D]|[\s\S]/gu
/** Head of the screen, head of the table, message, help. */
const linesAround = 4
const help = 'up/down or k/j select · s stop · c continue · t terminate · K kill · q quit'

/** @param typed what came from the terminal: several keys may come at once */
export const pressesOf = (typed: string): readonly Press[] =>
  [...typed.matchAll(keyParts)].flatMap(([key]): readonly Press[] => {
    const signal = Object.hasOwn(signals, key) ? signals[key] : undefined
    const by = Object.hasOwn(moves, key) ? moves[key] : undefined
    if (signal !== undefined) return [{ do: 'signal', signal }]
    if (by !== undefined) return [{ do: 'move', by }]
    // Ctrl-C and Ctrl-D come as characters while a terminal is raw.
    return key === 'q' || key === '\u0003' || key === '\u0004' ? [{ do: 'quit' }] : []
  })

/** At first the oldest process is selected. */
export const begun = (reply: PsReply): TopState => ({
  reply,
  selected: reply.processes[0]?.pid,
  message: '',
})

/** The rows are new: the selection stays with its process, and ends with it, so that no key hits its neighbour. */
export function refreshed(state: TopState, reply: PsReply): TopState {
  return { ...state, reply, selected: reply.processes.find(({ pid }) => pid === state.selected)?.pid }
}

export function moved(state: TopState, by: number): TopState {
  const pids = state.reply.processes.map(({ pid }) => pid)
  const at = pids.indexOf(state.selected ?? -1)
  return { ...state, selected: pids[Math.min(Math.max(at + by, 0), pids.length - 1)] }
}

/** @returns the lines of one screen; none is wider or more than it holds, and none steers it */
export function screenOf(state: TopState, { columns, rows }: Size, colors: Colors): readonly string[] {
  const { kernel, processes } = state.reply
  const at = processes.findIndex(({ pid }) => pid === state.selected)
  const room = Math.max(1, rows - linesAround)
  const first = Math.max(0, Math.min(at - Math.floor(room / 2), processes.length - room))
  const window = processes.slice(first, first + room)
  const [head = '', ...body] = tableOf(processHead, window.map(processCells), colorless).split('\n')
  const cut = (line: string): string => shortened(line, columns)
  const title = `gatehouse, process ${kernel.pid}, policy ${kernel.policy.name}: ${processes.length === 1 ? '1 process' : `${processes.length} processes`}`
  return [
    cut(visibleLine(title)),
    colors.bold(cut(head)),
    ...body.map((line, index) =>
      first + index === at ? colors.inverse(cut(line.padEnd(columns))) : cut(line),
    ),
    cut(visibleLine(state.message)),
    colors.dim(cut(help)),
  ].slice(0, Math.max(1, rows))
}

/** Lines are cut before they are coloured: an escape that is cut would steer the terminal. */
const colorless: Pick<Colors, 'bold'> = { bold: String }
