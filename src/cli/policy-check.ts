/** `gatehouse policy check`: whether policies load, with file, line and column of all that is wrong. */
import { loadNarrowing } from '../config/policy.ts'
import { loadTools } from '../config/tools.ts'
import { ToolDriver } from '../drivers/tool.ts'
import { KernelError } from '../errors.ts'
import { joinLabels, noLabels } from '../labels.ts'
import { PolicyError } from '../policy/problem.ts'
import { assertToolsFit } from '../policy/tools.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { each, text } from './options.ts'
import { visibleLine } from './terminal.ts'

interface Checked {
  readonly policy: string
  readonly ok: boolean
  readonly name?: string
  readonly hash?: string
  readonly mode?: string
  /** Of a Rego module nothing is known of its rules. */
  readonly rules?: number
  /** The languages of policies that are not in ours. */
  readonly engines?: readonly string[]
  /** Labels that its rules give. */
  readonly labels?: readonly string[]
  readonly message?: string
  readonly problems?: readonly { readonly line: number; readonly column: number; readonly message: string }[]
}

export const policyCheck: CommandSpec = {
  name: 'check',
  args: '<policy...>',
  summary: 'check policy files, each by itself, and with --tools whether conditions fit the tools',
  examples: [
    ['gatehouse policy check policy.yaml', 'says whether it loads, and where not'],
    [
      'gatehouse policy check policy.yaml --tools tools.ts',
      'whether its conditions can be judged for the tools of that module',
    ],
    ['gatehouse policy check policies/*.yaml --json', 'the same for a program; exit code 2 when one is bad'],
  ],
  options(command) {
    command.option(
      '--tools <file>',
      'a module of tools, as `gatehouse run` takes it: it is run to know their schemas; repeat it',
      each(text),
    )
  },
  async run(out, command) {
    const { tools: files = [] } = command.opts<{ tools?: readonly string[] }>()
    const tools = await schemasOf(files)
    const checks = command.args.map((ref) => check(ref, tools))
    for (const { policy, ok, name, mode, rules, engines = [], labels = [], hash, message } of checks) {
      if (!ok) {
        out.note(message ?? '')
        continue
      }
      const given = labels.length === 0 ? '' : `gives labels ${labels.join(', ')}, `
      const what = `\`${name}\`, ${rules} ${rules === 1 ? 'rule' : 'rules'}${engines.map((it) => `, ${it}`).join('')}, mode ${mode}, ${given}hash ${hash?.slice(0, 16)}`
      out.say(`${out.colors.green('ok')} ${visibleLine(`${policy}: ${what}`)}`)
    }
    out.give({ policies: checks })
    return checks.every(({ ok }) => ok) ? exitCodes.done : exitCodes.usage
  },
}

/** @throws KernelError for tools that the kernel would not register */
async function schemasOf(files: readonly string[]): Promise<ReturnType<ToolDriver['list']>> {
  const driver = new ToolDriver(() => {})
  for (const file of files)
    for (const [name, tool] of Object.entries(await loadTools(file))) driver.register(name, tool)
  return driver.list()
}

function check(ref: string, tools: ReturnType<ToolDriver['list']>): Checked {
  try {
    const set = loadNarrowing(ref)
    assertToolsFit(set, tools)
    const { name, hash, mode, policies } = set
    const rules = policies.reduce((sum, policy) => sum + policy.rules.length, 0)
    const engines = policies.flatMap(({ engine }) => engine?.name ?? [])
    const demands = policies.flatMap((policy) => policy.rules.flatMap((rule) => rule.demands?.label ?? []))
    const labels = joinLabels(noLabels, demands)
    const gives = { ...(engines.length > 0 && { engines }), ...(labels.length > 0 && { labels }) }
    return { policy: ref, ok: true, name, hash, mode, rules, ...gives }
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    const problems = error instanceof PolicyError ? { problems: error.problems } : {}
    return { policy: ref, ok: false, message: error.message, ...problems }
  }
}
