/** `gatehouse policy test`: whether policies say to their cases what the cases say. */
import { type CaseFile, readCases } from '../config/cases.ts'
import { type CaseResult, runCases } from '../policy/cases.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { visibleLine } from './terminal.ts'

export const policyTest: CommandSpec = {
  name: 'test',
  args: '<file...>',
  summary: 'ask policies the requests of their cases, and compare',
  examples: [
    ['gatehouse policy test cases/desk.yaml', 'request → effect and rule; exit code 1 when one is otherwise'],
    ['gatehouse policy test desk.yaml', 'the same of the cases that lie beside it, as cases/desk.yaml'],
  ],
  run(out, command) {
    const files = command.args.map(readCases)
    const tested = files.map((each) => ({ each, results: runCases(each.set, each.cases) }))
    for (const { each, results } of tested) {
      const failed = results.filter(({ wrong }) => wrong.length > 0)
      for (const result of failed)
        out.say(`${out.colors.red('wrong')} ${visibleLine(sentenceOf(each, result))}`)
      const passed = results.length - failed.length
      const mark = failed.length === 0 ? out.colors.green('ok') : out.colors.red('failed')
      out.say(
        `${mark} ${visibleLine(`${each.file}: ${passed} of ${results.length} cases hold under ${each.set.name}`)}`,
      )
    }
    out.give({ files: tested.map(({ each, results }) => documentOf(each, results)) })
    const holds = tested.every(({ results }) => results.every(({ wrong }) => wrong.length === 0))
    return holds ? exitCodes.done : exitCodes.failed
  },
}

function sentenceOf({ file }: CaseFile, { case: { line, request }, decision, wrong }: CaseResult): string {
  const asked = `\`${request.principal}\` ${request.action} \`${request.resource}\``
  return `${file}:${line}: ${asked}: ${wrong.join('; ')} (${decision.reason})`
}

const documentOf = ({ file, set }: CaseFile, results: readonly CaseResult[]) => ({
  file,
  policy: set.name,
  cases: results.map(({ case: { line, request }, decision, wrong }) => {
    const { principal, action, resource, isolation, args } = request
    return { line, request: { principal, action, resource, isolation, args }, decision, wrong }
  }),
})
