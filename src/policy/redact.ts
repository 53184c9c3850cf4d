/** Taking data of some kinds out of a value: each place becomes `[redacted KIND]`. */
import type { Json } from '../json.ts'
import { partsOf, replaceParts } from './content.ts'
import { findData } from './detect/find.ts'
import type { DataKind, Span } from './detect/kinds.ts'

const mark = (kind: DataKind): string => `[redacted ${kind}]`

/**
 * @returns the value without data of these kinds; the very value where it holds none
 * @throws Unscannable where it cannot be looked through
 */
export function redact(value: Json, kinds: readonly DataKind[]): Json {
  const parts = partsOf(value)
  const spans = findData(parts.map(({ text, end }) => text + end).join(''), kinds)
  if (spans.length === 0) return value
  let part = 0
  let begin = 0
  let span = 0
  const next = (): string => {
    const text = parts[part]?.text ?? ''
    const end = begin + text.length
    const within: Span[] = []
    while (span < spans.length) {
      const { start, end: last, kind } = spans[span] as Span
      if (start >= end) break
      if (last > begin)
        within.push({ start: Math.max(0, start - begin), end: Math.min(last, end) - begin, kind })
      // What goes on in the next part is looked at again there.
      if (last > end) break
      span += 1
    }
    part += 1
    begin = end + 1
    return replaceSpans(text, within)
  }
  return replaceParts(value, next)
}

/** @throws Unscannable for a text that cannot be looked through */
export const redactText = (text: string, kinds: readonly DataKind[]): string => String(redact(text, kinds))

/** @param spans in order and apart */
export function replaceSpans(text: string, spans: readonly Span[]): string {
  if (spans.length === 0) return text
  const pieces: string[] = []
  let from = 0
  for (const { start, end, kind } of spans) {
    pieces.push(text.slice(from, start), mark(kind))
    from = end
  }
  pieces.push(text.slice(from))
  return pieces.join('')
}
