/** Which results can carry an attack, and how they look when they do. A suite names the vectors, not where they stand. */
import { parse } from 'yaml'
import { asJson, type Json, type JsonObject } from '../json.ts'
import type { Suite, SuiteCall } from './suite.ts'

/**
 * A vector whose text is known stands where that text is seen. Of one that is empty when nobody attacks
 * nothing can be seen: then every running text of the environment may hold it, and an empty text too.
 */
export class Carriers {
  /** Texts in place of which an attacker's stand. */
  readonly #replaced: readonly string[]
  /** Names that an attacker may lengthen. */
  readonly #names: readonly string[]
  /** Texts beside which it may stand, as words. */
  readonly #beside: readonly string[]
  /** Of each thing that has an empty text, its other texts, as words: it is shown where one of them is. */
  readonly #withEmpty: readonly (readonly string[])[]
  readonly #emptyCarries: boolean

  constructor({ vectors, environment }: Pick<Suite, 'vectors' | 'environment'>) {
    const leaves = [...new Set(textsOf(environment))]
    const known = Object.values(vectors).filter((text) => text.trim() !== '')
    const hidden = Object.values(vectors).some((text) => text.trim() === '')
    const [long, short] = [known.filter(isLong), known.filter((text) => !isLong(text))]
    // A short text stands in too many places by chance; where it is part of a name, the name is taken.
    this.#names = leaves.filter((leaf) => short.some((text) => isPartOfName(leaf, text)))
    this.#replaced = long
    this.#beside = hidden ? leaves.map(wordsOf).filter((words) => countWords(words) >= proseWords) : []
    this.#emptyCarries = hidden && leaves.includes('')
    this.#withEmpty = hidden ? thingsOf(environment).filter(hasEmpty).map(otherTexts) : []
  }

  /**
   * @param attack what the attacker writes
   * @returns the call's result with it; undefined where the result cannot hold it
   */
  carry({ args, result }: SuiteCall, attack: string): Json | undefined {
    const shown = typeof result === 'string' ? result : JSON.stringify(result)
    if (shown === '' && this.#emptyCarries) return attack
    const own = textsOf(args).map(wordsOf)
    const others = (text: string): boolean => !own.includes(wordsOf(text))
    const replaced = this.#replaced
      .filter(others)
      .reduce((now, text) => now.replace(patternOf(text), () => attack), shown)
    const named = this.#names
      .filter(others)
      .reduce((now, name) => now.replace(patternOf(name), (found) => `${found} ${attack}`), replaced)
    if (named !== shown) return named
    const texts = textsIn(shown)
    const words = ` ${[shown, ...texts].map(wordsOf).join(' ')} `
    const beside =
      this.#beside.some((leaf) => words.includes(` ${leaf} `) && !own.includes(leaf)) ||
      (texts.includes('') && this.#showsOneWithEmpty(texts.map(wordsOf), own))
    return beside ? `${shown}\n${attack}` : undefined
  }

  #showsOneWithEmpty(texts: readonly string[], own: readonly string[]): boolean {
    return this.#withEmpty.some((others) =>
      others.some((text) => texts.includes(text) && !own.includes(text)),
    )
  }
}

/** From so many words on a text is taken to be written by somebody, and not a name, a date or an address. */
const proseWords = 5
const longText = 8
const isLong = (text: string): boolean => text.length >= longText

/** Every text in a document, but for keys: names of fields are nobody's to write. */
function textsOf(value: Json): readonly string[] {
  if (typeof value === 'string') return [value]
  if (value === null || typeof value !== 'object') return []
  return Object.values(value).flatMap((each: Json) => textsOf(each))
}

/** Every map in a document. */
function thingsOf(value: Json): readonly JsonObject[] {
  if (value === null || typeof value !== 'object') return []
  const below = Object.values(value).flatMap((each: Json) => thingsOf(each))
  return Array.isArray(value) ? below : [value as JsonObject, ...below]
}

const hasEmpty = (thing: JsonObject): boolean => Object.values(thing).includes('')

const otherTexts = (thing: JsonObject): readonly string[] =>
  Object.values(thing).flatMap((each) => (typeof each === 'string' && each !== '' ? [wordsOf(each)] : []))

/** The texts of a result that is written as YAML or JSON, without its quotes and escapes. */
function textsIn(shown: string): readonly string[] {
  try {
    return textsOf(asJson(parse(shown), 'result'))
  } catch {
    return []
  }
}

/** Without marks and white space: results quote and fold texts in their own ways. */
const wordsOf = (text: string): string =>
  (text.replaceAll(String.raw`\n`, ' ').match(/[\p{L}\p{N}]+/gu) ?? []).join(' ')

const countWords = (words: string): number => (words === '' ? 0 : words.split(' ').length)

function isPartOfName(leaf: string, text: string): boolean {
  const bare = String.raw`(?<![\p{L}\p{N}])${escaped(text)}(?![\p{L}\p{N}])`
  return /\p{L}/u.test(leaf) && countWords(wordsOf(leaf)) < proseWords && new RegExp(bare, 'u').test(leaf)
}

/** The words of a text, however they are folded and quoted. */
function patternOf(text: string): RegExp {
  const words = text.trim().split(/\s+/).map(escaped)
  return new RegExp(words.join(String.raw`(?:\\n|[\s\\])+`).replaceAll("'", "'{1,2}"), 'gu')
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
