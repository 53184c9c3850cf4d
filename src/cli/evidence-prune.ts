/** `gatehouse evidence prune`: deletes what the entries of old runs refer to, and leaves the entries. */
import { systemClock } from '../clock.ts'
import { ofRun, olderThan } from '../evidence/redact.ts'
import { parseAge } from '../policy/units.ts'
import type { CommandSpec } from './command.ts'
import { dirOf } from './evidence-dir.ts'
import { addByOption, authorOf, removeFrom } from './evidence-removing.ts'
import { UsageError } from './failure.ts'
import { once, text } from './options.ts'

interface Options {
  readonly olderThan?: string
  readonly run?: string
  readonly reason?: string
}

export const evidencePrune: CommandSpec = {
  name: 'prune',
  args: '[dir]',
  summary:
    'delete arguments, results and other texts of old runs from the record in DIR (default: .gatehouse); the entries stay. Exit code 3: no record there',
  examples: [
    ['gatehouse evidence prune --older-than 30d', 'of runs that did nothing for 30 days'],
    ['gatehouse evidence prune ./other --run 3f9c2a51d0be', 'of one run'],
  ],
  options(command) {
    command
      .option('--older-than <age>', 'of runs that did nothing for so long, such as 30d', once(age))
      .option('--run <id>', 'of this run', once(text))
      .option('--reason <text>', 'why, for the record', once(text))
    addByOption(command)
  },
  async run(out, command) {
    const { olderThan: old, run, reason } = command.opts<Options>()
    if ((old === undefined) === (run === undefined))
      throw new UsageError('say what to delete: either `--older-than 30d` or `--run ID`')
    if (run !== undefined) {
      const author = authorOf(command, reason ?? 'the run is not kept')
      const dir = dirOf(command)
      return removeFrom(out, dir, command, ({ store }) => {
        const evidence = store.read()
        if (evidence.run(run)[Symbol.iterator]().next().done === true)
          throw new UsageError(`no run \`${run}\` is on record in \`${dir}\``)
        return ofRun(evidence, run, author)
      })
    }
    const author = authorOf(command, reason ?? `older than ${old}`)
    const before = systemClock.now() - parseAge(old)
    return removeFrom(out, dirOf(command), command, (kept) => olderThan(kept, before, () => false, author))
  },
}

/** @returns the age as it was written */
function age(value: string): string {
  parseAge(value)
  return value
}
