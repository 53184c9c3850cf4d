/** Real folders of the host for tests, gone when the test is over. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface HostFolderForTest {
  readonly path: string
  at(name: string): string
  remove(): void
}

/** @param files path in the folder → text */
export function makeHostFolder(files: Readonly<Record<string, string>> = {}): HostFolderForTest {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-vfs-')))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return {
    path,
    at: (name) => join(path, name),
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}
