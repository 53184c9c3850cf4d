/** What each process, and the application, sees as files: homes, mounts, and views of the kernel. */
import type { Clock } from './clock.ts'
import { Homes } from './drivers/vfs/homes.ts'
import { makeTemporary, type OpenedMount, standardTree } from './drivers/vfs/layout.ts'
import type { Tree } from './drivers/vfs/tree.ts'
import type { PolicySet } from './policy/types.ts'
import type { Process } from './proc/process.ts'
import { makeViews, type ViewParts } from './views.ts'

export interface TreeParts {
  readonly clock: Clock
  readonly mounts: readonly OpenedMount[]
  /** What the views show. */
  readonly views: ViewParts
}

export class Trees {
  readonly #parts: TreeParts
  /** What belongs to agents' names. */
  readonly homes: Homes
  readonly #trees = new WeakMap<Process, Tree>()

  constructor(parts: TreeParts) {
    this.#parts = parts
    this.homes = new Homes(() => parts.clock.now())
  }

  /** Whether an agent of that name has left files. */
  has(agent: string): boolean {
    return this.homes.has(agent)
  }

  of(process: Process): Tree {
    const known = this.#trees.get(process)
    if (known !== undefined) return known
    const tree = this.#make(process.name, process.identity, () => process.policy)
    this.#trees.set(process, tree)
    return tree
  }

  /** The application's own look at an agent's files. */
  ofAgent(agent: string, policy: () => PolicySet): Tree {
    return this.#make(agent, undefined, policy)
  }

  forget(process: Process): void {
    this.#trees.delete(process)
  }

  async close(): Promise<void> {
    await Promise.all(this.#parts.mounts.map(({ mount }) => mount.close()))
  }

  #make(agent: string, whose: Process['identity'] | undefined, policy: () => PolicySet): Tree {
    const { clock, mounts, views } = this.#parts
    return standardTree({
      home: this.homes.of(agent),
      temporary: makeTemporary(() => clock.now()),
      views: makeViews(views, whose, policy),
      mounts,
    })
  }
}
