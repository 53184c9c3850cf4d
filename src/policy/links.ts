/** The words of a text, and those of them by which a reader is led elsewhere: addresses of the web and of mail. */
import { normalText, tokensOf } from './origin-tokens.ts'

/** @returns the words of a text as `origin` reads them: in small letters, without the marks between them */
export const wordsIn = (text: string): readonly string[] => tokensOf(normalText(text))

/**
 * What a mail or chat program could make a link of. Rather too much than too little: `report.pdf` counts,
 * since a domain of the web may end in that.
 * @returns words of the text, in order
 */
export const linksIn = (text: string): readonly string[] => wordsIn(text).filter(isLink)

function isLink(word: string): boolean {
  // What nobody sees would part a name for us and for no reader.
  const seen = word.replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
  return scheme.test(seen) || host.test(seen) || ipv4.test(seen)
}

const scheme = /:\/\/|^(mailto|tel|sms|data|javascript|file|ftp):/
/** Names with points between, the last of which begins with a letter, as those of all top-level domains do. */
const host = /[\p{L}\p{N}]\.\p{L}[\p{L}\p{N}-]+/u
const ipv4 = /\d\.\d{1,3}\.\d{1,3}\.\d/
