/** Prints docs/syscalls.md. */
import { actions, isAction } from '../../src/policy/actions.ts'
import type { Syscall } from '../../src/syscalls/row.ts'
import { type SyscallName, syscallNames, syscalls } from '../../src/syscalls.ts'
import { argumentsOf } from './json-schema.ts'
import { code, page, printedFrom, tableOf } from './markdown.ts'
import { stubOf } from './stubs.ts'

const intro = `Everything an agent can ask for. Each call passes the gate: is the process allowed to run, is the call known, are its arguments sound, does the policy permit it, is there budget left; then it is put on record, and only then does anything happen. A refused call rejects with an error of [docs/errors.md](errors.md).

Agents use the stubs, which are globals and exports of \`gatehouse/guest\`; \`sys(name, args)\` makes any call by its name, with exactly the arguments below, and gives a file's content as \`{ text }\` or \`{ base64 }\`. A stub takes its parameters in order and the other arguments in an object after them. Arguments beside those of the table are refused.

\`cost\` is what a call takes from a budget of \`syscalls\`. A call that leaves the kernel waits until its intent is on durable record.`

const resourceText = {
  path: 'the normalised absolute path',
  url: 'the parsed URL',
  name: 'the name',
} as const

export function syscallsText(): string {
  const contents = syscallNames.map((name) => [
    `[${code(name)}](#${name.replace('.', '')})`,
    syscalls[name].summary,
  ])
  return page(
    '# Syscalls',
    printedFrom('src/syscalls.ts'),
    intro,
    tableOf(['call', ''], contents),
    ...syscallNames.map(callText),
  )
}

function callText(name: SyscallName): string {
  const row: Syscall = syscalls[name]
  const given = argumentsOf(row).map(({ name, optional, type, bounds, meaning }) => [
    code(name),
    code(type) + (bounds === '' ? '' : `, ${bounds}`),
    optional ? 'optional' : 'needed',
    meaning,
  ])
  const facts = [
    ['stub', stubText(name)],
    ['returns', returnsText(row)],
    ['judged', judgedText(name, row)],
    ['leaves the kernel', externalText(row)],
    ['cost', String(row.cost)],
  ]
  return [
    `## ${name}`,
    row.summary,
    given.length === 0 ? 'No arguments.' : tableOf(['argument', 'type', '', 'meaning'], given),
    tableOf(['', ''], facts),
  ].join('\n\n')
}

function stubText(name: SyscallName): string {
  const stub = stubOf(name)
  if (stub === undefined) return `none; ${code(`sys('${name}', args)`)}`
  const parameters = stub.parameters.map((it) => `${it.name}${it.optional ? '?' : ''}`)
  const options = stub.options.map((it) => `${it.name}${it.optional ? '?' : ''}`)
  const last = options.length === 0 ? [] : [`{ ${options.join(', ')} }`]
  return code(`${name}(${[...parameters, ...last].join(', ')})`)
}

function returnsText({ returns, bytes }: Syscall): string {
  if (returns === 'never') return 'nothing: the process has ended'
  if (returns === 'null') return 'nothing (`null`)'
  return bytes
    ? `${code(returns)}, or ${code('Uint8Array')} with the encoding ${code('bytes')}`
    : code(returns)
}

function judgedText(name: SyscallName, { judge }: Syscall): string {
  if (judge === undefined) return 'no: counted and limited'
  if (!isAction(name)) return 'yes, as other actions: see above'
  const { resource, summary } = actions[name]
  return `yes, as ${code(name)} (${summary}), on ${resourceText[resource]}`
}

/** A row that does not look at its arguments says the same of every call. */
function externalText({ external }: Syscall): string {
  if (external === undefined) return 'no'
  return external.length === 0 ? 'yes' : 'where the path lies in a folder of the host'
}
