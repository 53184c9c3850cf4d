/** `gatehouse policy init`: writes a policy to begin with, and cases that say what it says today. */
import { basename, dirname, extname, join } from 'node:path'
import { listPresets, loadNarrowing, loadPolicy } from '../config/policy.ts'
import type { Action } from '../policy/actions.ts'
import { anyBase } from '../policy/compile.ts'
import { Content } from '../policy/content.ts'
import { parsePolicy } from '../policy/parse.ts'
import { pastOf } from '../policy/past-of-case.ts'
import { plainArguments } from '../policy/plain.ts'
import { didYouMean } from '../policy/suggest.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes, UsageError } from './failure.ts'
import { initFiles } from './init-files.ts'
import { create, inFolder, quoted } from './new-files.ts'
import { once, text } from './options.ts'
import { visibleLine } from './terminal.ts'

/** By this line editors complete and check the file. */
const schemaLine = '# yaml-language-server: $schema=./node_modules/gatehouse/policies/schema.json\n'

/** What the cases of a new policy ask. */
const questions: readonly (readonly [Action, resource: string])[] = [
  ['fs.read', '/workspace/data.csv'],
  ['fs.write', '/mem/working/note.txt'],
  ['fs.write', '/workspace/data.csv'],
  ['net.fetch', 'https://example.org/'],
  ['tool.call', 'send_email'],
  ['proc.spawn', 'helper'],
]

export const policyInit: CommandSpec = {
  name: 'init',
  args: '[file]',
  summary: 'write a policy to begin with (default: policy.yaml), and cases for it',
  examples: [
    ['gatehouse policy init', 'one that keeps notes and reads what is mounted'],
    ['gatehouse policy init desk.yaml --from support-desk', 'the text of a preset, under a name of its own'],
  ],
  options(command) {
    command.option('--from <preset>', 'begin with the text of this preset', once(text))
  },
  run(out, command) {
    const file = command.args[0] ?? 'policy.yaml'
    const { from } = command.opts<{ readonly from?: string }>()
    const name = nameOf(file)
    const policy = schemaLine + renamed(textOf(from), name)
    const cases = join(dirname(file), 'cases', basename(file))
    const files = [
      [file, policy],
      [cases, casesOf(policy, file)],
    ] as const
    const written: string[] = []
    const kept: string[] = []
    for (const [path, content] of files)
      inFolder(dirname(path), () => {
        const list = create(path, content) ? written : kept
        list.push(path)
      })
    for (const path of written) out.say(`${out.colors.green('wrote')} ${visibleLine(path)}`)
    for (const path of kept)
      out.say(`${out.colors.yellow('kept')} ${visibleLine(path)}, which exists already`)
    const next = `gatehouse policy check ${quoted(file)} && gatehouse policy test ${quoted(file)}`
    out.say(`\nNext: ${out.colors.bold(visibleLine(next))}`)
    out.give({ written, kept, next })
    return exitCodes.done
  },
}

/** A policy is called as its file. */
function nameOf(file: string): string {
  const extension = extname(file)
  const name = basename(file, extension)
  if (extension === '.yaml' || extension === '.yml') return name
  throw new UsageError(`\`${file}\` does not end in .yaml or .yml, by which a policy file is known`)
}

function textOf(preset: string | undefined): string {
  if (preset === undefined) return initFiles['policy.yaml'] ?? ''
  const presets = listPresets()
  if (!presets.includes(preset))
    throw new UsageError(`no preset is called \`${preset}\`${didYouMean(preset, presets)}`)
  return loadNarrowing(preset).policies[0]?.text ?? ''
}

const renamed = (policy: string, name: string): string =>
  policy.replace(/^name: .*$/m, () => `name: ${JSON.stringify(name)}`)

/** @throws PolicyError where the name is none */
function casesOf(policy: string, file: string): string {
  const read = parsePolicy(policy, file)
  // One that narrows whatever stands beside it says nothing alone.
  const beside = read.extends === anyBase ? ['permissive'] : []
  const set = loadPolicy([...beside, read.document])
  const asked = questions.map(([action, resource]) => {
    const request = { principal: 'agent', action, resource, isolation: 'cell', labels: [] } as const
    const args = plainArguments(action, resource)
    const held = { args, content: Content.of([resource, args]), ...pastOf('agent', {}, []) }
    const { effect, rules, observed } = set.decide({ ...request, ...held })
    const rule = rules.length === 0 ? '' : `, rule: [${rules.map(({ id }) => id).join(', ')}]`
    const seen = observed === undefined ? '' : `, observed: ${observed.effect}`
    return `  - { action: ${action}, resource: ${JSON.stringify(resource)}, effect: ${effect}${rule}${seen} }\n`
  })
  return `# request → what \`${read.name}\` says today; change what it should say, and add what matters.
policy: [${[...beside, `../${basename(file)}`].join(', ')}]
cases:
${asked.join('')}`
}
