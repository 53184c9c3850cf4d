/** Labels of files in a host folder, which only grow: what another program does there, and when a change of ours takes place, nobody can tell exactly. */
import { joinLabels, type Labels } from '../../labels.ts'
import { covers, folderOf } from './path.ts'
import type { MountLabels, PathLabels } from './path-labels.ts'

interface Move {
  readonly from: string
  readonly to: string
}

/** A change is noted before it begins, so that nobody reads what is new under labels that are old. */
export class HostLabels implements MountLabels {
  readonly #paths: PathLabels
  /** Moves that may or may not have happened. */
  readonly #moving = new Set<Move>()

  constructor(paths: PathLabels) {
    this.#paths = paths
  }

  of(path: string): Labels {
    return this.#placesOf(path).reduce(
      (labels, at) => joinLabels(labels, this.#paths.of(at)),
      this.#paths.of(path),
    )
  }

  around(path: string): Labels {
    return this.#placesOf(path).reduce(
      (labels, at) => joinLabels(labels, this.#paths.around(at)),
      this.#paths.around(path),
    )
  }

  /**
   * @param naming of who adds or takes away a name
   * @throws SyscallError ENOSPC where they cannot be kept; then nothing may be changed
   */
  change(path: string, labels: Labels, naming: Labels): void {
    this.#paths.assertRoom([path], labels)
    this.#paths.assertRoom([folderOf(path)], naming)
    this.#paths.add(path, labels)
    this.#paths.add(folderOf(path), naming)
  }

  /** @throws SyscallError ENOSPC, and what the move throws */
  async move(from: string, to: string, labels: Labels, act: () => Promise<void>): Promise<void> {
    this.change(from, labels, labels)
    this.change(to, labels, labels)
    this.#paths.copy(from, to, labels)
    const move = { from, to }
    this.#moving.add(move)
    try {
      await act()
    } finally {
      // What was written to the old place meanwhile may stand at the new one.
      this.#paths.copy(from, to, labels)
      this.#moving.delete(move)
    }
  }

  /** Where what is at a path now may have been a moment ago. */
  #placesOf(path: string): readonly string[] {
    return [...this.#moving]
      .filter(({ to }) => covers(to, path))
      .map(({ from, to }) => `${from}${path.slice(to.length)}`)
  }
}
