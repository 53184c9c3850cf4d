/** Patterns of texts that can be counted, and matched in linear time per part: sets of characters, each repeated so or so often, one after the other. */
import { SyscallError } from '../errors.ts'
import { limits } from '../limits.ts'

/** A set of characters, and how often one of it stands there. */
interface Part {
  readonly characters: ReadonlySet<string>
  readonly min: number
  readonly max: number
}

export interface NarrowPattern {
  matches(text: string): boolean
  /** An upper bound of log2 of how many texts match. */
  readonly log2Count: number
}

const digits = '0123456789'

/** `[…]`, `\d`, `\.` or a character that means itself; then `?`, `*`, `+`, `{n}` or `{n,m}`. Anything else is refused. */
const part =
  /(?:\[((?:\\[!-/:-@[-`{-~]|[ -Z_-~^])+)\]|\\(d|[!-/:-@[-`{-~])|([ !"#%&',/:;<=>@_`~A-Za-z0-9-]))([?*+]|\{\d{1,3}(?:,\d{1,3})?\})?/y

/**
 * @param source such as `[a-z]{2,8}-\d{4}`; `^` before and `$` after say what holds anyway
 * @param lengthMax of a text
 * @throws SyscallError EINVAL for what is not of this kind
 */
export function narrowPattern(source: string, lengthMax: number): NarrowPattern {
  const inner = source.replace(/^\^/, '').replace(/\$$/, '')
  const parts: Part[] = []
  for (let at = 0; at < inner.length; at = part.lastIndex) {
    part.lastIndex = at
    const [, set, escaped, plain, repeat] = part.exec(inner) ?? refuse(inner.slice(at))
    const characters =
      set === undefined ? new Set(escaped === 'd' ? digits : (escaped ?? plain)) : readSet(set)
    parts.push({ characters, ...readRepeat(repeat, lengthMax) })
    if (parts.length > limits.extractPartsMax)
      throw new SyscallError('EINVAL', `a pattern of more than ${limits.extractPartsMax} parts`)
  }
  return Object.freeze({
    matches: (text: string) => matches(parts, text),
    log2Count: log2Count(parts, lengthMax),
  })
}

function refuse(rest: string): never {
  throw new SyscallError(
    'EINVAL',
    `the pattern cannot be counted from \`${rest.slice(0, limits.wordMax).toWellFormed()}\` on; it has characters, \`\\d\`, sets such as \`[a-z0-9]\`, each with \`?\`, \`*\`, \`+\`, \`{2}\` or \`{2,8}\`, and nothing else`,
  )
}

function readSet(text: string): ReadonlySet<string> {
  const characters = new Set<string>()
  const items = [...text.matchAll(/\\(.)|(.)/g)].map(([, escaped, plain = '']) => ({ escaped, plain }))
  if (items[0]?.plain === '^') refuse(`[${text}]`)
  for (let index = 0; index < items.length; index += 1) {
    const { escaped, plain = '' } = items[index] ?? { escaped: undefined }
    const last = items[index + 2]
    if (escaped === undefined && items[index + 1]?.plain === '-' && last !== undefined) {
      for (const each of range(plain, last.escaped ?? last.plain)) characters.add(each)
      index += 2
    } else if (escaped === undefined) characters.add(plain)
    else characters.add(escaped)
  }
  return characters
}

function range(from: string, to: string): readonly string[] {
  const [first, last] = [from.charCodeAt(0), to.charCodeAt(0)]
  if (first > last) refuse(`${from}-${to}`)
  return Array.from({ length: last - first + 1 }, (_, index) => String.fromCharCode(first + index))
}

function readRepeat(
  text: string | undefined,
  lengthMax: number,
): { readonly min: number; readonly max: number } {
  if (text === undefined) return { min: 1, max: 1 }
  if (text === '?') return { min: 0, max: 1 }
  if (text === '*') return { min: 0, max: lengthMax }
  if (text === '+') return { min: 1, max: lengthMax }
  const [min = 0, max = min] = text.slice(1, -1).split(',').map(Number)
  if (min > max) refuse(text)
  return { min, max: Math.min(max, lengthMax) }
}

/** Every way to share the text among the parts at once: for each part, where it may end. */
function matches(parts: readonly Part[], text: string): boolean {
  let ends = new Set([0])
  for (const { characters, min, max } of parts) {
    const next = new Set<number>()
    for (const start of ends) {
      for (let count = 0; count <= max; count += 1) {
        if (count >= min) next.add(start + count)
        const character = text[start + count]
        if (character === undefined || !characters.has(character)) break
      }
    }
    ends = next
  }
  return ends.has(text.length)
}

/** The parts by themselves, or any text of their characters up to the length, whichever is less. */
function log2Count(parts: readonly Part[], lengthMax: number): number {
  const all = new Set(parts.flatMap(({ characters }) => [...characters]))
  const each = parts.reduce((sum, { characters, min, max }) => sum + log2Texts(characters.size, min, max), 0)
  return Math.min(each, log2Texts(all.size, 0, lengthMax))
}

/** log2 of size^min + … + size^max, or a little more: the last is the largest, and below it a geometric series. */
const log2Texts = (size: number, min: number, max: number): number =>
  size === 0
    ? 0
    : max * Math.log2(size) +
      Math.min(
        Math.log2(Math.max(1, max - min + 1)),
        size === 1 ? Number.POSITIVE_INFINITY : Math.log2(size / (size - 1)),
      )
