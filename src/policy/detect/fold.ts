/** Other spellings of digits, letters, spaces and dashes become the plain ones, unit by unit, so that places stay where they are. */

/** Where the digits of other scripts begin, each followed by nine more. */
const zeros = '\u0660\u06f0\u07c0\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66\u0e50\u0ed0\uff10'
/** Full width forms are ASCII in the same order. */
const fullWidth = { first: '\uff01', plain: '!', count: 94 }
/** Spaces of all widths, and marks of no width, which stand between digits as a space does. */
const spaces =
  '\u00a0\u00ad\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u202f\u205f\u2060\u3000\ufeff'
const dashes = '\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d'

const plain = new Map<string, string>()
addRow(fullWidth.first, fullWidth.plain, fullWidth.count)
for (const zero of zeros) addRow(zero, '0', 10)
for (const unit of spaces) plain.set(unit, ' ')
for (const unit of dashes) plain.set(unit, '-')

function addRow(first: string, as: string, count: number): void {
  for (let index = 0; index < count; index += 1) plain.set(shifted(first, index), shifted(as, index))
}

function shifted(unit: string, by: number): string {
  return String.fromCharCode(unit.charCodeAt(0) + by)
}

const foreign = new RegExp(`[${[...plain.keys()].join('')}]`, 'g')

/** @returns a text of the same length */
export const fold = (text: string): string => text.replace(foreign, (unit) => plain.get(unit) ?? unit)
