/** What a snapshot names comes back: files below /mem and /state, messages that wait, what is known of processes that ended. */
import { toBytes } from '../drivers/vfs/content.ts'
import type { Homes } from '../drivers/vfs/homes.ts'
import { payloadsOf } from '../drivers/vfs/image.ts'
import { EvidenceError } from '../evidence/store.ts'
import { type Json, parseGuestJson } from '../json.ts'
import { limits } from '../limits.ts'
import type { ProcessTable } from '../proc/table.ts'
import type { RunSource } from '../replay/source.ts'
import type { Drivers } from '../syscalls/row.ts'
import type { Included } from './effects.ts'
import type { FoldParts } from './fold-parts.ts'
import type { HomeImage, Snapshot } from './snapshot.ts'

export interface RestoreParts {
  readonly homes: Homes
  readonly drivers: Pick<Drivers, 'ipc'>
  readonly table: ProcessTable
  /** Where texts are kept. */
  readonly source: Pick<RunSource, 'payloads'>
}

/** @returns what the fold takes as given, before its first entry */
export function basisOf(
  snapshot: Snapshot | undefined,
  source: RestoreParts['source'],
): Pick<FoldParts, 'included' | 'ceiling'> {
  const included = includedIn(snapshot)
  if (snapshot === undefined) return { included, ceiling: undefined }
  const { policies: hash } = snapshot.head
  return { included, ceiling: { hash, text: source.payloads(new Set([hash])).get(hash)?.text } }
}

/** What a snapshot brings back need not be done again. */
function includedIn(snapshot: Snapshot | undefined): Included {
  if (snapshot === undefined) return { files: () => false, mailboxes: () => false }
  const homes = new Map(snapshot.homes.map(({ agent, seq }) => [agent, seq]))
  const { seq: all } = snapshot.head
  return {
    files: (agent, seq) => seq <= (homes.get(agent) ?? all),
    mailboxes: (seq) => seq <= all,
  }
}

/** @throws EvidenceError where a text is not kept any more, or something does not fit */
export function restore(snapshot: Snapshot | undefined, parts: RestoreParts): void {
  if (snapshot === undefined) return
  try {
    bringBack(snapshot, parts)
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    throw new EvidenceError('EIO', `what was after entry ${snapshot.head.seq} cannot be brought back: ${why}`)
  }
}

function bringBack({ head, homes }: Snapshot, parts: RestoreParts): void {
  parts.table.restore(head)
  const messages = head.mailboxes.flatMap(([, waiting]) => waiting.map(({ payload }) => payload))
  const sent = textsOf(parts, messages)
  for (const [agent, waiting] of head.mailboxes)
    for (const kept of waiting) parts.drivers.ipc.restore(agent, kept, messageIn(sent(kept.payload)))
  let window: HomeImage[] = []
  let bytes = 0
  const flush = (): void => {
    const text = textsOf(parts, window.flatMap(mountsOf).flatMap(payloadsOf))
    for (const home of window) restoreHome(home, parts.homes, (payload) => contentIn(text(payload)))
    window = []
    bytes = 0
  }
  for (const home of homes) {
    window.push(home)
    for (const { files } of mountsOf(home)) for (const [, , size] of files) bytes += size
    if (bytes > limits.replayWindowBytes) flush()
  }
  flush()
}

function restoreHome(image: HomeImage, homes: Homes, contentOf: (payload: string) => Uint8Array): void {
  const { memory, episodic, state } = homes.of(image.agent)
  memory.restore(image.memory, contentOf)
  episodic.restore(image.episodic, contentOf)
  state.restore(image.state, contentOf)
}

const mountsOf = ({ memory, episodic, state }: HomeImage) => [memory, episodic, state]

function textsOf({ source }: RestoreParts, hashes: readonly string[]): (hash: string) => string {
  const texts = source.payloads(new Set(hashes))
  return (hash) => {
    const text = texts.get(hash)?.text
    if (text === undefined)
      throw new EvidenceError(
        'EIO',
        `payload ${hash.slice(0, 16)}… is not kept, of which a file or message is made`,
      )
    return text
  }
}

/** @param text the arguments of a call that wrote, or of the application */
function contentIn(text: string): Uint8Array {
  const { text: content, base64 } = parseGuestJson(text) as Readonly<Record<string, Json | undefined>>
  if (typeof content === 'string') return toBytes({ text: content })
  return toBytes({ base64: String(base64) })
}

const messageIn = (text: string): Json => (parseGuestJson(text) as { readonly message: Json }).message
