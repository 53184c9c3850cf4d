/** What a guest learns by a file call, and so which labels its result and its errors carry. */
import type { Awaitable } from '../drivers/vfs/mount.ts'
import type { Tree } from '../drivers/vfs/tree.ts'
import type { Json } from '../json.ts'
import type { Call } from './row.ts'

/**
 * `content`: what is at the path; `names`: that there is something there, or nothing; `folder`: that its folder is there.
 * Whoever fails learns about names in any case.
 */
export type Learns = 'content' | 'names' | 'folder'

/**
 * Does a file call, and says what it tells. Labels are looked at before and after: another process may write meanwhile.
 * @param paths those that it is about
 * @returns what the call gives; throws or rejects as it does
 */
export function telling(
  { carries }: Call,
  tree: Tree,
  paths: readonly string[],
  learns: Learns,
  act: () => Awaitable<Json>,
): Awaitable<Json> {
  const aboutNames = (): void => {
    for (const path of paths) carries(tree.labelsAround(path))
  }
  const learned = (): void => {
    if (learns === 'content') for (const path of paths) carries(tree.labelsOf(path))
    else if (learns === 'names') aboutNames()
    else for (const path of paths) carries(tree.labelsThrough(path))
  }
  const failed = (error: unknown): never => {
    aboutNames()
    throw error
  }
  learned()
  try {
    const result = act()
    if (!(result instanceof Promise)) return result
    return result.then((value) => {
      learned()
      return value
    }, failed)
  } catch (error) {
    return failed(error)
  }
}
