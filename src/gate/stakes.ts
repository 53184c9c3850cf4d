/** A look at what a call would change, under a grant of its own: for a person, and for what an approval is bound to. */
import type { Seen } from '../approvals/changes.ts'
import { SyscallError } from '../errors.ts'
import type { GrantMint } from '../grant.ts'
import type { Flight } from '../proc/flight.ts'
import type { Process } from '../proc/process.ts'
import type { Drivers, Stakes } from '../syscalls/row.ts'

/**
 * @returns at once where everything lies in memory
 * @throws SyscallError for what could not be done with an approval either
 */
export function lookAt(
  process: Process,
  { files = [], notFolders }: Stakes,
  flight: Flight,
  { drivers, mint }: { readonly drivers: Drivers; readonly mint: GrantMint },
): readonly Seen[] | Promise<readonly Seen[]> {
  if (files.length === 0) return []
  const resources = files.map(({ path }) => path)
  const { pid, name: agent } = process
  const grant = mint.make({ pid, agent, syscall: 'approval', resources, addresses: [] }, flight)
  const tree = drivers.treeOf(process)
  const looks = files.map((stake) => attempt(() => drivers.vfs.look(grant, tree, stake.path)))
  const finish = (all: readonly Attempt[]): readonly Seen[] => {
    mint.end(grant)
    const seen = files.map((stake, index) => ({ stake, now: lookedOf(all[index]) }))
    if (notFolders !== undefined && seen.some(isMovedFolder)) throw new SyscallError('EPERM', notFolders)
    return seen
  }
  return looks.some((look) => look instanceof Promise)
    ? Promise.all(looks).then(finish)
    : finish(looks as readonly Attempt[])
}

const isMovedFolder = ({ stake, now }: Seen): boolean => stake.becomes === 'moved' && now.type === 'folder'

/** What a look gave or threw: all of them are over before one of them counts. */
type Attempt = { readonly looked: Seen['now'] } | { readonly error: unknown }

function attempt(look: () => Seen['now'] | Promise<Seen['now']>): Attempt | Promise<Attempt> {
  const failed = (error: unknown): Attempt => ({ error })
  try {
    const looked = look()
    return looked instanceof Promise ? looked.then((now) => ({ looked: now }), failed) : { looked }
  } catch (error) {
    return failed(error)
  }
}

function lookedOf(attempt: Attempt | undefined): Seen['now'] {
  if (attempt !== undefined && 'looked' in attempt) return attempt.looked
  throw attempt?.error
}
