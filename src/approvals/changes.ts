/** What a call would change, side by side: as a person is shown it, and as an approval is bound to it. */
import { type Looked, lookedBytes } from '../drivers/vfs/look.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import type { FileStake } from '../syscalls/row.ts'
import { unifiedDifference } from './difference.ts'
import type { Change, SideOfChange } from './request.ts'

/** One file or folder as it stands now. */
export interface Seen {
  readonly stake: FileStake
  readonly now: Looked
}

/** @returns what an approval is bound to: nothing but what stands there now */
export const seenAsJson = (seen: readonly Seen[]): Json =>
  seen.map(({ stake, now }) => ({ path: stake.path, ...sideOf(now) }))

/** @returns what a person is shown; all differences together are bounded */
export function changesOf(seen: readonly Seen[]): readonly Change[] {
  let room = limits.approvalDiffShownMax
  return seen.map(({ stake, now }) => {
    const after = afterOf(stake, now, seen)
    const before = sideOf(now)
    // Where a file is moved from, its text is not lost.
    const whole = stake.becomes === 'moved' ? undefined : differenceOf(stake.path, now, after)
    const change = { path: stake.path, before, ...(after !== undefined && { after: sideOf(after) }) }
    if (whole === undefined || whole === '') return change
    const difference = whole.slice(0, room).toWellFormed()
    room -= difference.length
    return { ...change, difference, ...(difference.length < whole.length && { cut: true as const }) }
  })
}

/** What is read of a file so large that its text is not known cannot be joined with what is added. */
type After = Looked | { readonly type: 'file'; readonly bytes: number }

function afterOf(stake: FileStake, now: Looked, seen: readonly Seen[]): After | undefined {
  const { becomes } = stake
  if (becomes === 'nothing' || becomes === 'moved') return { type: 'absent' }
  if ('movedFrom' in becomes) return seen.find((it) => it.stake.path === becomes.movedFrom)?.now
  const { bytes, added } = becomes
  if (!added || now.type === 'absent') return lookedBytes(bytes)
  if (now.type === 'folder') return undefined
  if (now.text === undefined) return { type: 'file', bytes: now.bytes + bytes.length }
  return lookedBytes(Buffer.concat([Buffer.from(now.text), bytes]))
}

function differenceOf(path: string, before: Looked, after: After | undefined): string | undefined {
  const from = textOf(before)
  const to = after === undefined ? undefined : textOf(after)
  return from === undefined || to === undefined ? undefined : unifiedDifference(path, from, to)
}

/** What is not there differs from everything that is. */
function textOf(side: After): string | undefined {
  if (side.type === 'absent') return ''
  return side.type === 'file' && 'text' in side ? side.text : undefined
}

function sideOf(side: After): SideOfChange {
  const { text: _, ...rest } = { text: undefined, ...side }
  return rest
}
