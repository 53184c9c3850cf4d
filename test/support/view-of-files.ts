/** A virtual view of a few files, with all folders that lead to them. */
import type { ListEntry } from '../../src/drivers/vfs/mount.ts'
import { covers, namesOf } from '../../src/drivers/vfs/path.ts'
import type { VirtualView } from '../../src/drivers/vfs/virtual.ts'

/** @param files path within the mount → text, computed anew for every call */
export function viewOfFiles(files: () => ReadonlyMap<string, string>): VirtualView {
  return (path) => {
    const all = files()
    const text = all.get(path)
    if (text !== undefined) return { type: 'file', text }
    const entries = new Map<string, ListEntry>()
    for (const file of all.keys()) {
      if (!covers(path, file)) continue
      const [name, ...below] = namesOf(path === '/' ? file : file.slice(path.length))
      if (name !== undefined) entries.set(name, { name, type: below.length === 0 ? 'file' : 'folder' })
    }
    return entries.size === 0 && path !== '/' ? undefined : { type: 'folder', entries: [...entries.values()] }
  }
}
