/** What `redact` and `prune` have in common: the folder is taken, as a kernel takes it, while payloads are deleted. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { systemClock } from '../clock.ts'
import { isSigner, type Sealing } from '../evidence/checkpoints.ts'
import { FileStore } from '../evidence/file-store.ts'
import { checkpointFile } from '../evidence/files/checkpoint-file.ts'
import { defaultKeyFile, readKeyFile } from '../evidence/files/key-file.ts'
import { EvidenceLog } from '../evidence/log.ts'
import { findEvidence } from '../evidence/read.ts'
import { type Author, type Cut, finishRemoval, type Kept, removePayloads } from '../evidence/redact.ts'
import { EvidenceError } from '../evidence/store.ts'
import { readTail } from '../evidence/tail.ts'
import { userName } from './answer.ts'
import { missing } from './evidence-dir.ts'
import { exitCodes, UsageError } from './failure.ts'
import { once, text } from './options.ts'
import type { Output } from './output.ts'
import { visibleLine } from './terminal.ts'

/** Adds who deletes, and with which key that is signed. */
export function addByOption(command: Command): void {
  command
    .option('--by <name>', 'who deletes (default: the user of the operating system)', once(text))
    .option(
      '--evidence-key <file>',
      'the private key that signs this evidence (default: your own)',
      once(text),
    )
}

/** @returns who deletes and why, as it goes on record */
export const authorOf = (command: Command, reason: string): Author => ({
  by: command.opts<{ by?: string }>().by ?? userName() ?? 'a user without a name',
  reason,
})

/**
 * Deletes payloads until there are none left of those that go.
 * @param command with its options
 * @param cutOf what names them; asked anew where they are too many for one go
 * @returns the exit code
 * @throws EvidenceError EBUSY while a kernel writes there; others where the evidence cannot be read or written
 */
export async function removeFrom(
  out: Output,
  dir: string,
  command: Command,
  cutOf: (kept: Kept) => Cut | Promise<Cut>,
): Promise<number> {
  const found = findEvidence(dir)
  if (found.state !== 'found') return missing(out, dir, found.reason)
  const store = openFree(dir)
  let payloads = 0
  let shared = 0
  try {
    const sealing = sealingOf(store, dir, command.opts<{ evidenceKey?: string }>().evidenceKey)
    const log = EvidenceLog.open({ store, clock: systemClock, durability: 'disk', sealing })
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

/** What is deleted is signed for by the key that has signed the rest; evidence without a key stays without one. */
function sealingOf(store: FileStore, dir: string, key: string | undefined): Sealing | undefined {
  const tail = readTail(store)
  if (tail.verifier === undefined && tail.note === undefined) return undefined
  const file = key ?? defaultKeyFile()
  const signer = existsSync(file) ? readKeyFile(file) : undefined
  if (signer === undefined || !isSigner(tail, signer))
    throw new UsageError(
      `nothing is deleted in \`${dir}\`: another key than \`${file}\` signs this evidence; name it with --evidence-key`,
    )
  return { signer, file: checkpointFile(dir) }
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
