/** Prints src/guest.ts: what an agent's file imports, with a type for every call of the table. */
import { execFileSync } from 'node:child_process'
import { agentSignals } from '../../src/proc/signals.ts'
import { type SyscallName, syscallNames, syscalls } from '../../src/syscalls.ts'
import { type Argument, variantsOf } from './json-schema.ts'
import { type Stub, stubs } from './stubs.ts'

/** Doors that a family has beside those of the table. */
const handMade: Readonly<Record<string, string>> = { proc: 'SignalDoors', ipc: 'PipeDoors', llm: 'LlmDoors' }

const head = `
/**
 * The doors of user space, as an agent's file names them: \`import { fs, tools } from 'gatehouse/guest'\`.
 * In user space they are real; on the host each throws when it is called.
 * Printed by \`npm run docs\` from src/syscalls.ts: change the table, not this file.
 */
import type { Errno } from './errors.ts'
import type { SignalDoors, SignalName, Tools } from './guest-doors.ts'
import type { LlmDoors, PipeDoors } from './guest-streams.ts'
import type { Fetch } from './guest-web.ts'
import type { Json } from './json.ts'
import { userSpaceOnly } from './user-space-only.ts'

export type * from './guest-doors.ts'
export type * from './guest-streams.ts'
export type * from './guest-web.ts'
export type { Errno, Json }
`

const sysType = `
export type SyscallName = keyof SyscallArguments

/**
 * One syscall by its name, with exactly the arguments of the table; what the other doors are made of.
 * @returns the reply as docs/syscalls.md says it; bytes come as \`{ base64 }\`, text as \`{ text }\`
 * @throws SyscallError
 */
export type Sys = <Name extends SyscallName>(
  name: Name,
  ...args: Record<never, never> extends SyscallArguments[Name]
    ? [args?: SyscallArguments[Name]]
    : [args: SyscallArguments[Name]]
) => Promise<unknown>
`

export function guestText(): string {
  const families = [...new Set(stubs.map(({ family }) => family))]
  const text = [
    head,
    `/** What each syscall takes. */\nexport interface SyscallArguments {\n${syscallNames.map(argumentsText).join('\n')}\n}`,
    sysType,
    ...families.map(familyText),
    ...[
      ['sys', 'Sys'],
      ...families.map((name) => [name, typeName(name)]),
      ['tools', 'Tools'],
      ['fetch', 'Fetch'],
    ].map(([name, type]) => `export const ${name}: ${type} = userSpaceOnly('${name}')`),
  ]
  const named = text
    .join('\n')
    .replaceAll(`{ ${promptText} }`, 'LlmPrompt')
    .replaceAll(modelReply, 'LlmReply')
  return formatted(
    [named, ...modelTypes]
      .join('\n')
      .replaceAll(`(${messageText})[]`, 'LlmMessage[]')
      .replaceAll(signalUnion, 'SignalName')
      .replaceAll('(SignalName)[]', 'SignalName[]'),
  )
}

/** Of calls of models: how the types of a prompt, its messages and a reply come out of their schemas; they are long, and have names. */
const prompt = variantsOf(syscalls['llm.generate']).flat()
const promptText = prompt.map((it) => property(it, it.type)).join('; ')
const messageText = (prompt.find(({ name }) => name === 'messages')?.type ?? '').slice(
  'readonly ('.length,
  -')[]'.length,
)
const modelReply = syscalls['llm.generate'].returns
const modelTypes = [
  `/** One message of a conversation with a model. */\nexport type LlmMessage = ${messageText}`,
  `/** A prompt; \`prompt\` or \`messages\`. */\nexport interface LlmPrompt { ${promptText} }`,
  `/** A model's reply. */\nexport interface LlmReply ${modelReply}`,
]

/** How the type of a signal comes out of its schema; hand-made types have a name for it. */
const signalUnion = agentSignals.map((name) => `'${name}'`).join(' | ')

const typeName = (family: string): string => `${family[0]?.toUpperCase()}${family.slice(1)}`

const argumentsText = (name: SyscallName): string =>
  `/** ${syscalls[name].summary} */\nreadonly '${name}': ${variantsOf(syscalls[name])
    .map((variant) => `{ ${variant.map((it) => property(it, it.type)).join('; ')} }`)
    .join(' | ')}`.replaceAll('{  }', 'Readonly<Record<string, never>>')

function familyText(family: string): string {
  const beside = handMade[family]
  const methods = stubs.filter((stub) => stub.family === family).map(stubText)
  return `export interface ${typeName(family)}${beside === undefined ? '' : ` extends ${beside}`} {\n${methods.join('\n')}\n}\n`
}

function stubText(stub: Stub): string {
  const { row, verb, parameters } = stub
  const lines = [
    row.summary,
    ...parameters.map(({ name, meaning }) => `@param ${name} ${meaning}`),
    '@throws SyscallError',
  ]
  const signatures = row.bytes
    ? [signature(stub, 'string', 'text'), signature(stub, 'Uint8Array', 'bytes')]
    : [signature(stub, row.returns)]
  return [
    `/**\n${lines.map((line) => ` * ${line}`).join('\n')}\n */`,
    ...signatures.map((it) => `${verb}${it}`),
  ].join('\n')
}

/** @param encoding where the reply depends on it: which one this signature is about; `text` is what is left out */
function signature({ parameters, options }: Stub, returns: string, encoding?: 'text' | 'bytes'): string {
  const positional = parameters.map(({ name, optional, type }) => `${name}${optional ? '?' : ''}: ${type}`)
  const fields = options.map((it) => {
    if (it.name !== 'encoding' || encoding === undefined) return field(it, `${it.type} | undefined`)
    return field(
      { ...it, optional: encoding === 'text' },
      encoding === 'text' ? `'text' | undefined` : `'bytes'`,
    )
  })
  const required = encoding === 'bytes' || options.some(({ optional }) => !optional)
  const last = fields.length === 0 ? [] : [`options${required ? '' : '?'}: { ${fields.join('; ')} }`]
  return `(${[...positional, ...last].join(', ')}): Promise<${returns}>`
}

function property({ name, optional }: Argument, type: string): string {
  return `readonly ${name}${optional ? '?' : ''}: ${type}`
}

/** A property with what it means before it; the formatter gives each a line of its own. */
const field = (argument: Argument, type: string): string =>
  `\n/** ${argument.meaning} */\n${property(argument, type)}`

/** As the linter wants it, so that a printed file needs no exception; it is content with its own work the second time. */
const formatted = (text: string): string => formattedOnce(formattedOnce(text))

const formattedOnce = (text: string): string =>
  execFileSync(
    process.execPath,
    ['node_modules/@biomejs/biome/bin/biome', 'format', '--stdin-file-path=src/guest.ts'],
    { input: text, encoding: 'utf8', cwd: new URL('../..', import.meta.url) },
  )
