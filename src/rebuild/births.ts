/** How processes of before this kernel began and ended. */
import { recordedNarrowing } from '../config/policy.ts'
import type { Entry, PayloadRef } from '../evidence/entry.ts'
import { EvidenceError } from '../evidence/store.ts'
import type { Payload } from '../evidence/verify.ts'
import type { Json } from '../json.ts'
import { noLabels } from '../labels.ts'
import type { Exit } from '../proc/exit.ts'
import type { FoldParts } from './fold-parts.ts'
import type { Known } from './known.ts'
import type { Past } from './past-entries.ts'

type TextOf = (ref: PayloadRef | undefined) => string | undefined

export class Births {
  readonly #parts: FoldParts
  readonly #known: (pid: number) => Known | undefined
  /** The policies of the kernel then: the hash of their canonical text, and that text where it is kept. */
  #ceiling: { readonly hash: string; readonly text: string | undefined } | undefined

  constructor(parts: FoldParts, known: (pid: number) => Known | undefined) {
    this.#parts = parts
    this.#known = known
    this.#ceiling = parts.ceiling
  }

  /** Takes note of the policies of a kernel. */
  policy(entry: Entry, texts: ReadonlyMap<string, Payload>): void {
    if (entry.kind !== 'open' && (entry.kind !== 'reload' || entry.pid !== undefined)) return
    const { documents } = entry
    const hash =
      typeof documents === 'object' && documents !== null && 'hash' in documents ? documents.hash : ''
    this.#ceiling = { hash: String(hash), text: texts.get(String(hash))?.text }
  }

  /** @returns the process; undefined where it is known already, or never began for whoever started it */
  born(entry: Entry, spawn: Past<'spawn'>, run: string | undefined, text: TextOf): Known | undefined {
    const { pid, ppid, agent: name, isolation, labels, budget, extraction } = spawn
    if (entry.fork !== undefined && this.#known(pid) !== undefined) return undefined
    const parent = this.#known(ppid)
    const call = callOf(parent, extraction === true)
    // Its parent was not answered, and asks again.
    if (call !== undefined && extraction === undefined) return undefined
    const goesOn = run !== undefined && this.#parts.runs.has(run) && isolation !== 'host'
    const { spawner, table, children, drivers } = this.#parts
    const process = spawner.restore(
      {
        identity: {
          ...{ pid, ppid, run: run ?? entry.run ?? '', name, isolation },
          ...(extraction && { sealed: true }),
        },
        own: goesOn ? this.#narrowing(text(spawn.documents)) : undefined,
        budget: goesOn ? (budget as never) : {},
        labels,
        args: argsOf(text(spawn.args)),
      },
      parent?.process,
    )
    if (goesOn) {
      table.add(process)
      if (this.#ceiling !== undefined)
        table.beginnings.set(process, { seq: entry.seq, policies: this.#ceiling.hash })
      if (parent !== undefined && parent.process.name !== name) children.keepName(process.identity.run, name)
      if (call !== undefined && parent !== undefined)
        drivers.proc.resumeExtraction(parent.process, call, process)
    }
    return {
      ...{
        process,
        goesOn,
        dangling: new Map(),
        asks: new Map(),
        posted: [],
        latest: undefined,
        isHeld: false,
        heldAt: 0,
      },
    }
  }

  #narrowing(documents: string | undefined) {
    if (documents === undefined || this.#ceiling?.text === undefined)
      throw new EvidenceError('EIO', 'the policies that it was under are not kept')
    return recordedNarrowing(documents, this.#ceiling.text)
  }

  ended({ process, goesOn }: Known, exit: Past<'exit'>, value: string | undefined): void {
    const { status, error, signal, reason, labels = noLabels, usage } = exit
    if (goesOn && usage !== undefined) process.ledger.spend('cpuMs', usage.cpuMs)
    const ended: Exit = {
      ...{ status, labels, usage: process.usage },
      ...(error !== undefined && { error }),
      ...(signal !== undefined && { signal }),
      ...(reason !== undefined && { reason }),
      ...(value !== undefined && { value: JSON.parse(value) as Json }),
    }
    process.hadEnded(ended)
    this.#parts.table.bury(process, ended)
    if (process.parent === undefined) this.#parts.runMemory.end(process)
  }
}

/** @returns the number of the call that started it, where that is not answered yet */
function callOf(parent: Known | undefined, isExtraction: boolean): number | undefined {
  const syscall = isExtraction ? 'proc.extract' : 'proc.spawn'
  const { entry } = parent?.latest ?? {}
  return entry?.syscall === syscall && parent?.dangling.has(entry.call) ? entry.call : undefined
}

function argsOf(text: string | undefined): readonly Json[] {
  const args: unknown = text === undefined ? [] : JSON.parse(text)
  return Array.isArray(args) ? args : []
}
