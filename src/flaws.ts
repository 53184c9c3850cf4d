/** What zod finds wrong with a value, in our words: what was found, and what belongs there. */
import { z } from 'zod'
import { didYouMean } from './policy/suggest.ts'

/** One thing that does not fit. */
export interface Flaw {
  /** Where, from the value inwards. */
  readonly path: readonly (string | number)[]
  /** A clause about what stands there: lower case, no final stop. */
  readonly message: string
}

/**
 * @param schema what belongs there; messages of its own stay as they are
 * @returns the value as the schema reads it, or what does not fit, at least one
 */
export function readPlainly<Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
): { readonly data: z.infer<Schema> } | { readonly flaws: readonly [Flaw, ...Flaw[]] } {
  const read = schema.safeParse(given, { error: plainly })
  if (read.success) return { data: read.data }
  const [first, ...rest] = read.error.issues.slice(0, flawsMax)
  if (first === undefined) return { flaws: [{ path: [], message: 'it is not sound' }] }
  return { flaws: [flawOf(first), ...rest.map((issue) => flawOf(issue))] }
}

function flawOf(issue: z.core.$ZodIssue, above: readonly PropertyKey[] = []): Flaw {
  const path = [...above, ...issue.path]
  // Of several forms, the one that it comes nearest to: that in which the flaw lies deepest.
  const forms = issue.code === 'invalid_union' ? issue.errors : []
  const inner = forms
    .toSorted((one, other) => one.length - other.length)
    .map(([first]) => first)
    .find((first) => first !== undefined && (first.path.length > 0 || first.code === 'unrecognized_keys'))
  if (inner !== undefined) return flawOf(inner, path)
  const message = issue.message.charAt(0).toLowerCase() + issue.message.slice(1)
  return { path: path.filter((step) => typeof step !== 'symbol'), message }
}

/** No more are told: a guest can send as many as it likes. */
const flawsMax = 100

/** As much of what was found is shown, in UTF-16 units. */
const shownMax = 60

/** For `safeParse`: the clause for one finding; undefined leaves it to zod. */
export function plainly(issue: z.core.$ZodRawIssue): string | undefined {
  const { input } = issue
  switch (issue.code) {
    case 'invalid_type':
      return mismatch(input, [issue.expected])
    case 'invalid_union':
      return mismatch(input, expectedBy(issue.errors))
    case 'invalid_value': {
      const values = issue.values.map(String)
      const hint = typeof input === 'string' ? didYouMean(input.slice(0, shownMax), values) : ''
      if (input === undefined) return `is missing; it is ${inList(values)}`
      return `${shownOf(input)} is not ${inList(values)}${hint}`
    }
    case 'unrecognized_keys': {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : []
      const [key = ''] = issue.keys
      const there = known.length === 0 ? 'none belongs here' : `there are ${known.join(', ')}`
      return `unknown key ${shownOf(key)}${didYouMean(key.slice(0, shownMax), known) || `; ${there}`}`
    }
    case 'too_small':
      return bound(issue, issue.minimum, issue.inclusive === false ? 'more than' : 'at least')
    case 'too_big':
      return bound(issue, issue.maximum, issue.inclusive === false ? 'less than' : 'at most')
    case 'invalid_key':
      return `a key is not sound: ${issue.issues[0]?.message ?? 'it does not fit'}`
    default:
      return undefined
  }
}

function mismatch(input: unknown, expected: readonly string[]): string {
  const meant = inList([...new Set(expected.map((type) => kinds[type] ?? type))])
  const belongs = meant === '' ? '' : `; it is ${meant}`
  if (input === undefined) return `is missing${belongs}`
  return meant === '' ? `${kindOf(input)} does not belong here` : `${kindOf(input)} where ${meant} belongs`
}

/** What the forms of a union say that they are, where that is all that is wrong. */
const expectedBy = (forms: readonly (readonly z.core.$ZodIssue[])[]): readonly string[] =>
  forms.flatMap(([first]) => (first?.code === 'invalid_type' ? [first.expected] : []))

function bound(
  { origin, input, note }: { origin: string; input?: unknown; note?: unknown },
  limit: number | bigint,
  words: string,
): string {
  if (note !== undefined) return `${shownOf(input)} is beyond what a number holds exactly`
  if (origin === 'string' || origin === 'array') {
    const length = (input as { readonly length: number }).length
    if (length === 0) return 'it is empty'
    const unit = origin === 'string' ? 'characters' : 'items'
    return `it has ${length} ${unit}; ${words} ${limit} fit`
  }
  return `${shownOf(input)} where ${words} ${limit} belongs`
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'nothing (null)',
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing (null)'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return 'a text'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'number' || typeof value === 'boolean' ? shownOf(value) : `a ${typeof value}`
}

function shownOf(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    return kindOf(value)
  const text = String(value)
  return `\`${text.length > shownMax ? `${text.slice(0, shownMax).toWellFormed()}…` : text}\``
}

const inList = (words: readonly string[]): string =>
  words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
