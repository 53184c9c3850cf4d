/** What somebody can make of a record who holds its folder: with no key, with a key of his own, with the operator's. */
import { canonicalText } from '../../src/evidence/canonical.ts'
import { checkpointText } from '../../src/evidence/checkpoint.ts'
import type { Entry } from '../../src/evidence/entry.ts'
import { Frontier } from '../../src/evidence/merkle.ts'
import { type Signer, signNote, verifierOf, verifierText } from '../../src/evidence/note.ts'
import { leafHash, noEntry } from '../../src/evidence/verify.ts'

/** A record as an auditor is handed it. */
export interface Handed {
  readonly lines: readonly string[]
  readonly packs: readonly string[]
}

/** A line that differs from what it was. */
export function edited(line: string, nonce: number): string {
  const entry = JSON.parse(line)
  return canonicalText({ ...entry, time: Number(entry.time) + 1 + (nonce % 1_000) })
}

/** Numbers and chains the lines anew; checkpoints and keys stay as they are. */
export const rechained = (lines: readonly string[]): string[] => rebuild(lines, (entry) => entry)

/** Signs it all with another key, as if that had been the operator's from the start. */
export function resigned(lines: readonly string[], signer: Signer, origin?: string): string[] {
  const tree = new Frontier()
  let named = ''
  return rebuild(
    lines,
    (entry) => {
      if (entry.kind === 'key') {
        named = origin ?? String(entry.origin)
        const verifier = verifierText(verifierOf(signer.name, signer.publicKey))
        const { endorsement: _, ...rest } = entry
        return { ...rest, origin: named, verifier } as Entry
      }
      if (entry.kind !== 'checkpoint') return entry
      const head = { origin: named, size: tree.size, root: tree.root() }
      const frontier = tree.roots.map((root) => root.toString('hex'))
      return { ...entry, note: signNote(checkpointText(head), signer), frontier }
    },
    (line) => tree.push(Buffer.from(leafHash(line), 'hex')),
  )
}

/** Without what is signed. */
export const stripped = (lines: readonly string[]): string[] =>
  rechained(lines.filter((line) => !['key', 'checkpoint'].includes(kindOf(line))))

export const kindOf = (line: string): string => String(JSON.parse(line).kind)

function rebuild(
  lines: readonly string[],
  change: (entry: Entry) => Entry,
  written: (line: string) => void = () => {},
): string[] {
  const out: string[] = []
  const moved = new Map<unknown, number>()
  let prev = noEntry
  let time = 0
  for (const [seq, line] of lines.entries()) {
    const before = JSON.parse(line) as Entry
    moved.set(before.seq, seq)
    const entry = change({ ...renumbered(before, moved), seq, prev })
    if (entry.kind !== 'checkpoint') time = entry.time
    const made = canonicalText({ ...entry, time })
    written(made)
    prev = leafHash(made)
    out.push(made)
  }
  return out
}

/** What names other entries by their number names them by their new one. */
function renumbered(entry: Entry, moved: ReadonlyMap<unknown, number>): Entry {
  const now = (seq: unknown) => moved.get(seq) ?? seq
  const { intent, ask, replies } = entry
  return {
    ...entry,
    ...(intent !== undefined && { intent: now(intent) }),
    ...(ask !== undefined && { ask: now(ask) }),
    ...(Array.isArray(replies) && { replies: replies.map(now) }),
  } as Entry
}
