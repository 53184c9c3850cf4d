/** `gatehouse version`: which gatehouse this is, and what it runs on. */
import { packageVersion } from '../config/package-version.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'

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
