/** Two texts as a unified difference, for a person who decides whether one takes the place of the other. */
import { limits } from '../limits.ts'

/** Lines around a change that are shown. */
const around = 3

/** `=`: in both; `-`: only before; `+`: only after. */
interface Line {
  readonly sign: '=' | '-' | '+'
  readonly text: string
}

/**
 * @param path how both sides are called
 * @returns the difference in the unified format of diff(1), empty where there is none; not fit for a terminal
 */
export function unifiedDifference(path: string, before: string, after: string): string {
  if (before === after) return ''
  const lines = compare(linesOf(before), linesOf(after))
  const hunks = hunksOf(lines).map(([from, to]) => hunkText(lines, from, to))
  return [`--- ${path}`, `+++ ${path}`, ...hunks].join('\n')
}

/** A last line without its newline is told apart from the same with one. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n')
  const last = lines.pop() ?? ''
  return last === '' ? lines : [...lines, `${last}\n\\ No newline at end of file`]
}

/** What both begin and end with is left out of the work. */
function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  let head = 0
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1
  let tail = 0
  const room = Math.min(before.length, after.length) - head
  while (tail < room && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1
  const same = (lines: readonly string[]): readonly Line[] => lines.map((text) => ({ sign: '=', text }))
  return [
    ...same(before.slice(0, head)),
    ...shortestEdit(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...same(before.slice(before.length - tail)),
  ]
}

/** The greedy algorithm of Myers (1986), up to a number of edits; past it everything is replaced. */
function shortestEdit(before: readonly string[], after: readonly string[]): readonly Line[] {
  const editsMax = Math.min(before.length + after.length, limits.approvalDiffEditsMax)
  /** For each number of edits: how far each diagonal k = x - y came, by k + edits. */
  const trace: Int32Array[] = []
  let reached = new Int32Array(1)
  for (let edits = 0; edits <= editsMax; edits += 1) {
    const next = new Int32Array(2 * edits + 3)
    for (let k = -edits; k <= edits; k += 2) {
      const down =
        k === -edits || (k !== edits && at(reached, k - 1, edits - 1) < at(reached, k + 1, edits - 1))
      let x = edits === 0 ? 0 : down ? at(reached, k + 1, edits - 1) : at(reached, k - 1, edits - 1) + 1
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x += 1
      next[k + edits] = x
      if (x >= before.length && x - k >= after.length) return walkBack(before, after, trace, edits)
    }
    trace.push(next)
    reached = next
  }
  return [
    ...before.map((text): Line => ({ sign: '-', text })),
    ...after.map((text): Line => ({ sign: '+', text })),
  ]
}

const at = (reached: Int32Array, k: number, edits: number): number => reached[k + edits] ?? -1

function walkBack(
  before: readonly string[],
  after: readonly string[],
  trace: readonly Int32Array[],
  editsAll: number,
): readonly Line[] {
  const lines: Line[] = []
  let x = before.length
  let y = after.length
  for (let edits = editsAll; edits > 0; edits -= 1) {
    const k = x - y
    const reached = trace[edits - 1] ?? new Int32Array(0)
    const down =
      k === -edits || (k !== edits && at(reached, k - 1, edits - 1) < at(reached, k + 1, edits - 1))
    const fromX = at(reached, down ? k + 1 : k - 1, edits - 1)
    const fromY = fromX - (down ? k + 1 : k - 1)
    while (x > fromX && y > fromY && before[x - 1] === after[y - 1]) {
      lines.push({ sign: '=', text: before[x - 1] ?? '' })
      x -= 1
      y -= 1
    }
    lines.push(down ? { sign: '+', text: after[fromY] ?? '' } : { sign: '-', text: before[fromX] ?? '' })
    x = fromX
    y = fromY
  }
  while (x > 0) {
    x -= 1
    lines.push({ sign: '=', text: before[x] ?? '' })
  }
  return lines.reverse()
}

/** Changes that are near each other share a hunk. */
function hunksOf(lines: readonly Line[]): readonly (readonly [from: number, to: number])[] {
  const hunks: [number, number][] = []
  for (const [index, { sign }] of lines.entries()) {
    if (sign === '=') continue
    const last = hunks.at(-1)
    const to = Math.min(lines.length, index + 1 + around)
    if (last !== undefined && index - around <= last[1]) last[1] = to
    else hunks.push([Math.max(0, index - around), to])
  }
  return hunks
}

function hunkText(lines: readonly Line[], from: number, to: number): string {
  const hunk = lines.slice(from, to)
  const count = (of: readonly Line[], not: '-' | '+'): number => of.filter(({ sign }) => sign !== not).length
  const range = (not: '-' | '+'): string => {
    const length = count(hunk, not)
    const start = count(lines.slice(0, from), not)
    return `${length === 0 ? start : start + 1},${length}`
  }
  const body = hunk.map(({ sign, text }) => `${sign === '=' ? ' ' : sign}${text}`)
  return [`@@ -${range('+')} +${range('-')} @@`, ...body].join('\n')
}
