/** Text of a model's server as it may stand in an error: short, on one line, without places, paths, keys and whatever looks like one. */
import { limits } from '../../limits.ts'

/** Nothing behind this is looked at. */
const readMax = limits.llmShownMax * 8

const replacements: readonly (readonly [what: RegExp, by: string])[] = [
  [/[\p{Control}\p{Format}\p{White_Space}]+/gu, ' '],
  [/\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'`<>]+/gi, '[address]'],
  [/(?:\b[a-z]:\\|(?<!\w)(?:~|\.{0,2})\/)[^\s"'`<>,;)]+/gi, '[path]'],
  [
    /\b(authorization|bearer|api[-_ ]?key|x-api-key|token|cookie|password)\b(["'\s:=]+)[^\s"',}]+/gi,
    '$1$2[left out]',
  ],
  [/\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b/g, '[address]'],
  [/(?=[\w+=*-]*\d)[\w+=*-]{20,}/g, '[left out]'],
  [/`/g, "'"],
]

/** @returns at most `limits.llmShownMax` characters */
export function shownText(text: string): string {
  let shown = text.slice(0, readMax).toWellFormed()
  for (const [what, by] of replacements) shown = shown.replace(what, by)
  const cut = shown.trim()
  return cut.length > limits.llmShownMax ? `${cut.slice(0, limits.llmShownMax).toWellFormed()}…` : cut
}
