/** Which gatehouse this is. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** Next to src/ and to dist/ alike. */
const packageFile = new URL('../../package.json', import.meta.url)
const packageSchema = z.object({ version: z.string() })

/** @throws Error where the package's own file is not there, as in an application that is bundled into one */
export const packageVersion = (): string =>
  packageSchema.parse(JSON.parse(readFileSync(packageFile, 'utf8'))).version

/** What runs here, for the record: a replay under another version may differ. No name of the machine, and no path. */
export function versionsHere(): { readonly node: string; readonly v8: string; readonly gatehouse?: string } {
  const { node, v8 } = process.versions
  try {
    return { node, v8, gatehouse: packageVersion() }
  } catch {
    return { node, v8 }
  }
}
