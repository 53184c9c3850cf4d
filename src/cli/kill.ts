/** `gatehouse kill`: sends a signal to processes of a running kernel. */
import { InvalidArgumentError } from 'commander'
import type { ControlClient } from '../control/client.ts'
import { ControlError, type SignalReply } from '../control/protocol.ts'
import { agentSignals, signalName } from '../proc/signals.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { addDirOption, withKernel } from './find-kernel.ts'
import { once } from './options.ts'
import { visibleLine } from './terminal.ts'

type Sent = { readonly target: string } & (
  | SignalReply
  | { readonly error: { code: string; message: string } }
)

export const kill: CommandSpec = {
  name: 'kill',
  args: '<target...>',
  summary: 'send a signal to processes, by pid or name. Exit code 1: one of them was not there',
  examples: [
    ['gatehouse kill researcher', 'asks the process of that name to end (SIGTERM)'],
    ['gatehouse kill -s STOP 3', 'process 3 stands still until CONT'],
    ['gatehouse kill -s KILL 3 4', 'both are gone, with their children'],
  ],
  options(command) {
    addDirOption(command)
    command.option(
      '-s, --signal <signal>',
      'STOP, CONT, TERM, KILL, INT, USR1 or USR2 (default: TERM)',
      once(sendable),
    )
  },
  async run(out, command) {
    const { signal = 'SIGTERM' } = command.opts<{ signal?: string }>()
    const sent = await withKernel(command, (kernel) => sendAll(kernel, command.args, signal))
    for (const each of sent) {
      if ('error' in each) out.note(`gatehouse: ${each.error.message}`)
      else out.say(visibleLine(`${each.name} (pid ${each.pid}): ${each.effect}`))
    }
    out.give({ signal, sent })
    return sent.some((each) => 'error' in each) ? exitCodes.failed : exitCodes.done
  },
}

/** One after the other, in the order in which they were named. */
async function sendAll(
  kernel: ControlClient,
  targets: readonly string[],
  signal: string,
): Promise<readonly Sent[]> {
  const sent: Sent[] = []
  for (const target of targets) {
    try {
      sent.push({ target, ...(await kernel.signal(target, signal)) })
    } catch (error) {
      // What is wrong with one target says nothing about the others; a kernel that is gone does.
      if (!(error instanceof ControlError && ['ESRCH', 'EINVAL'].includes(error.code))) throw error
      sent.push({ target, error: { code: error.code, message: error.message } })
    }
  }
  return sent
}

function sendable(value: string): string {
  const name = signalName(value)
  if (agentSignals.some((signal) => signal === name)) return name
  throw new InvalidArgumentError(`${name} is the kernel's own; there are ${agentSignals.join(', ')}`)
}
