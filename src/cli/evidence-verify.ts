/** `gatehouse evidence verify`: whether a record is whole, read from outside and without trusting who wrote it. */
import type { Entry } from '../evidence/entry.ts'
import { type Missing, MissingPayloads } from '../evidence/missing.ts'
import { type EvidenceFolder, findEvidence } from '../evidence/read.ts'
import { EvidenceError } from '../evidence/store.ts'
import type { Verification } from '../evidence/verify.ts'
import type { CommandSpec } from './command.ts'
import { dirOf, missing, verdicts } from './evidence-dir.ts'
import type { Output } from './output.ts'
import { visibleLine } from './terminal.ts'

/** What no record without signatures can show. */
const proves =
  'it shows that the record is consistent in itself, not who wrote it: without signatures, whoever holds the folder can write all of it anew'

type Verdict = keyof typeof verdicts

interface Report extends Verification {
  /** What is missing of a record that is otherwise sound. */
  readonly gaps: readonly string[]
  /** Payloads that entries name and nobody has any more; not counted where the record is not whole. */
  readonly payloads?: Missing
}

export const evidenceVerify: CommandSpec = {
  name: 'verify',
  args: '[dir]',
  summary:
    'check the record in DIR (default: .gatehouse). Exit codes: 0 sound, 1 tampered, 2 incomplete, 3 missing',
  examples: [
    ['gatehouse evidence verify', 'check .gatehouse'],
    ['gatehouse evidence verify handed-over --json', 'check a copy, for a program'],
  ],
  run(out, command) {
    const dir = dirOf(command)
    const found = findEvidence(dir)
    if (found.state !== 'found') return missing(out, dir, found.reason)
    try {
      return tell(out, dir, examine(found.evidence))
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error
      return missing(out, dir, `\`${dir}\` cannot be verified: ${error.message}`)
    }
  },
}

/** Gaps are looked for only where every line can be believed. */
function examine(evidence: EvidenceFolder): Report {
  const verification = evidence.verify()
  return verification.ok ? { ...verification, ...findGaps(evidence) } : { ...verification, gaps: [] }
}

function findGaps(evidence: EvidenceFolder): Pick<Report, 'gaps' | 'payloads'> {
  const missing = new MissingPayloads(evidence.packs())
  const open = new Map<number, Entry>()
  let last: Entry | undefined
  for (const entry of evidence.entries()) {
    if (entry.kind === 'intent') open.set(entry.seq, entry)
    if (entry.kind === 'outcome') open.delete(Number(entry.intent))
    missing.entry(entry)
    // What is deleted later does not begin the record anew.
    if (entry.kind !== 'redact') last = entry
  }
  const torn = evidence.torn.map(
    ({ file, bytes }) =>
      `torn: \`${file}\` ends with ${bytes} bytes of a line that was not finished; a write is under way, or a crash cut it short and the next start cuts it off`,
  )
  const unsettled = [...open.values()].map(
    ({ seq, pid, syscall, resource }) =>
      `unsettled: entry ${seq}, process ${pid}, ${syscall} \`${resource}\`: whether it took effect is not on record`,
  )
  const unclosed =
    last?.kind === 'close'
      ? []
      : [
          'unclosed: the record does not end with `close`; a kernel still writes it, was killed, or its end was cut off',
        ]
  const payloads = missing.result()
  return { gaps: [...torn, ...unsettled, ...unclosed, ...lost(payloads), ...misleading(evidence)], payloads }
}

const lost = ({ gone, recorded }: Missing): readonly string[] =>
  gone <= recorded
    ? []
    : [
        `missing: ${gone - recorded} payloads that entries name are not there, and no entry says who deleted them`,
      ]

const misleading = (evidence: EvidenceFolder): readonly string[] =>
  evidence
    .misleading()
    .map((file) => `index: \`${file}\` is not what its part of the log gives: delete it, it hides entries`)

function tell(out: Output, dir: string, report: Report): number {
  const { ok, entries, head, problems, more, gaps } = report
  const verdict: Verdict = !ok ? 'tampered' : gaps.length > 0 ? 'incomplete' : 'sound'
  const color = { sound: out.colors.green, incomplete: out.colors.yellow, tampered: out.colors.red }[verdict]
  out.say(`${color(verdict)} ${visibleLine(`${dir}: ${entries} entries, head ${head}`)}`)
  for (const { entry, kind, detail } of problems)
    out.say(visibleLine(`  ${kind}: ${entry === null ? '' : `entry ${entry}: `}${detail}`))
  if (more > 0) out.say(`  and ${more} more problems`)
  if (report.payloads !== undefined && report.payloads.gone > 0)
    out.say(`  ${report.payloads.gone} payloads are gone, ${report.payloads.recorded} were deleted on record`)
  for (const gap of gaps.slice(0, gapsShown)) out.say(visibleLine(`  ${gap}`))
  if (gaps.length > gapsShown) out.say(`  and ${gaps.length - gapsShown} more; --json names them all`)
  out.say(out.colors.dim(proves))
  out.give({ dir, verdict, ...report, proves })
  return verdicts[verdict]
}

/** Lines that a person reads; the rest is counted. */
const gapsShown = 20
