/** Addresses of e-mail: what RFC 5321 lets stand around an `@`, without its quoted forms. */
import type { Detector } from './kinds.ts'

/** RFC 5321, 4.5.3.1. */
const localMax = 64
const domainMax = 255

/** Of the marks that the standard allows those that people use; letters beyond ASCII are theirs too. */
const isLocal = (code: number): boolean => localUnits.has(code) || code >= 0xc0
const localUnits = new Set(
  [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.'_+~-"].map((it) => it.charCodeAt(0)),
)
// A domain in the user's own script ends up in mails too.
const domain =
  /(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:[\p{L}]{2,24}|xn--[a-z0-9-]{2,59})/uy

/** Goes from `@` to `@`: what lies between two of them is looked at twice at most. */
export const email: Detector = (text, found) => {
  let from = 0
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at
    while (start > from && at - start < localMax && isLocal(text.charCodeAt(start - 1))) start -= 1
    while (start < at && text[start] === '.') start += 1
    if (start === at || text[at - 1] === '.') continue
    const end = domainEnd(text, at + 1)
    if (end === undefined) continue
    found(start, end)
    from = end
  }
}

function domainEnd(text: string, start: number): number | undefined {
  const near = text.slice(start, start + domainMax)
  domain.lastIndex = 0
  const match = domain.exec(near)
  return match === null ? undefined : start + match[0].length
}
