/** `gatehouse declassify`: releases one value of a process, or the content of a file of an agent, from labels. */
import type { Command } from 'commander'
import type { Json } from '../json.ts'
import { labelFlaw } from '../labels.ts'
import { userName } from './answer.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes, UsageError } from './failure.ts'
import { addDirOption, withKernel } from './find-kernel.ts'
import { each, json, once, text } from './options.ts'
import { exactLine } from './terminal.ts'

interface Options {
  readonly label?: readonly string[]
  readonly value?: { readonly json: Json }
  readonly reason?: string
  readonly by?: string
}

export const declassify: CommandSpec = {
  name: 'declassify',
  args: '<agent> [path]',
  summary:
    'release the content of a file, or one value of a process, from labels, when you have looked at it. Exit code 1: nothing is released, and why',
  examples: [
    [
      'gatehouse declassify researcher /mem/summary.md --label untrusted --reason "read it, no instructions"',
      'the file as it is now; what is written there later carries its labels again',
    ],
    [
      `gatehouse declassify 3 --value '"2026-05-20"' --label untrusted --reason "a date"`,
      'process 3 may give exactly this value away, once',
    ],
  ],
  options(command) {
    addDirOption(command)
    command
      .option('--label <label>', 'what it does not carry on; repeat it', each(text))
      .option('--value <json>', 'a value of the process, in place of a file', once(givenAs))
      .option('--reason <text>', 'why; it is on record', once(text))
      .option('--by <name>', 'who releases it (default: the user of the operating system)', once(text))
  },
  async run(out, command) {
    const [target = '', path] = command.args
    const { labels, reason, value, by } = read(command, path)
    const done = await withKernel(command, (kernel) =>
      kernel.declassify({
        ...{ target, labels: [...labels], reason },
        ...(path !== undefined && { path }),
        ...(value !== undefined && { value: value.json }),
        ...(by !== undefined && { by }),
      }),
    )
    const what = done.path === undefined ? `one value of process ${done.pid}` : done.path
    out.say(exactLine(`${done.agent}: ${what} is released from ${done.labels.join(', ')}`))
    out.give(done)
    return exitCodes.done
  },
}

function read(command: Command, path: string | undefined) {
  const { label: labels = [], reason, value, by = userName() } = command.opts<Options>()
  const see = 'see `gatehouse declassify --help`'
  if ((path === undefined) === (value === undefined))
    throw new UsageError(`name either the path of a file or a value with --value; ${see}`)
  if (labels.length === 0) throw new UsageError(`it needs --label; ${see}`)
  if (reason === undefined) throw new UsageError(`it needs --reason, which is put on record; ${see}`)
  const flaw = labels.map(labelFlaw).find((each) => each !== undefined)
  if (flaw !== undefined) throw new UsageError(flaw)
  return { labels, reason, value, by }
}

/** Held in an object, since `null` is a value too. */
const givenAs = (text: string): { readonly json: Json } => ({ json: json(text) })
