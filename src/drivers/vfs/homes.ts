/** What belongs to an agent's name and outlives its processes: /mem and /state. */
import { SyscallError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { MemoryMount } from './memory.ts'
import { Quota, Room } from './quota.ts'

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

  /**
   * @param now wall time in ms since 1970, for `modified`
   * @param room what all of them may take together
   */
  constructor(now: () => number, room: Room = new Room()) {
    this.#now = now
    this.#room = room
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
    const home = makeHome(this.#now, this.#room)
    this.#homes.set(agent, home)
    return home
  }
}

function makeHome(now: () => number, room: Room): Home {
  const quota = new Quota()
  const home = {
    memory: new MemoryMount({ mode: 'rw', now, quota, folders: ['/working', '/semantic', '/procedural'] }),
    episodic: new MemoryMount({ mode: 'append', now, quota }),
    state: new MemoryMount({ mode: 'rw', now, quota, folders: ['/checkpoints'] }),
  }
  // The layout itself is there for every name, even where all room is taken.
  quota.shareIn(room)
  return Object.freeze(home)
}
