/** Every action that a policy can judge: what kind of thing its resource is, and the arguments that conditions see. */
import type { Json } from '../json.ts'
import {
  type ArgumentsOf,
  type ArgumentType,
  anyArguments,
  argumentsAsWritten,
  type WrittenArguments,
} from './arguments.ts'
import { didYouMean } from './suggest.ts'

export type ResourceKind = 'path' | 'url' | 'name'

const path = { path: 'string' } as const
/** `bytes` is how much is written; the target of a move has none. */
const written = { path: 'string', bytes: 'int?' } as const
const prompt = { tokensMax: 'int?', tools: 'strings', promptBytes: 'int' } as const

export const actions = {
  'fs.read': {
    resource: 'path',
    summary: 'read a file; the source of a move',
    args: { path: 'string', offset: 'int?', length: 'int?' },
  },
  'fs.write': {
    resource: 'path',
    summary: 'create or replace a file; the target of a move',
    args: written,
  },
  'fs.append': { resource: 'path', summary: 'add to the end of a file', args: written },
  'fs.list': { resource: 'path', summary: 'list a folder', args: path },
  'fs.stat': { resource: 'path', summary: 'see type, size and time', args: path },
  'fs.mkdir': { resource: 'path', summary: 'make a folder', args: path },
  'fs.remove': { resource: 'path', summary: 'remove a file or folder; the source of a move', args: path },
  'net.fetch': {
    resource: 'url',
    summary: 'send an HTTP request',
    args: {
      method: 'string',
      scheme: 'string',
      host: 'string',
      port: 'int',
      path: 'string',
      headers: 'strings',
      bodyBytes: 'int',
      secrets: 'strings',
    },
  },
  'tool.call': { resource: 'name', summary: 'call a tool, by its name' },
  'llm.generate': { resource: 'name', summary: 'ask a model, by provider/model', args: prompt },
  'llm.stream': {
    resource: 'name',
    summary: 'ask a model and read as it writes, by provider/model',
    args: prompt,
  },
  'llm.embed': {
    resource: 'name',
    summary: 'turn text into vectors, by provider/model',
    args: { promptBytes: 'int' },
  },
  'ipc.send': {
    resource: 'name',
    summary: 'send to an agent or a topic, by its name',
    args: { bytes: 'int' },
  },
  'ipc.receive': {
    resource: 'name',
    summary: 'receive from an agent, by its name; `*` where the call names none',
    args: {},
  },
  'ipc.pipe': {
    resource: 'name',
    summary: 'open a pipe to an agent, by its name, and write to it; or take one from it',
    args: { bytes: 'int', mode: 'string' },
  },
  'proc.spawn': {
    resource: 'name',
    summary: 'start an agent, by its name',
    args: { isolation: 'string', sha256: 'string' },
  },
  'proc.extract': {
    resource: 'name',
    summary: 'have an agent, by its name, look and tell one narrow value',
    args: { isolation: 'string', sha256: 'string', bits: 'int' },
  },
  'proc.signal': {
    resource: 'name',
    summary: 'send a signal to an agent, by its name',
    args: { signal: 'string' },
  },
} as const satisfies Readonly<Record<string, ActionRow>>

interface ActionRow {
  readonly resource: ResourceKind
  readonly summary: string
  /** Undefined for tools, whose arguments are those of their own schemas. */
  readonly args?: WrittenArguments
}

export type Action = keyof typeof actions

/** What a syscall tells the policy about one action. */
export type ArgumentsOfAction<A extends Action> = (typeof actions)[A] extends {
  readonly args: infer W extends WrittenArguments
}
  ? ArgumentsOf<W>
  : Json

const types = new Map<Action, ArgumentType & object>()

/** @returns the type of the action's arguments; the same object every time */
export function argumentsOf(action: Action): ArgumentType & object {
  const row: ActionRow = actions[action]
  const type = types.get(action) ?? (row.args === undefined ? anyArguments : argumentsAsWritten(row.args))
  types.set(action, type)
  return type
}

export const isAction = (name: string): name is Action => Object.hasOwn(actions, name)

/** Syscalls that people look for here and that no rule can name, with what to write instead. */
const unjudged: Readonly<Record<string, string>> = {
  'fs.move': 'is judged as `fs.remove` and `fs.read` of the source and `fs.write` of the target; name those',
  'proc.self': 'is not judged: a process may always know itself',
  'proc.wait': 'is not judged: a parent may always wait for its child',
}

const names = Object.keys(actions).filter(isAction)

/** What a rule may write as action: a name, all of a family, or all. */
export const actionPatterns: readonly string[] = [
  ...names,
  ...new Set(names.map((name) => `${name.slice(0, name.indexOf('.'))}.*`)),
  '*',
]

/**
 * @param pattern one of `actionPatterns`
 * @returns the actions that it covers; none where it is unknown
 */
export function expandAction(pattern: string): readonly Action[] {
  if (pattern === '*') return names
  if (pattern.endsWith('.*')) return names.filter((name) => name.startsWith(pattern.slice(0, -1)))
  return isAction(pattern) ? [pattern] : []
}

/** @returns what is wrong with a text in a rule's `action`, or undefined where nothing is */
export function actionProblem(pattern: string): string | undefined {
  if (actionPatterns.includes(pattern)) return undefined
  const instead = Object.hasOwn(unjudged, pattern) ? unjudged[pattern] : undefined
  if (instead !== undefined) return `\`${pattern}\` ${instead}`
  if (pattern.startsWith('clock.'))
    return `\`${pattern}\` is not judged: time, randomness and output are counted and limited by the budget`
  if (pattern.includes('*'))
    return `\`${pattern}\` is no action; \`*\` stands alone or for all of a family, as in \`fs.*\``
  return `unknown action \`${pattern}\`${didYouMean(pattern, actionPatterns)}`
}
