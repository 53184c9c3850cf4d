/** Every action that a policy can judge, and what kind of thing its resource is. */
import { didYouMean } from './suggest.ts'

export type ResourceKind = 'path' | 'url' | 'name'

export const actions = {
  'fs.read': { resource: 'path', summary: 'read a file; the source of a move' },
  'fs.write': { resource: 'path', summary: 'create or replace a file; the target of a move' },
  'fs.append': { resource: 'path', summary: 'add to the end of a file' },
  'fs.list': { resource: 'path', summary: 'list a folder' },
  'fs.stat': { resource: 'path', summary: 'see type, size and time' },
  'fs.mkdir': { resource: 'path', summary: 'make a folder' },
  'fs.remove': { resource: 'path', summary: 'remove a file or folder; the source of a move' },
  'net.fetch': { resource: 'url', summary: 'send an HTTP request' },
  'tool.call': { resource: 'name', summary: 'call a tool, by its name' },
  'llm.generate': { resource: 'name', summary: 'ask a model, by provider/model' },
  'llm.stream': { resource: 'name', summary: 'ask a model and read as it writes, by provider/model' },
  'llm.embed': { resource: 'name', summary: 'turn text into vectors, by provider/model' },
  'ipc.send': { resource: 'name', summary: 'send to an agent or a topic, by its name' },
  'ipc.receive': {
    resource: 'name',
    summary: 'receive from an agent, by its name; `*` where the call names none',
  },
  'ipc.pipe': { resource: 'name', summary: 'open a pipe to an agent, by its name' },
  'proc.spawn': { resource: 'name', summary: 'start an agent, by its name' },
  'proc.signal': { resource: 'name', summary: 'send a signal to an agent, by its name' },
} as const satisfies Readonly<Record<string, { resource: ResourceKind; summary: string }>>

export type Action = keyof typeof actions

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
