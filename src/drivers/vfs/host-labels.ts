/** Labels of files in host folders, which only grow: what another program does there, and when a change of ours takes place, nobody can tell exactly. */
import { joinLabels, type Labels, noLabels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import { covers, folderOf } from './path.ts'
import { type MountLabels, PathLabels } from './path-labels.ts'

interface Move {
  readonly from: string
  readonly to: string
}

/** What all mounts of a kernel share, since two may show the same files: by the host's own paths, which never leave it. */
export class HostLabelTable {
  readonly paths = new PathLabels(limits.hostLabelsMax)
  /** Moves that may or may not have happened. */
  readonly moving = new Set<Move>()
  begun = 0
  over = 0
}

/** A change is noted before it begins, so that nobody reads what is new under labels that are old. */
export class HostLabels implements MountLabels {
  readonly #table: HostLabelTable
  readonly #root: string

  /** @param root what the host calls the folder of the mount, without links */
  constructor(table: HostLabelTable, root: string) {
    this.#table = table
    this.#root = root === '/' ? '' : root
  }

  /** No number while a change is under way, so that it equals nothing. */
  get changes(): number {
    return this.#table.begun === this.#table.over ? this.#table.begun : Number.NaN
  }

  of(path: string): Labels {
    const { paths } = this.#table
    return this.#placesOf(path).reduce((labels, at) => joinLabels(labels, paths.of(at)), noLabels)
  }

  around(path: string): Labels {
    const { paths } = this.#table
    return this.#placesOf(path).reduce((labels, at) => joinLabels(labels, paths.around(at)), noLabels)
  }

  through(path: string): Labels {
    const { paths } = this.#table
    return this.#placesOf(path).reduce((labels, at) => joinLabels(labels, paths.through(at)), noLabels)
  }

  release(path: string, labels: Labels): void {
    this.#table.paths.release(this.#at(path), labels)
  }

  /**
   * Notes what a change will bring, then makes it.
   * @param naming of who adds or takes away a name
   * @throws SyscallError ENOSPC where they cannot be kept; then nothing is changed; and what the change throws
   */
  change(path: string, labels: Labels, naming: Labels, act: () => Promise<void>): Promise<void> {
    this.#note(this.#at(path), labels, naming)
    return this.#during(act)
  }

  /** The same for a folder that is made. */
  make(path: string, labels: Labels, act: () => Promise<void>): Promise<void> {
    this.#note(this.#at(path), labels, labels)
    this.#table.paths.make(this.#at(path), labels)
    return this.#during(act)
  }

  /** @throws SyscallError ENOSPC, and what the move throws */
  async move(from: string, to: string, labels: Labels, act: () => Promise<void>): Promise<void> {
    const move = { from: this.#at(from), to: this.#at(to) }
    const { paths, moving } = this.#table
    this.#note(move.from, labels, labels)
    this.#note(move.to, labels, labels)
    paths.copy(move.from, move.to, labels)
    moving.add(move)
    try {
      await this.#during(act)
    } finally {
      // What was written to the old place meanwhile may stand at the new one.
      paths.copy(move.from, move.to, labels)
      moving.delete(move)
    }
  }

  async #during(act: () => Promise<void>): Promise<void> {
    this.#table.begun += 1
    try {
      await act()
    } finally {
      this.#table.over += 1
    }
  }

  #note(at: string, labels: Labels, naming: Labels): void {
    const { paths } = this.#table
    paths.assertRoom([at], labels)
    paths.assertRoom([folderOf(at)], naming)
    paths.add(at, labels)
    paths.add(folderOf(at), naming)
  }

  /** Where what is at a path now is, and may have been a moment ago. */
  #placesOf(path: string): readonly string[] {
    const at = this.#at(path)
    const moved = [...this.#table.moving].filter(({ to }) => covers(to, at))
    return [at, ...moved.map(({ from, to }) => `${from}${at.slice(to.length)}`)]
  }

  #at(path: string): string {
    return path === '/' ? this.#root || '/' : `${this.#root}${path}`
  }
}
