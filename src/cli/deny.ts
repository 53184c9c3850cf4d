/** `gatehouse deny`: refuses one call that waits for a person. */
import { addAnswerOptions, sendAnswer } from './answer.ts'
import type { CommandSpec } from './command.ts'

export const deny: CommandSpec = {
  name: 'deny',
  args: '<id>',
  summary: 'refuse one call that waits for a person. Exit code 1: it does not wait',
  examples: [
    ['gatehouse deny 3f9a1c2b4d --reason "not to this address"', 'the agent is told why'],
    ['gatehouse deny 3f9a1c2b4d --by anna', 'on record as hers'],
  ],
  options: addAnswerOptions,
  run: (out, command) => sendAnswer(out, command, { answer: 'deny' }),
}
