/** What of a kernel comes back from the record. */
import type { Children } from '../children.ts'
import type { Tree } from '../drivers/vfs/tree.ts'
import type { Runs } from '../gate/runs.ts'
import type { Gate } from '../gate.ts'
import type { ProcessTable } from '../proc/table.ts'
import type { Spawner } from '../spawner.ts'
import type { Drivers } from '../syscalls/row.ts'
import type { Included } from './effects.ts'

export interface FoldParts {
  readonly gate: Gate
  readonly drivers: Drivers
  readonly spawner: Spawner
  readonly table: ProcessTable
  readonly children: Children
  readonly runMemory: Runs
  readonly treeOfAgent: (agent: string) => Tree
  /** Runs that go on. */
  readonly runs: ReadonlySet<string>
  /** Intents whose end is on record, and requests that were answered. */
  readonly settled: ReadonlySet<number>
  readonly answered: ReadonlySet<number>
  /** What a snapshot brought back. */
  readonly included: Included
  /** Policies of the kernel before the first entry that is read: hash and canonical text; undefined where none were. */
  readonly ceiling: { readonly hash: string; readonly text: string | undefined } | undefined
  /** When the last entry was written, ms since 1970. */
  readonly time: number
}
