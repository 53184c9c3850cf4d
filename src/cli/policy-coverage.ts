/** `gatehouse policy coverage`: which rules of a policy its cases try. */
import { readCases } from '../config/cases.ts'
import { coverage, runCases } from '../policy/cases.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { tableOf } from './table.ts'
import { visibleLine } from './terminal.ts'

export const policyCoverage: CommandSpec = {
  name: 'coverage',
  args: '<file...>',
  summary: 'say which rules decide a case, and which none',
  examples: [
    ['gatehouse policy coverage desk.yaml', 'by the cases beside it; exit code 1 when a rule decides none'],
  ],
  run(out, command) {
    const files = command.args.map((given) => {
      const { file, set, cases } = readCases(given)
      return { file, policy: set.name, rules: coverage(set, runCases(set, cases)) }
    })
    for (const { file, policy, rules } of files) {
      const tried = rules.filter(({ cases }) => cases > 0)
      const rows = rules.map((rule) => [`${rule.policy}:${rule.line}`, rule.id, String(rule.cases)])
      if (rules.length > 0) out.say(tableOf(['rule', 'id', 'cases that it decides'], rows, out.colors))
      out.say(visibleLine(`${file}: ${tried.length} of ${rules.length} rules of ${policy} decide a case`))
    }
    out.give({ files })
    const complete = files.every(({ rules }) => rules.every(({ cases }) => cases > 0))
    return complete ? exitCodes.done : exitCodes.failed
  },
}
