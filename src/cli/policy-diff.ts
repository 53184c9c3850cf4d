/** `gatehouse policy diff`: in what policies are wider than others, and in what narrower, with requests that show it. */
import { loadPolicy } from '../config/policy.ts'
import type { Action } from '../policy/actions.ts'
import { type Difference, diff } from '../policy/diff.ts'
import { plainArguments } from '../policy/plain.ts'
import type { Probe } from '../policy/probes.ts'
import type { PolicySet } from '../policy/types.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes, UsageError } from './failure.ts'
import { visibleLine } from './terminal.ts'

export const policyDiff: CommandSpec = {
  name: 'diff',
  args: '<before> <after>',
  summary:
    'say what policies permit or ask that others do not, and the reverse. Each side is one, or a list with commas that must agree',
  examples: [
    [
      'gatehouse policy diff strict policy.yaml',
      'each with a request that shows it; exit code 1 when policy.yaml is wider anywhere',
    ],
    ['gatehouse policy diff developer developer,no-pii', 'what a second policy beside the first one changes'],
    ['gatehouse policy diff old.yaml new.yaml --json', 'the same for a program'],
  ],
  run(out, command) {
    const [before = '', after = ''] = command.args
    const { differences, limits, sampled } = diff(setOf(before), setOf(after))
    const isExact = sampled.length === 0
    for (const each of differences) out.say(visibleLine(`${each.direction}: ${sentenceOf(each)}`))
    for (const { direction, what } of limits) out.say(visibleLine(`${direction}: limit: ${what}`))
    const all = [...differences, ...limits]
    const wider = all.filter(({ direction }) => direction === 'wider').length
    const ways = (count: number): string =>
      count === 0 ? 'no way' : `${count} ${count === 1 ? 'way' : 'ways'}`
    out.say(
      visibleLine(
        `${after} is wider than ${before} in ${ways(wider)}, and narrower in ${ways(all.length - wider)}`,
      ),
    )
    out.note(
      isExact
        ? 'Exact: every way in which the patterns can match was tried.'
        : `Not proved, only tried with samples: ${sampled.join('; ')}.`,
    )
    out.give({
      ...{ before, after, exact: isExact, sampled, limits },
      differences: differences.map(({ direction, what, request, before: then, after: now }) => ({
        ...{ direction, what, request: documentOf(request), before: then, after: now },
      })),
    })
    return wider === 0 ? exitCodes.done : exitCodes.failed
  },
}

/** @throws UsageError for a list with nothing between two commas, and what loadPolicy throws */
function setOf(given: string): PolicySet {
  const names = given.split(',')
  if (names.includes(''))
    throw new UsageError(
      `\`${given}\` is no list of policies; write them with a comma between, such as \`developer,no-pii\``,
    )
  return loadPolicy(names)
}

function documentOf({ content, ...request }: Probe) {
  const { principal, action, resource, isolation, args, labels, supposed } = request
  const holding = content?.sample ?? ''
  return {
    ...{ principal, action, resource, isolation, args, labels, supposed },
    ...(holding !== '' && { content: holding }),
  }
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
