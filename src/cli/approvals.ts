/** `gatehouse approvals`: the calls of a running kernel that wait for a person. */
import type { ApprovalRequest } from '../approvals/request.ts'
import { ControlError } from '../control/protocol.ts'
import { approvalLines, leftOf } from './approval-text.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { addDirOption, withKernel } from './find-kernel.ts'
import { seconds } from './process-cells.ts'
import { tableOf } from './table.ts'
import { exactLine } from './terminal.ts'

const head: readonly string[] = ['ID', 'AGENT', 'PID', 'CALL', 'ON', 'WAITS', 'LEFT', 'RULE']

export const approvals: CommandSpec = {
  name: 'approvals',
  args: '[id]',
  summary: 'list the calls that wait for a person, or show one whole. Exit code 1: that one does not wait',
  examples: [
    ['gatehouse approvals', 'what waits in the nearest kernel'],
    ['gatehouse approvals 3f9a1c2b4d', 'one with its exact arguments and what it would change'],
  ],
  options: addDirOption,
  async run(out, command) {
    const [id = 'list'] = command.args
    const reply = await withKernel(command, (kernel) => kernel.approvals())
    if (id === 'list') {
      out.say(
        tableOf(
          head,
          reply.requests.map((request) => cells(request, reply.now)),
          out.colors,
        ),
      )
      out.give(reply)
      return exitCodes.done
    }
    const request = reply.requests.find((each) => each.id === id)
    if (request === undefined) throw new ControlError('ENOENT', `no request \`${id}\` waits for approval`)
    for (const line of approvalLines(request, reply.now)) out.say(line)
    out.give(request)
    return exitCodes.done
  },
}

const cells = (request: ApprovalRequest, now: number): readonly string[] =>
  [
    request.id,
    request.agent,
    String(request.pid),
    request.syscall,
    request.resource,
    seconds(now - request.askedAt),
    leftOf(request, now),
    request.rules.map(({ id }) => id).join(', '),
  ].map(exactLine)
