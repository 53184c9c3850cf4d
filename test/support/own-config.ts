/**
 * Before all tests: a configuration directory of their own, so that no test comes near the keys of the user who runs it,
 * and the web runtime as it is in the sources.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildWeb } from '../../scripts/web.ts'

/** What a user's own key looks like from outside, where a kernel would make one. */
function ownKey(): string {
  const stat = statSync(join(homedir(), '.config', 'gatehouse'), { throwIfNoEntry: false })
  return stat === undefined ? 'none' : `${stat.ino} ${stat.mtimeMs}`
}

/** Workers and the processes that tests start have the same environment. */
export default async function setup(): Promise<() => void> {
  await buildWeb()
  const before = ownKey()
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'))
  process.env.XDG_CONFIG_HOME = folder
  return () => {
    rmSync(folder, { recursive: true, force: true })
    if (ownKey() !== before)
      throw new Error('a test has made a key in the configuration directory of the user who runs it')
  }
}
