/** `gatehouse evidence export`: a run in the forms that other tools read. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { type Command, Option } from 'commander'
import { packageVersion } from '../config/package-version.ts'
import { readText } from '../config/read-text.ts'
import { canonicalText } from '../evidence/canonical.ts'
import type { EvidenceFolder } from '../evidence/read.ts'
import { keyIdOf, seal } from '../evidence/report/dsse.ts'
import { makeManifest } from '../evidence/report/manifest.ts'
import { tracesData } from '../evidence/report/otlp.ts'
import { type Span, Spans } from '../evidence/report/spans.ts'
import { makeStatement, statementPayloadType } from '../evidence/report/statement.ts'
import { EvidenceError } from '../evidence/store.ts'
import { limits } from '../limits.ts'
import type { CommandSpec } from './command.ts'
import { dirOf, entriesOf, noRun, reading, readingCodes } from './evidence-dir.ts'
import { exitCodes, UsageError } from './failure.ts'
import { once, oneOf, text } from './options.ts'
import { jsonLine, type Output } from './output.ts'
import { visibleJson } from './terminal.ts'

interface Options {
  readonly run: string
  readonly format: (typeof formats)[number]
  readonly key?: string
  readonly unsigned?: true
  readonly payloads?: true
}

const formats = ['in-toto', 'otel'] as const

export const evidenceExport: CommandSpec = {
  name: 'export',
  args: '[dir]',
  summary: `print a run of the record in DIR (default: .gatehouse) for other tools. ${readingCodes}`,
  examples: [
    [
      'gatehouse evidence export --run 3f9c2a51d0be --format in-toto --key evidence.key',
      'an in-toto Statement in a DSSE envelope, signed; the record is verified first',
    ],
    [
      'gatehouse evidence export --run 3f9c2a51d0be --format otel > trace.jsonl',
      'OpenTelemetry spans, as a collector reads them from a file (OTLP/JSON)',
    ],
  ],
  options(command) {
    command
      .requiredOption('--run <id>', 'the run; `gatehouse run` prints its id', once(text))
      .addOption(
        new Option('--format <format>', `one of ${formats.join(', ')}`)
          .argParser(once(oneOf(formats)))
          .makeOptionMandatory(),
      )
      .option('--key <file>', 'in-toto: the private Ed25519 key that signs (PEM)', once(text))
      .option('--unsigned', 'in-toto: the bare Statement, without an envelope')
      .option('--payloads', 'otel: with the texts of arguments and results, which may be personal or secret')
  },
  run(out, command) {
    const options = wanted(command)
    const dir = dirOf(command)
    const key = options.key === undefined ? undefined : readKey(options.key)
    return reading(out, dir, async (evidence) => {
      if (options.format === 'otel') await out.pour(lines(evidence, options))
      else await out.pour([statement(out, dir, evidence, options.run, key)])
      return exitCodes.done
    })
  },
}

function wanted(command: Command): Options {
  const options = command.opts<Options>()
  const { format, key, unsigned, payloads } = options
  if (format === 'otel') {
    if (key !== undefined || unsigned) throw new UsageError('--key and --unsigned are for --format in-toto')
    return options
  }
  if (payloads) throw new UsageError('--payloads is for --format otel: a statement holds no texts')
  if ((key === undefined) === (unsigned === undefined))
    throw new UsageError(
      'a statement is worth what its signature is: give --key FILE, or --unsigned for a bare one that anybody could have written',
    )
  return options
}

function readKey(file: string): KeyObject {
  const pem = readText(file, file, 'key')
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new UsageError(`\`${file}\` is not a private key in PEM without a passphrase`)
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new UsageError(`\`${file}\` is a key for ${key.asymmetricKeyType}; evidence is signed with Ed25519`)
  return key
}

/** Nothing is signed that does not verify. */
function statement(
  out: Output,
  dir: string,
  evidence: EvidenceFolder,
  run: string,
  key: KeyObject | undefined,
): string {
  const manifest = makeManifest(dir, run) ?? noRun(evidence, run)
  const { ok, problems } = evidence.verify()
  const [problem] = problems
  if (!ok)
    throw new EvidenceError(
      'EIO',
      `the record does not verify, so nothing is said for it: ${problem?.kind}: ${problem?.detail}`,
    )
  const made = canonicalText(makeStatement(manifest, evidence.run(run)))
  if (key === undefined) {
    out.note('not signed: whoever has this statement cannot tell who wrote it')
    return visibleJson(`${made}\n`)
  }
  out.note(`signed with key ${keyIdOf(key)}`)
  return jsonLine(seal(statementPayloadType, Buffer.from(made), key))
}

function* lines(evidence: EvidenceFolder, { run, payloads }: Options): Generator<string> {
  const spans = new Spans(run)
  let waiting: Span[] = []
  const written = (): string => {
    const some = payloads === true ? withTexts(evidence, waiting) : waiting
    waiting = []
    return jsonLine(tracesData(some, packageVersion()))
  }
  for (const entry of entriesOf(evidence, run)) {
    waiting.push(...spans.add(entry))
    if (waiting.length >= limits.reportSpansMax) yield written()
  }
  waiting.push(...spans.end())
  if (waiting.length > 0) yield written()
}

/** What was deleted, or never kept, is left out. */
function withTexts(evidence: EvidenceFolder, spans: readonly Span[]): Span[] {
  const texts = evidence.payloads(new Set(spans.flatMap(({ payloads }) => Object.values(payloads))))
  return spans.map((span) => {
    const found = Object.entries(span.payloads).map(([name, hash]) => [name, texts.get(hash)?.text])
    return { ...span, attributes: { ...span.attributes, ...Object.fromEntries(found) } }
  })
}
