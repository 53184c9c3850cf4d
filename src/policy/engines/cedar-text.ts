/** A Cedar file read into its policies: what each is called, where it stands, and whether what it names is there. */
import { limits } from '../../limits.ts'
import { readResource } from '../match.ts'
import { PolicyError, type PolicyProblem } from '../problem.ts'
import { identifierPattern } from '../schema.ts'
import { didYouMean } from '../suggest.ts'
import type { Effect, Rule } from '../types.ts'
import type { CedarModule } from './cedar.ts'
import { actionIds, entityTypes } from './cedar-request.ts'
import { foreignRule } from './engine.ts'

export interface Statement {
  readonly rule: Rule
  /** As it stands in the file. */
  readonly source: string
  /** Its place in the file, from 0. */
  readonly order: number
}

/** What can be said of a policy by `@name("…")`: what it is called, that it asks a person, and why it is here. */
const annotations = ['id', 'effect', 'for']

/** @throws PolicyError with every problem of the first kind that is found */
export function readPolicies(cedar: CedarModule, text: string, file: string): readonly Statement[] {
  const refuse = (problems: readonly PolicyProblem[]): never => {
    throw new PolicyError(file, problems)
  }
  const answer = cedar.policySetTextToParts(text)
  if (get(answer, 'type') !== 'success')
    return refuse(listOf(get(answer, 'errors')).map((it) => problemOf(it, text)))
  const sources = listOf(get(answer, 'policies')).map(String)
  const start = { line: 1, column: 1 }
  if (listOf(get(answer, 'policy_templates')).length > 0)
    refuse([
      {
        ...start,
        message: 'it holds a template (`?principal`, `?resource`), which nothing here links; write policies',
      },
    ])
  if (sources.length === 0)
    refuse([
      {
        ...start,
        message: 'it holds no policy, which is not the same as one that permits nothing; `strict` is',
      },
    ])
  if (sources.length > limits.cedarPoliciesMax)
    refuse([
      {
        ...start,
        message: `${sources.length} policies in one file, at most ${limits.cedarPoliciesMax} are taken`,
      },
    ])
  const seen = new Set<string>()
  const problems: PolicyProblem[] = []
  const statements = inOrder(sources, text).map(({ source, offset }, order) => {
    const position = positionAt(text, offset)
    const { rule, flaws } = readStatement(get(cedar.policyToJson(source), 'json'), order, position.line)
    if (seen.has(rule.id)) flaws.push(`another policy is called \`${rule.id}\` too; ids are unique`)
    seen.add(rule.id)
    problems.push(...flaws.map((message) => ({ ...position, message })))
    return { rule, source, order }
  })
  return problems.length > 0 ? refuse(problems) : statements
}

/** Cedar gives the policies by the text of their numbers: 1, 10, 2. Comments may hold the text of a policy too. */
function inOrder(sources: readonly string[], text: string) {
  const bare = withoutComments(text)
  const next = new Map<string, number>()
  const found = sources.map((source) => {
    const wanted = withoutComments(source)
    const offset = bare.indexOf(wanted, next.get(wanted) ?? 0)
    next.set(wanted, offset + 1)
    return { source, offset: Math.max(0, offset) }
  })
  return found.toSorted((a, b) => a.offset - b.offset)
}

/** The same text with blanks for comments; what looks like one within quotes is none. */
const withoutComments = (text: string): string =>
  text.replaceAll(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*/gs, (it) => (it.startsWith('"') ? it : ' '.repeat(it.length)))

function readStatement(json: unknown, order: number, line: number) {
  const flaws: string[] = []
  const given = get(json, 'annotations') ?? {}
  for (const key of Object.keys(given))
    if (!annotations.includes(key))
      flaws.push(
        `unknown annotation \`@${key}\`${didYouMean(key, annotations) || `; there are ${annotations.map((it) => `@${it}`).join(', ')}`}`,
      )
  const id = Object.hasOwn(given, 'id') ? get(given, 'id') : `policy${order}`
  const named = typeof id === 'string' && new RegExp(identifierPattern).test(id)
  if (!named)
    flaws.push(
      '`@id` is no name; write up to 64 letters, digits, dots, hyphens or underscores, a letter or digit first',
    )
  const kind = get(json, 'effect')
  if (kind !== 'permit' && kind !== 'forbid') flaws.push('it neither permits nor forbids')
  const asks = Object.hasOwn(given, 'effect')
  if (asks && (get(given, 'effect') !== 'ask' || kind !== 'permit'))
    flaws.push('`@effect("ask")` on a policy that permits is all that `@effect` can say')
  flaws.push(...unknownNames(json))
  const effect: Effect = kind !== 'permit' ? 'forbid' : asks ? 'ask' : 'permit'
  return { rule: Object.freeze(foreignRule(named ? id : `policy${order}`, line, effect)), flaws }
}

/** What is misspelt would never match, and a forbid would be none. */
function unknownNames(json: unknown): readonly string[] {
  const flaws = new Set<string>()
  const waiting: unknown[] = [json]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === null || typeof next !== 'object') continue
    const [type, id] = [get(next, 'type'), get(next, 'id')]
    const named = typeof type === 'string' && typeof id === 'string' ? entityFlaw(type, id) : undefined
    const tested = get(next, 'entity_type')
    const typed = typeof tested === 'string' ? typeFlaw(tested) : undefined
    for (const flaw of [named, typed]) if (flaw !== undefined) flaws.add(flaw)
    waiting.push(...Object.values(next).filter((it) => it !== undefined))
  }
  return [...flaws]
}

const typeFlaw = (type: string): string | undefined =>
  entityTypes.includes(type)
    ? undefined
    : `unknown type \`${type}\`${didYouMean(type, entityTypes) || `; there are ${entityTypes.join(', ')}`}`

/** Each in the one spelling that a request has. */
function entityFlaw(type: string, id: string): string | undefined {
  const written = `\`${type}::${JSON.stringify(id)}\``
  if (type === 'Action')
    return actionIds.has(id) ? undefined : `unknown action ${written}${didYouMean(id, actionIds)}`
  if (type === 'Path') {
    const readings = readResource('fs.read', id)
    return typeof readings === 'string' ? `${written}: ${readings}` : undefined
  }
  const url =
    type === 'Host' ? `https://${id}/` : type === 'Origin' ? `${id}/` : type === 'Url' ? id : undefined
  if (url === undefined) return typeFlaw(type)
  const readings = readResource('net.fetch', url)
  const [reading] = typeof readings === 'string' ? [] : readings
  if (reading?.kind !== 'url') return `${written} can be part of no call`
  const { host, scheme, port } = reading.url
  const standard = port === (scheme === 'https' ? '443' : '80')
  const spelled = type === 'Host' ? host : `${scheme}://${host}${standard ? '' : `:${port}`}`
  const right = type === 'Url' ? id.startsWith(`${spelled}/`) : id === spelled
  return right ? undefined : `${written} is another spelling of \`${spelled}\`; write that`
}

/** Cedar counts in bytes of UTF-8. */
function problemOf(error: unknown, text: string): PolicyProblem {
  const [place]: readonly unknown[] = listOf(get(error, 'sourceLocations'))
  const bytes = get(place, 'start')
  const before = typeof bytes === 'number' ? charactersIn(text, bytes) : 0
  const hints = [get(place, 'label'), get(error, 'help')].filter((it) => typeof it === 'string' && it !== '')
  const message = [String(get(error, 'message') ?? 'it cannot be read'), ...hints].join('; ')
  return {
    ...positionAt(text, before),
    message: message.slice(0, limits.engineReasonMax).replaceAll('\n', ' '),
  }
}

const charactersIn = (text: string, bytes: number): number =>
  new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, bytes)).length

function positionAt(text: string, offset: number): { readonly line: number; readonly column: number } {
  const lines = text.slice(0, offset).split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}

const get = (value: unknown, key: string): unknown =>
  value !== null && typeof value === 'object' ? Reflect.get(value, key) : undefined

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
