/** What `approve` and `deny` have in common: who answers, and what is said when it is done. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { RequestOf } from '../control/protocol.ts'
import { exitCodes } from './failure.ts'
import { addDirOption, withKernel } from './find-kernel.ts'
import { once, text } from './options.ts'
import type { Output } from './output.ts'
import { exactLine } from './terminal.ts'

export function addAnswerOptions(command: Command): void {
  addDirOption(command)
  command
    .option('--reason <text>', 'why; it is on record, and an agent that is denied is told', once(text))
    .option('--by <name>', 'who answers (default: the user of the operating system)', once(text))
}

/** @returns the exit code */
export async function sendAnswer(
  out: Output,
  command: Command,
  answer: Pick<RequestOf<'/answer'>, 'answer' | 'args'>,
): Promise<number> {
  const [id = ''] = command.args
  const { reason, by = userName() } = command.opts<{ reason?: string; by?: string }>()
  const done = await withKernel(command, (kernel) =>
    kernel.answer({
      ...{ id, ...answer },
      ...(by !== undefined && { by }),
      ...(reason !== undefined && { reason }),
    }),
  )
  const what = answer.answer === 'approve' ? 'approved' : 'denied'
  out.say(exactLine(`${done.agent} (pid ${done.pid}): ${done.syscall} ${done.resource} ${what}`))
  out.give(done)
  return exitCodes.done
}

/** @returns undefined for a user without a name, as in some containers */
export function userName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
