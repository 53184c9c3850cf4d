/** What `redact` and `prune` have in common: the folder is taken, as a kernel takes it, while payloads are deleted. */
import type { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { FileStore } from '../evidence/file-store.ts'
import { EvidenceLog } from '../evidence/log.ts'
import { findEvidence } from '../evidence/read.ts'
import { type Author, type Cut, finishRemoval, type Kept, removePayloads } from '../evidence/redact.ts'
import { EvidenceError } from '../evidence/store.ts'
import { userName } from './answer.ts'
import { missing } from './evidence-dir.ts'
import { exitCodes } from './failure.ts'
import { once, text } from './options.ts'
import type { Output } from './output.ts'
import { visibleLine } from './terminal.ts'

/** Adds who deletes. */
export function addByOption(command: Command): void {
  command.option('--by <name>', 'who deletes (default: the user of the operating system)', once(text))
}

/** @returns who deletes and why, as it goes on record */
export const authorOf = (command: Command, reason: string): Author => ({
  by: command.opts<{ by?: string }>().by ?? userName() ?? 'a user without a name',
  reason,
})

/**
 * Deletes payloads until there are none left of those that go.
 * @param cutOf what names them; asked anew where they are too many for one go
 * @returns the exit code
 * @throws EvidenceError EBUSY while a kernel writes there; others where the evidence cannot be read or written
 */
export async function removeFrom(
  out: Output,
  dir: string,
  cutOf: (kept: Kept) => Cut | Promise<Cut>,
): Promise<number> {
  const found = findEvidence(dir)
  if (found.state !== 'found') return missing(out, dir, found.reason)
  const store = openFree(dir)
  let payloads = 0
  let shared = 0
  try {
    const log = EvidenceLog.open({ store, clock: systemClock, durability: 'disk' })
    const kept: Kept = { log, store, pause: async () => {} }
    await finishRemoval(store)
    for (let more = true; more; ) {
      const removed = await removePayloads(kept, await cutOf(kept))
      payloads += removed.payloads
      shared += removed.shared
      more = removed.more
    }
    await log.close()
  } catch (error) {
    await store.close().catch(() => {})
    throw error
  }
  out.say(visibleLine(`${dir}: ${payloads} payloads deleted${payloads === 0 ? '' : ', on record'}`))
  if (shared > 0) out.note(`${shared} stay, since entries that are kept name them too`)
  out.give({ dir, payloads, shared })
  return exitCodes.done
}

function openFree(dir: string): FileStore {
  try {
    return FileStore.open(dir)
  } catch (error) {
    if (!(error instanceof EvidenceError) || error.code !== 'EBUSY') throw error
    const who = /\(.*?\)/.exec(error.message.slice(error.message.lastIndexOf('another kernel')))?.[0] ?? ''
    throw new EvidenceError(
      'EBUSY',
      `nothing is deleted in \`${dir}\`: a kernel writes there ${who}; end it first, or let it delete by itself with the option \`evidence: { dir, retention: "30d" }\``,
    )
  }
}
