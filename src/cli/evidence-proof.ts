/** `gatehouse evidence prove` and `verify-proof`: one entry, shown to somebody who is not to have the log. */
import { readText } from '../config/read-text.ts'
import { readCheckpoint } from '../evidence/checkpoint.ts'
import { readNote } from '../evidence/note.ts'
import { proveEntry, verifyProof } from '../evidence/proof.ts'
import { findEvidence } from '../evidence/read.ts'
import { EvidenceError } from '../evidence/store.ts'
import type { CommandSpec } from './command.ts'
import { readKeys, readSince } from './evidence-brought.ts'
import { evidenceDir, missing, verdicts } from './evidence-dir.ts'
import { exitCodes, UsageError } from './failure.ts'
import { each, once, text } from './options.ts'
import { visibleLine } from './terminal.ts'

interface Options {
  readonly key?: readonly string[]
  readonly since?: string
}

const sinceOption = '--since <file>'

export const evidenceProve: CommandSpec = {
  name: 'prove',
  args: '<entry> [dir]',
  summary:
    'print a proof, as JSON, that ENTRY is in the record in DIR (default: .gatehouse), under its newest checkpoint. Exit code 3: no record there',
  examples: [
    ['gatehouse evidence prove 4711 > proof.json', 'for somebody who is not to see the rest'],
    [
      'gatehouse evidence prove 4711 --since kept > proof.json',
      'and that the record goes on from a kept checkpoint',
    ],
  ],
  options(command) {
    command.option(sinceOption, 'a checkpoint that was kept', once(text))
  },
  run(out, command) {
    const [given = '', dir = evidenceDir] = command.args
    const entry = entryOf(given)
    const { since } = command.opts<Options>()
    const kept = since === undefined ? undefined : readSince(since)
    const found = findEvidence(dir)
    if (found.state !== 'found') return missing(out, dir, found.reason)
    const lines = found.evidence.lines()
    try {
      const proof = proveEntry(lines, entry, newestCheckpoint(lines, dir), kept)
      out.say(visibleLine(JSON.stringify(proof)))
      out.give(proof)
      return exitCodes.done
    } catch (error) {
      if (error instanceof RangeError) throw new UsageError(error.message)
      if (error instanceof UsageError || error instanceof EvidenceError || !(error instanceof Error))
        throw error
      out.fail(`\`${dir}\`: ${error.message}`, undefined)
      return verdicts.tampered
    }
  },
}

export const evidenceVerifyProof: CommandSpec = {
  name: 'verify-proof',
  args: '<file>',
  summary:
    'check a proof that `gatehouse evidence prove` made, and print the entry. Exit codes: 0 proven, 1 not, 2 wrong usage',
  examples: [['gatehouse evidence verify-proof proof.json --key operator.pub', 'by the key of the operator']],
  options(command) {
    command
      .option('--key <file>', 'who may have signed: a file as `gatehouse evidence key` prints it', each(text))
      .option(sinceOption, 'a checkpoint that was kept, from which the record has to go on', once(text))
  },
  run(out, command) {
    const [file = ''] = command.args
    const { key = [], since } = command.opts<Options>()
    const keys = key.flatMap(readKeys)
    if (keys.length === 0)
      throw new UsageError('a proof says nothing without a key: bring that of the operator with --key')
    const document = parse(readText(file, file, 'proof'))
    const verified = verifyProof(document, keys, since === undefined ? undefined : readSince(since))
    if ('line' in verified) {
      out.say(`${out.colors.green('proven')} ${visibleLine(verified.line)}`)
      out.give({ verdict: 'proven', entry: JSON.parse(verified.line) })
      return verdicts.sound
    }
    out.say(`${out.colors.red('not proven')} ${visibleLine(file)}: ${verified.flaw}`)
    out.give({ verdict: 'not proven', reason: verified.flaw })
    return verdicts.tampered
  },
}

function entryOf(given: string): number {
  if (/^(0|[1-9]\d{0,15})$/.test(given)) return Number(given)
  throw new UsageError(`\`${given}\` is no entry: write its number, from 0 on`)
}

/** The last one of the log. */
function newestCheckpoint(lines: Iterable<string>, dir: string): string {
  let note: unknown
  for (const line of lines) if (line.includes('"kind":"checkpoint"')) note = parse(line)
  const newest = note !== null && typeof note === 'object' && 'note' in note ? String(note.note) : ''
  if (readCheckpoint(readNote(newest)?.text ?? '') === undefined)
    throw new UsageError(`\`${dir}\` has no checkpoint, so nothing can be proven by it`)
  return newest
}

function parse(given: string): unknown {
  try {
    return JSON.parse(given)
  } catch {
    return undefined
  }
}
