/** Text from agents and files cannot steer a terminal: what would move, hide or reorder is shown as an escape. */

/**
 * Control, format and line-breaking characters (Unicode categories Cc, Cf, Zl, Zp) but newline and tab. The joiners of
 * emoji and of Persian and Indic writing (U+200C, U+200D) draw nothing by themselves and stay.
 */
const steering = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/**
 * @param text from anywhere
 * @returns the same for a terminal or a pipe: lines and tabs stay, `\r\n` becomes `\n`, the rest is shown as `\x1b`
 */
export const visible = (text: string): string => text.replaceAll('\r\n', '\n').replace(steering, escaped)

/** What draws nothing, and spaces that are not the plain one: two texts that differ by them look the same. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu

/** @returns one line in which nothing of the text can hide: for a person who decides by it */
export const exactLine = (text: string): string => text.replace(unseen, escaped)

/** @returns the same on one line */
export const visibleLine = (text: string): string =>
  visible(text).replaceAll('\n', '\\n').replaceAll('\t', ' ')

/** @returns JSON text whose strings mean the same and steer nothing; JSON.stringify itself escapes only C0 */
export const visibleJson = (json: string): string =>
  json.replace(steering, (character) =>
    Array.from({ length: character.length }, (_, unit) => `\\u${hex(character.charCodeAt(unit), 4)}`).join(
      '',
    ),
  )

/** @returns at most so many characters, the last of them `…` where something was cut */
export function shortened(text: string, charactersMax: number): string {
  const characters = Array.from(text)
  return characters.length <= charactersMax ? text : `${characters.slice(0, charactersMax - 1).join('')}…`
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code <= 0xff ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 1)}}`
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')
