/** `gatehouse evidence redact`: deletes what single entries refer to, and leaves the entries. */
import type { Command } from 'commander'
import { ofEntries } from '../evidence/redact.ts'
import type { CommandSpec } from './command.ts'
import { evidenceDir } from './evidence-dir.ts'
import { addByOption, authorOf, removeFrom } from './evidence-removing.ts'
import { UsageError } from './failure.ts'
import { once, text } from './options.ts'

export const evidenceRedact: CommandSpec = {
  name: 'redact',
  args: '<entry...>',
  summary:
    'delete arguments, results and other texts that entries of the record name; ENTRY is a number, DIR may follow (default: .gatehouse). What other entries name too stays. Exit code 3: no record there',
  examples: [
    ['gatehouse evidence redact 41 42 --reason "address of a customer"', 'of two entries, in .gatehouse'],
    ['gatehouse evidence redact 41 ./other --reason "a password"', 'in another folder'],
  ],
  options(command) {
    command.requiredOption('--reason <text>', 'why; it is on record', once(text))
    addByOption(command)
  },
  async run(out, command) {
    const { seqs, dir } = targetsOf(command)
    const author = authorOf(command, command.opts<{ reason: string }>().reason)
    return removeFrom(out, dir, command, ({ store }) => {
      const evidence = store.read()
      const unknown = seqs.find((seq) => evidence.entry(seq) === undefined)
      if (unknown !== undefined) throw new UsageError(`there is no entry ${unknown} in \`${dir}\``)
      return ofEntries(evidence, seqs, author)
    })
  },
}

/** Numbers are entries; what is none, at the end, is the folder. */
function targetsOf({ args }: Command): { seqs: readonly number[]; dir: string } {
  const isEntry = (arg: string): boolean => /^\d{1,15}$/.test(arg)
  const last = args.at(-1) ?? ''
  const entries = isEntry(last) ? args : args.slice(0, -1)
  const odd = entries.find((arg) => !isEntry(arg))
  if (odd !== undefined || entries.length === 0)
    throw new UsageError(
      `\`${odd ?? last}\` is not the number of an entry; write numbers as \`gatehouse evidence timeline --json\` shows them (\`seq\`), then the folder`,
    )
  return { seqs: entries.map(Number), dir: isEntry(last) ? evidenceDir : last }
}
