/** `gatehouse policy explain`: which rule decides one request, and why. */
import { InvalidArgumentError, Option } from 'commander'
import { loadPolicy } from '../config/policy.ts'
import type { JsonObject } from '../json.ts'
import { type Action, actionProblem, isAction } from '../policy/actions.ts'
import { Content } from '../policy/content.ts'
import { explain, type PolicyExplanation, type RuleExplanation } from '../policy/explain.ts'
import { type CaseDeed, type CaseOrigins, pastOf } from '../policy/past-of-case.ts'
import { plainArguments } from '../policy/plain.ts'
import { type Effect, type Isolation, isolations } from '../policy/types.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes, UsageError } from './failure.ts'
import { each, jsonObject, once, oneOf, text } from './options.ts'
import type { Colors, Output } from './output.ts'
import { visibleLine } from './terminal.ts'

interface Options {
  readonly policy?: readonly string[]
  readonly principal?: string
  readonly action?: Action
  readonly resource?: string
  readonly isolation?: Isolation
  readonly args?: JsonObject
  readonly content?: string
  readonly label?: readonly string[]
  readonly seen?: readonly (readonly [origin: SeenIn, value: string])[]
  readonly done?: readonly CaseDeed[]
}

type SeenIn = keyof CaseOrigins

export const policyExplain: CommandSpec = {
  name: 'explain',
  summary: 'say which rule decides a request, and why',
  examples: [
    [
      'gatehouse policy explain --policy policy.yaml --principal agent --action fs.read --resource /workspace/a.csv',
      'would this agent be allowed to read this file?',
    ],
    [
      'gatehouse policy explain --policy researcher --principal r --action net.fetch --resource https://example.org/',
      'the same of a preset; on a refusal it names the rules that came nearest',
    ],
  ],
  options(command) {
    command
      .option(
        '--policy <policy>',
        'a preset or a file; repeat it, and all must agree (default: strict)',
        each(text),
      )
      .option('--principal <name>', "the agent's name", once(text))
      .option('--action <action>', 'such as fs.read, net.fetch or tool.call', once(actionOf))
      .option('--resource <resource>', 'a path, a URL, the name of a tool or an agent', once(text))
      .option(
        '--args <json>',
        'what the call holds, for conditions; `path` and the parts of a URL are known',
        once(jsonObject),
      )
      .option(
        '--content <text>',
        'what the call holds besides, for rules with `contains`: a body, a text that is written',
        once(text),
      )
      .option('--label <label>', 'a label of the process; repeat it', each(text))
      .option(
        '--seen <origin=value>',
        'where a value has been seen: task, trusted or untrusted; repeat it',
        each(seenIn),
      )
      .option(
        '--done <action=resource>',
        'what the process has done before, such as tool.call=read_mail; repeat it',
        each(doneBefore),
      )
      .addOption(
        new Option(
          '--isolation <level>',
          'where the agent runs: cell, inline or host (default: cell)',
        ).argParser(once(oneOf(isolations))),
      )
  },
  run(out, command) {
    const options = command.opts<Options>()
    const { policy = ['strict'], isolation = 'cell', principal, action, resource } = options
    // Commander's own check would come before that for misspelt options.
    if (principal === undefined || action === undefined || resource === undefined) {
      const missing = Object.entries({ principal, action, resource }).filter(
        ([, value]) => value === undefined,
      )
      const names = missing.map(([name]) => `--${name}`).join(', ')
      throw new UsageError(`it needs ${names}; see \`gatehouse policy explain --help\``)
    }
    const set = loadPolicy(policy)
    const args = plainArguments(action, resource, options.args)
    const content = Content.of([resource, args, options.content ?? null])
    const labels = options.label ?? []
    const request = { principal, action, resource, isolation, args, labels, content }
    const { seen = [], done = [] } = options
    const seenAs = Map.groupBy(seen, ([origin]) => origin)
    const origins = Object.fromEntries(
      [...seenAs].map(([origin, all]) => [origin, all.map(([, value]) => value)]),
    )
    const past = pastOf(
      principal,
      origins,
      done.map((deed) => ({ ...deed, agent: principal })),
    )
    const { decision, policies } = explain(set, { ...request, ...past })
    const question = `\`${principal}\` ${action} \`${resource}\` in isolation \`${isolation}\``
    out.say(`${verdict(decision.effect, out.colors)} ${visibleLine(`${question}: ${decision.reason}`)}`)
    if (decision.observed !== undefined)
      out.say(visibleLine(`observed: it would have been refused, ${decision.observed.reason}`))
    for (const each of policies) show(out, each)
    const { content: _held, ...asked } = request
    out.give({ request: asked, decision, policies })
    return exitCodes.done
  },
}

function seenIn(value: string): readonly [SeenIn, string] {
  const [, origin, seen] = /^(task|trusted|untrusted)=(.*)$/s.exec(value) ?? []
  if (origin === undefined || seen === undefined)
    throw new InvalidArgumentError('write it as task=VALUE, trusted=VALUE or untrusted=VALUE')
  return [origin as SeenIn, seen]
}

function doneBefore(value: string): CaseDeed {
  const at = value.indexOf('=')
  if (at < 0) throw new InvalidArgumentError('write it as ACTION=RESOURCE, such as tool.call=read_mail')
  const action = actionOf(value.slice(0, at))
  return { agent: '', action, resource: value.slice(at + 1), in: 'process', ago: 0, times: 1 }
}

function actionOf(value: string): Action {
  if (isAction(value)) return value
  throw new InvalidArgumentError(
    actionProblem(value) ?? `\`${value}\` covers several actions; ask about one of them`,
  )
}

function show(out: Output, { name, mode, effect, matching, nearest }: PolicyExplanation): void {
  const only = mode === 'observe' ? ', which only observes,' : ''
  out.say('')
  out.say(visibleLine(`policy ${name}${only} says ${effect}`))
  for (const rule of matching) out.say(`  ${describe(rule)}`)
  if (nearest.length > 0) out.say('  no rule matches; nearest to permitting it:')
  for (const rule of nearest) out.say(`  ${describe(rule)}`)
}

const describe = ({ policy, id, line, effect, decided, demands, why }: RuleExplanation): string =>
  visibleLine(
    `${decided ? '*' : '-'} ${effect} by \`${id}\` (${policy}:${line}): ${[why, ...demands].join('; ')}`,
  )

function verdict(effect: Effect, colors: Colors): string {
  if (effect === 'permit') return colors.green('permitted')
  return effect === 'ask' ? colors.yellow('asks a person') : colors.red('forbidden')
}
