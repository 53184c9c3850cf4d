/** `gatehouse policy lint`: rules without effect, and patterns that are broader than they look. */
import { loadNarrowing } from '../config/policy.ts'
import { lint } from '../policy/lint.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { visibleLine } from './terminal.ts'

export const policyLint: CommandSpec = {
  name: 'lint',
  args: '<policy...>',
  summary: 'find rules without effect, and patterns that are broader than they look',
  examples: [
    ['gatehouse policy lint policy.yaml', 'each with its line and why; exit code 1 when there is any'],
  ],
  run(out, command) {
    const linted = command.args.map((policy) => ({ policy, ...lint(loadNarrowing(policy)) }))
    for (const { policy, findings, complete } of linted) {
      for (const { rule, kind, message } of findings)
        out.say(
          `${out.colors.yellow(kind)} ${visibleLine(`${rule.policy}:${rule.line} \`${rule.id}\`: ${message}`)}`,
        )
      if (findings.length === 0) out.say(`${out.colors.green('ok')} ${visibleLine(policy)}`)
      if (!complete)
        out.note(`${policy}: too many kinds of requests to try them all; rules without effect may be missed`)
    }
    out.give({ policies: linted })
    return linted.every(({ findings }) => findings.length === 0) ? exitCodes.done : exitCodes.failed
  },
}
