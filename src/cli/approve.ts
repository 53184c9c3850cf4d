/** `gatehouse approve`: lets one call pass that waits for a person. */
import { addAnswerOptions, sendAnswer } from './answer.ts'
import type { CommandSpec } from './command.ts'
import { argument, once } from './options.ts'

export const approve: CommandSpec = {
  name: 'approve',
  args: '<id>',
  summary: 'let one call pass that waits for a person, once. Exit code 1: it does not wait',
  examples: [
    ['gatehouse approve 3f9a1c2b4d', 'exactly as `gatehouse approvals 3f9a1c2b4d` shows it'],
    [
      `gatehouse approve 3f9a1c2b4d --args '{"name":"send_email","args":{"to":"a@example.org"}}'`,
      'with other arguments, which the policy judges first',
    ],
  ],
  options(command) {
    addAnswerOptions(command)
    command.option('--args <json>', "arguments of the call in place of the agent's", once(argument))
  },
  run(out, command) {
    const { args } = command.opts<{ args?: ReturnType<typeof argument> }>()
    return sendAnswer(out, command, { answer: 'approve', ...(args !== undefined && { args }) })
  },
}
