/** Patterns of permits that take in more than they seem to. */
import { actions, expandAction } from './actions.ts'
import type { Rule } from './types.ts'

/** @returns what a rule that permits takes in beside what its author may have had in mind, as clauses */
export function broadness({ actions: patterns, resources, when, contains }: Rule): readonly string[] {
  const covered = new Set(patterns.flatMap(expandAction))
  if (resources === undefined) {
    if (when !== undefined || contains !== undefined) return []
    if (patterns.includes('*')) return ['it permits every action on everything']
    return [...covered].flatMap((action) => everything[action] ?? [])
  }
  const kinds = new Set([...covered].map((action) => actions[action].resource))
  return resources.flatMap((pattern) => {
    if (kinds.has('url')) return broadUrl(pattern)
    return kinds.has('path') ? broadPath(pattern) : broadName(pattern)
  })
}

const everything: Readonly<Record<string, string>> = {
  'net.fetch': 'it permits every public site; name those that are needed in `resource`',
  'tool.call': 'it permits every tool, also those that are registered later; name them in `resource`',
  'fs.write': 'it permits writing every file that is mounted for writing; name folders in `resource`',
}

/** Suffixes below which anybody can have a name, by their form: `com`, `co.uk`. */
const publicSuffix = /^([a-z]+|(co|com|org|net|ac|gov|edu|or|ne)\.[a-z]{2})$/

function broadUrl(pattern: string): readonly string[] {
  const host = /^https?:\/\/([^/:?#]*)/.exec(pattern)?.[1] ?? ''
  if (host === '*') return [`\`${pattern}\` is every public site`]
  const suffix = host.startsWith('*.') ? host.slice(2) : ''
  return publicSuffix.test(suffix)
    ? [`\`${pattern}\` is every site that ends in \`.${suffix}\`, also another's`]
    : []
}

/** The end of a name that belongs to it; after it, a wildcard takes in other names. */
const wordThenRun = /[A-Za-z0-9]\*$/

const broadPath = (pattern: string): readonly string[] =>
  pattern.split('/').length === 2 && wordThenRun.test(pattern)
    ? [
        `\`${pattern}\` is every name that begins so, and nothing below; write \`${pattern.slice(0, -1)}/**\` for a folder`,
      ]
    : []

const broadName = (pattern: string): readonly string[] =>
  wordThenRun.test(pattern)
    ? [`\`${pattern}\` takes in every name that begins so, such as \`${pattern.slice(0, -1)}x\``]
    : []
