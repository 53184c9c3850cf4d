/** `gatehouse version`: which gatehouse this is, and what it runs on. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'

/** Next to src/ and to dist/ alike. */
const packageFile = new URL('../../package.json', import.meta.url)
const packageSchema = z.object({ version: z.string() })

export const packageVersion = (): string =>
  packageSchema.parse(JSON.parse(readFileSync(packageFile, 'utf8'))).version

export const version: CommandSpec = {
  name: 'version',
  summary: 'print the version of gatehouse and of Node.js',
  examples: [['gatehouse version', 'what to name in a report of a defect']],
  run(out) {
    const system = { node: process.versions.node, platform: process.platform, arch: process.arch }
    const gatehouse = packageVersion()
    out.say(`gatehouse ${gatehouse} (Node.js ${system.node}, ${system.platform} ${system.arch})`)
    out.give({ gatehouse, ...system })
    return exitCodes.done
  },
}
