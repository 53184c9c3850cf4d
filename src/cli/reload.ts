/** `gatehouse reload`: puts another policy in force in a running kernel. */
import { resolve } from 'node:path'
import { isPath } from '../config/policy.ts'
import { ControlError } from '../control/protocol.ts'
import { userName } from './answer.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { addDirOption, withKernel } from './find-kernel.ts'
import { once, text } from './options.ts'
import { visibleLine } from './terminal.ts'

/** @throws ControlError */
function refused(error: unknown): never {
  if (!(error instanceof ControlError && error.code === 'EINVAL')) throw error
  throw new ControlError(error.code, `${error.message}; the policy in force stays`)
}

export const reload: CommandSpec = {
  name: 'reload',
  args: '<policy...>',
  summary:
    'put another policy in force in a running kernel, for its processes too, from their next call on. Exit code 1: it is not sound, and the old one stays',
  examples: [
    ['gatehouse reload policy.yaml', 'reads the file again'],
    ['gatehouse reload developer no-pii', 'two that must agree'],
  ],
  options(command) {
    addDirOption(command)
    command.option(
      '--by <name>',
      'who does it, for the record (default: the user of the operating system)',
      once(text),
    )
  },
  async run(out, command) {
    const { by = userName() } = command.opts<{ by?: string }>()
    // The kernel may run in another folder.
    const policy = command.args.map((ref) => (isPath(ref) ? resolve(ref) : ref))
    const done = await withKernel(command, (kernel) =>
      kernel.reload({ policy, ...(by !== undefined && { by }) }).catch(refused),
    )
    const shown = ({ name, hash }: typeof done.policy): string => `\`${name}\` (${hash.slice(0, 16)})`
    const isSame = done.policy.hash === done.before.hash
    const how = isSame ? 'as before' : `in place of ${shown(done.before)}`
    out.say(visibleLine(`${shown(done.policy)} is in force, mode ${done.policy.mode}, ${how}`))
    out.give(done)
    return exitCodes.done
  },
}
