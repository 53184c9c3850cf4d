/** `gatehouse evidence manifest`: what a run consists of, as a document that can be kept, signed and compared. */
import { canonicalText } from '../evidence/canonical.ts'
import { makeManifest } from '../evidence/report/manifest.ts'
import type { CommandSpec } from './command.ts'
import { dirOf, noRun, reading, readingCodes } from './evidence-dir.ts'
import { exitCodes } from './failure.ts'
import { once, text } from './options.ts'
import { visibleJson } from './terminal.ts'

export const evidenceManifest: CommandSpec = {
  name: 'manifest',
  args: '[dir]',
  summary: `print the files and entries of a run with their SHA-256, as canonical JSON. ${readingCodes}`,
  examples: [
    ['gatehouse evidence manifest --run 3f9c2a51d0be > run.json', 'to keep, to sign, or to hand over'],
    ['gatehouse evidence verify-manifest run.json', 'whether the record is still what it says'],
  ],
  options(command) {
    command.requiredOption('--run <id>', 'the run; `gatehouse run` prints its id', once(text))
  },
  run(out, command) {
    const { run } = command.opts<{ run: string }>()
    const dir = dirOf(command)
    return reading(out, dir, async (evidence) => {
      const manifest = makeManifest(dir, run) ?? noRun(evidence, run)
      await out.pour([visibleJson(`${canonicalText(manifest)}\n`)])
      return exitCodes.done
    })
  },
}
