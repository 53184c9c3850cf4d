/** `gatehouse evidence verify`: whether a record is whole, read from outside and without trusting who wrote it. */
import type { Entry } from '../evidence/entry.ts'
import { gapsOf } from '../evidence/gaps.ts'
import { type Missing, MissingPayloads } from '../evidence/missing.ts'
import { type EvidenceFolder, findEvidence } from '../evidence/read.ts'
import { EvidenceError } from '../evidence/store.ts'
import type { Verification } from '../evidence/verify.ts'
import type { CommandSpec } from './command.ts'
import { readKeys, readSince } from './evidence-brought.ts'
import { dirOf, missing, verdicts } from './evidence-dir.ts'
import { each, text } from './options.ts'
import type { Output } from './output.ts'
import { visibleLine } from './terminal.ts'

interface Options {
  readonly key?: readonly string[]
  readonly since?: readonly string[]
}

type Verdict = keyof typeof verdicts

interface Report extends Verification {
  /** What is missing of a record that is otherwise sound. */
  readonly gaps: readonly string[]
  /** Payloads that entries name and nobody has any more; not counted where the record is not whole. */
  readonly payloads?: Missing
  readonly proves: string
}

export const evidenceVerify: CommandSpec = {
  name: 'verify',
  args: '[dir]',
  summary:
    'check the record in DIR (default: .gatehouse). Exit codes: 0 sound, 1 tampered, 2 incomplete (or wrong usage), 3 missing',
  examples: [
    [
      'gatehouse evidence verify handed-over --key operator.pub',
      'by a key that you were given apart from it',
    ],
    [
      'gatehouse evidence verify --since kept.checkpoint',
      'and that nothing before a kept checkpoint was changed',
    ],
    ['gatehouse evidence verify handed-over --json', 'check a copy, for a program'],
  ],
  options(command) {
    command
      .option(
        '--key <file>',
        'only what these keys sign counts: a file as `gatehouse evidence key` prints it; repeat it for several',
        each(text),
      )
      .option(
        '--since <file>',
        'a checkpoint that was kept, such as a copy of the file `checkpoint`; repeat it for several',
        each(text),
      )
  },
  run(out, command) {
    const dir = dirOf(command)
    const { key = [], since = [] } = command.opts<Options>()
    const brought = { keys: key.flatMap(readKeys), since: since.map(readSince) }
    const found = findEvidence(dir)
    if (found.state !== 'found') return missing(out, dir, found.reason)
    try {
      const verification = found.evidence.verify(brought)
      const missed = verification.ok ? findGaps(found.evidence, verification) : { gaps: [] }
      const proves = whatIsProven(brought.keys.length > 0, brought.since.length > 0)
      return tell(out, dir, { ...verification, ...missed, proves })
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error
      return missing(out, dir, `\`${dir}\` cannot be verified: ${error.message}`)
    }
  },
}

/** Gaps are looked for only where every line can be believed. */
function findGaps(evidence: EvidenceFolder, verification: Verification): Pick<Report, 'gaps' | 'payloads'> {
  const torn = evidence.torn.map(
    ({ file, bytes }) =>
      `torn: \`${file}\` ends with ${bytes} bytes of a line that was not finished; a write is under way, or a crash cut it short and the next start cuts it off`,
  )
  const missing = new MissingPayloads(evidence.packs())
  const open = new Map<number, Entry>()
  for (const entry of evidence.entries()) {
    if (entry.kind === 'intent') open.set(entry.seq, entry)
    if (entry.kind === 'outcome') open.delete(Number(entry.intent))
    missing.entry(entry)
  }
  const unsettled = [...open.values()].map(
    ({ seq, pid, syscall, resource }) =>
      `unsettled: entry ${seq}, process ${pid}, ${syscall} \`${resource}\`: whether it took effect is not on record`,
  )
  const payloads = missing.result()
  const gaps = [...torn, ...unsettled, ...gapsOf(verification), ...lost(payloads), ...misleading(evidence)]
  return { gaps, payloads }
}

/** What a verdict does not show is said beside it. */
function whatIsProven(withKey: boolean, withSince: boolean): string {
  const who = withKey
    ? 'it shows that the key you brought signed these entries'
    : 'the key came from the record itself, so this shows that it is consistent in itself, and not who wrote it: bring the key of the operator with --key'
  const when = withSince
    ? 'and that nothing before the checkpoint you kept was changed since'
    : 'whoever holds the private key can write all of it anew, which only a checkpoint kept elsewhere shows: --since'
  return `${who}; ${when}`
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
  const { ok, entries, head, covered, keys, problems, more, gaps, proves } = report
  const verdict: Verdict = !ok ? 'tampered' : gaps.length > 0 ? 'incomplete' : 'sound'
  const color = { sound: out.colors.green, incomplete: out.colors.yellow, tampered: out.colors.red }[verdict]
  out.say(`${color(verdict)} ${visibleLine(`${dir}: ${entries} entries, head ${head}`)}`)
  if (keys.length > 0)
    out.say(`  signed: the first ${covered} entries are covered by a checkpoint that counts`)
  for (const { entry, verifier, trust } of keys)
    out.say(visibleLine(`  key: ${verifier} from entry ${entry} on, ${trusts[trust]}`))
  for (const { entry, kind, detail } of problems)
    out.say(visibleLine(`  ${kind}: ${entry === null ? '' : `entry ${entry}: `}${detail}`))
  if (more > 0) out.say(`  and ${more} more problems`)
  if (report.payloads !== undefined && report.payloads.gone > 0)
    out.say(`  ${report.payloads.gone} payloads are gone, ${report.payloads.recorded} were deleted on record`)
  for (const gap of gaps.slice(0, gapsShown)) out.say(visibleLine(`  ${gap}`))
  if (gaps.length > gapsShown) out.say(`  and ${gaps.length - gapsShown} more; --json names them all`)
  out.say(out.colors.dim(proves))
  out.give({ dir, verdict, ...report })
  return verdicts[verdict]
}

const trusts = Object.freeze({
  brought: 'which you brought',
  endorsed: 'which a key that counts has endorsed',
  log: 'which only the record names',
})

/** Lines that a person reads; the rest is counted. */
const gapsShown = 20
