/** `gatehouse policy diff`: what one policy permits that another does not, with a request that shows it. */
import { loadPolicy } from '../config/policy.ts'
import type { Action } from '../policy/actions.ts'
import { type Difference, diff } from '../policy/diff.ts'
import { plainArguments } from '../policy/plain.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { visibleLine } from './terminal.ts'

export const policyDiff: CommandSpec = {
  name: 'diff',
  args: '<before> <after>',
  summary: 'say what a policy permits that another does not',
  examples: [
    [
      'gatehouse policy diff strict policy.yaml',
      'each with a request that shows it; exit code 1 when there is any',
    ],
    ['gatehouse policy diff old.yaml new.yaml --json', 'the same for a program'],
  ],
  run(out, command) {
    const [before = '', after = ''] = command.args
    const { differences, wider, sampled } = diff(loadPolicy(before), loadPolicy(after))
    for (const each of differences) out.say(visibleLine(sentenceOf(each)))
    for (const each of wider) out.say(visibleLine(`limit: ${each}`))
    const count = differences.length + wider.length
    const which = count === 0 ? 'nothing' : `${count} ${count === 1 ? 'thing' : 'things'}`
    out.say(visibleLine(`${after} permits ${which} that ${before} does not`))
    out.note(
      sampled.length === 0
        ? 'Exact: every way in which the patterns can match was tried.'
        : `Not proved, only tried with samples: ${sampled.join('; ')}.`,
    )
    out.give({
      before,
      after,
      exact: sampled.length === 0,
      sampled,
      wider,
      differences: differences.map(({ request, before: then, after: now, what }) => {
        const { principal, action, resource, isolation, args, labels, supposed, content } = request
        const holding = content?.sample ?? ''
        return {
          what,
          request: {
            ...{ principal, action, resource, isolation, args, labels, supposed },
            ...(holding !== '' && { content: holding }),
          },
          before: then,
          after: now,
        }
      }),
    })
    return count === 0 ? exitCodes.done : exitCodes.failed
  },
}

function sentenceOf({ request, what, after }: Difference): string {
  const { principal, action, resource, isolation, labels = [], args, supposed = '', content } = request
  const label = labels.length === 0 ? '' : ` with labels ${labels.join(', ')}`
  const plain = JSON.stringify(plainArguments(action as Action, resource))
  const held = JSON.stringify(args) === plain ? '' : ` with ${JSON.stringify(args)}`
  const sample = content?.sample ?? ''
  const holding = sample === '' ? '' : ` holding ${JSON.stringify(sample)}`
  const where = supposed === '' ? '' : `, where ${supposed},`
  return `${action} \`${resource}\` by \`${principal}\` in \`${isolation}\`${held}${holding}${label}${where} ${what}: ${after.reason}`
}
