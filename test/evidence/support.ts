/** What the tests of evidence share: a folder of their own, a clock that ticks by reading it, calls to record. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import type { IntentBody, PayloadRef } from '../../src/evidence/entry.ts'
import { FileStore } from '../../src/evidence/file-store.ts'
import { checkpointFile } from '../../src/evidence/files/checkpoint-file.ts'
import { makeSigner } from '../../src/evidence/keys.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { MemoryStore } from '../../src/evidence/memory-store.ts'
import { type Signer, verifierOf, verifierText } from '../../src/evidence/note.ts'

export function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-evidence-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export function tickingClock(): Clock {
  let time = 1_700_000_000_000
  return {
    now: () => {
      time += 1
      return time
    },
    monotonic: () => time,
    after: () => () => {},
  }
}

export const inMemory = (bytesMax?: number): EvidenceLog =>
  EvidenceLog.open({ store: new MemoryStore(bytesMax), clock: tickingClock(), durability: 'process' })

export const inFolder = (
  dir: string,
  segmentBytes?: number,
  durability: 'process' | 'disk' = 'process',
): EvidenceLog =>
  EvidenceLog.open({ store: FileStore.open(dir, segmentBytes), clock: tickingClock(), durability })

/** As a kernel keeps it: signed, with the newest note beside it. */
export const signedIn = (dir: string, signer: Signer = makeSigner(), previous?: Signer): EvidenceLog =>
  EvidenceLog.open({
    store: FileStore.open(dir),
    clock: tickingClock(),
    durability: 'process',
    sealing: { signer, file: checkpointFile(dir), ...(previous && { previous }) },
  })

/** The public form of a key. */
export const verifierFor = ({ name, publicKey }: Signer): string => verifierText(verifierOf(name, publicKey))

export function intent(args: PayloadRef, call = 1): IntentBody {
  return {
    kind: 'intent',
    run: 'r1',
    pid: 7,
    agent: 'researcher',
    isolation: 'cell',
    call,
    syscall: 'fs.read',
    resource: '/mem/working/notes.txt',
    args,
    decision: {
      effect: 'permit',
      policy: 'a'.repeat(64),
      rules: [{ policy: 'researcher', id: 'notes', line: 12 }],
    },
  }
}

/** Records a call that was permitted and done. */
export function recordCall(log: EvidenceLog, call = 1, text = `{"call":${call}}`): void {
  const { seq } = log.append(intent(log.payload(text), call))
  log.append({
    kind: 'outcome',
    run: 'r1',
    pid: 7,
    intent: seq,
    status: 'committed',
    result: log.payload('"done"'),
  })
}

export const linesOf = (dir: string, file = 'log-000001.jsonl'): string[] =>
  readFileSync(join(dir, file), 'utf8').split('\n').slice(0, -1)
