/** The texts of the web runtime, as `npm run build` made them from the files of this folder; each read once. */
import { readFileSync } from 'node:fs'
import { type Family, families, isFamily } from './families.ts'

const texts = new Map<Family, string>()

/** As the bootstrap reads it: family → global names. */
export const familiesText = JSON.stringify(families)

/** For a cell, which can read no file any more when its first guest begins. */
export function readWebTexts(): void {
  for (const name of Object.keys(families)) webText(name)
}

/**
 * Called by the bootstrap of a guest in the middle of a turn; never throws.
 * @param name of a family; what comes out of an isolate is hostile
 * @returns the source text of a function that takes what the bootstrap offers, and gives what the family exports
 */
export function webText(name: unknown): string {
  if (!isFamily(name)) return missing('that')
  const known = texts.get(name)
  if (known !== undefined) return known
  try {
    const text = readFileSync(new URL(`./built/${name}.txt`, import.meta.url), 'utf8')
    texts.set(name, text)
    return text
  } catch {
    return missing(name)
  }
}

const missing = (name: string): string =>
  `() => { throw new Error('this installation has no web runtime \`${name}\`; run \`npm run build\`') }`
