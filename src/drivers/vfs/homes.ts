/** What belongs to an agent's name and outlives its processes: /mem and /state. */
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { MemoryMount } from './memory.ts'
import type { MountMode } from './mount.ts'
import { Quota, Room } from './quota.ts'
import { SourceRoom, Sources } from './sources.ts'

/** One agent's own folders; all of them count against one quota. */
export interface Home {
  /** /mem, with working, semantic and procedural. */
  readonly memory: MemoryMount
  /** /mem/episodic: what happened is added to, never changed. */
  readonly episodic: MemoryMount
  /** /state, with checkpoints. */
  readonly state: MemoryMount
}

export class Homes {
  readonly #now: () => number
  readonly #room: Room
  readonly #homes = new Map<string, Home>()
  /** For what is remembered of what files are made. */
  readonly #sources = new SourceRoom(limits.snapshotPiecesMax)

  /**
   * @param now wall time in ms since 1970, for `modified`
   * @param room what all of them may take together
   */
  constructor(now: () => number, room: Room = new Room()) {
    this.#now = now
    this.#room = room
  }

  /** Names that have one. */
  get agents(): readonly string[] {
    return [...this.#homes.keys()]
  }

  has(agent: string): boolean {
    return this.#homes.has(agent)
  }

  /**
   * @param agent a name as the kernel registered it
   * @returns the same home for the same name, in the life of the kernel
   * @throws SyscallError EAGAIN when the kernel keeps too many already
   */
  of(agent: string): Home {
    const known = this.#homes.get(agent)
    if (known !== undefined) return known
    if (this.#homes.size >= limits.homesMax) {
      throw new SyscallError(
        'EAGAIN',
        `the kernel keeps files for ${limits.homesMax} agent names already; use one of these`,
      )
    }
    const home = makeHome(this.#now, this.#room, this.#sources)
    this.#homes.set(agent, home)
    return home
  }
}

function makeHome(now: () => number, room: Room, sources: SourceRoom): Home {
  const quota = new Quota()
  const mount = (mode: MountMode, folders: readonly string[]): MemoryMount =>
    new MemoryMount({ mode, now, quota, folders, sources: new Sources(sources) })
  const home = {
    memory: mount('rw', ['/working', '/semantic', '/procedural']),
    episodic: mount('append', []),
    state: mount('rw', ['/checkpoints']),
  }
  // The layout itself is there for every name, even where all room is taken.
  quota.shareIn(room)
  return Object.freeze(home)
}
