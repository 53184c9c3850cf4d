/** `gatehouse evidence verify-manifest`: whether a record is still what a manifest of one of its runs says. */
import { decodeText, readBytes } from '../config/read-text.ts'
import { checkManifest } from '../evidence/report/check-manifest.ts'
import { type RunManifest, readManifest } from '../evidence/report/manifest.ts'
import { limits } from '../limits.ts'
import type { CommandSpec } from './command.ts'
import { dirOf, reading, verdicts } from './evidence-dir.ts'
import { UsageError } from './failure.ts'
import { visibleLine } from './terminal.ts'

/** What a comparison with a manifest cannot show. */
const proves =
  'it shows that this record is the one of which the manifest was made; that the record itself is sound, `gatehouse evidence verify` shows'

export const evidenceVerifyManifest: CommandSpec = {
  name: 'verify-manifest',
  args: '<file> [dir]',
  summary:
    'compare the record in DIR (default: .gatehouse) with a manifest. Exit codes: 0 the same, 1 changed, 2 payloads deleted since, 3 missing',
  examples: [
    ['gatehouse evidence verify-manifest run.json', 'compare .gatehouse'],
    ['gatehouse evidence verify-manifest run.json handed-over --json', 'compare a copy, for a program'],
  ],
  run(out, command) {
    const manifest = read(command.args[0] ?? '')
    const dir = dirOf(command, 1)
    return reading(out, dir, () => {
      const check = checkManifest(dir, manifest)
      const { problems, gaps, remarks } = check
      const verdict = problems.length > 0 ? 'tampered' : gaps.length > 0 ? 'incomplete' : 'sound'
      const color = { sound: out.colors.green, incomplete: out.colors.yellow, tampered: out.colors.red }
      const { run, entries, files } = manifest
      const what = `${dir}: run ${run}, entries ${entries.first} to ${entries.last}, ${files.length} files`
      out.say(`${color[verdict](verdict)} ${visibleLine(what)}`)
      for (const line of [...problems, ...gaps, ...remarks]) out.say(visibleLine(`  ${line}`))
      out.say(out.colors.dim(proves))
      out.give({ dir, verdict, run, ...check, proves })
      return verdicts[verdict]
    })
  },
}

function read(file: string): RunManifest {
  const manifest = readManifest(
    decodeText(readBytes(file, file, 'manifest', limits.manifestBytesMax), file, 'manifest'),
  )
  if (typeof manifest === 'string')
    throw new UsageError(`\`${file}\` is not a manifest of a run: ${manifest}`)
  return manifest
}
