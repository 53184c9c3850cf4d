/** Trying a bounded pattern at every place of a text, and what stands before a place. */
import type { Found } from './kinds.ts'

/**
 * @param pattern global, and of bounded length, so that an attempt takes bounded time
 * @param isOne says whether a match is what is looked for, or how many of its last units are;
 *   where none are, the search goes on one unit further, so that what begins within it is not missed
 */
export function candidates(
  text: string,
  pattern: RegExp,
  found: Found,
  isOne: (match: RegExpExecArray) => boolean | number = () => true,
): void {
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const { index } = match
    const end = index + match[0].length
    const is = isOne(match)
    if (is === true) found(index, end)
    else if (is === false) pattern.lastIndex = index + 1
    else found(end - is, end)
  }
}

/** As far back as a word is looked for that says what a number is, in UTF-16 units. */
const lookBack = 32

/** Whether one of some words stands shortly before a place. */
export const named = (text: string, at: number, words: RegExp): boolean =>
  words.test(text.slice(Math.max(0, at - lookBack), at))

export const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

export const digitsOf = (text: string): string => text.replace(/\D/g, '')
