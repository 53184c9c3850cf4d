/** Where values have been seen: the texts that came to one run, in bounded memory, and what its agents sent themselves. */
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { Page, type Pay } from './origin-page.ts'
import { SentTexts } from './origin-sent.ts'
import { normalStart, normalText, tokensOf } from './origin-tokens.ts'
import { Room } from './room.ts'

/**
 * Best first. `task`: in what the application gave to the run's first process. `trusted`: in a result without the
 * label `untrusted`. `untrusted`: in results with it, and in no better place. `unknown`: nowhere, or nowhere any more.
 */
export const origins = ['task', 'trusted', 'untrusted', 'unknown'] as const
export type Origin = (typeof origins)[number]

/** The label of results that anybody may have written. */
export const untrustedLabel = 'untrusted'

export class Origins {
  readonly #task: Zone
  readonly #trusted: Zone
  readonly #untrusted: Zone
  readonly #sent: SentTexts
  #isClosed = false

  /** @param room what all runs of a kernel may keep together */
  constructor(room: Room = new Room(limits.originRoomMax)) {
    this.#task = new Zone(limits.originTaskMax, false, room)
    this.#trusted = new Zone(limits.originTextsMax, true, room)
    this.#untrusted = new Zone(limits.originTextsMax, true, room)
    this.#sent = new SentTexts(room)
  }

  /** Takes in what the application gave to the first process. What does not fit is not known. */
  task(value: Json): void {
    eachText(value, (text) => {
      this.#task.add(normalStart(text, limits.originTaskMax - 1).start, 0)
      return true
    })
  }

  /**
   * Takes in what an agent sent, as arguments of any call: what comes back after that is not trusted for it.
   * Past its bound nothing that comes in is trusted any more.
   */
  sent(value: Json): void {
    eachText(value, (text) => {
      const { start, isWhole } = normalStart(text, limits.originSentMax)
      if (isWhole) this.#sent.add(start)
      else this.#sent.overflow()
      return !this.#sent.isFull
    })
  }

  /** Some of what was sent is not known: nothing that comes in after this is trusted. */
  missed(): void {
    this.#sent.overflow()
  }

  /**
   * Takes in the result of a call, with its labels. The oldest results of the same kind make room for it, and of a
   * long one what does not fit is not known.
   */
  received(value: Json, labels: readonly string[]): void {
    const isUntrusted = labels.includes(untrustedLabel)
    if (this.#isClosed || (!isUntrusted && this.#sent.isFull)) return
    const zone = isUntrusted ? this.#untrusted : this.#trusted
    let left = limits.originResultMax
    eachText(value, (text) => {
      const { start } = normalStart(text, left)
      zone.add(start, this.#sent.length)
      left -= start.length + textUnits
      return left > 0
    })
  }

  /**
   * @param value what is asked about; a list or an object is as good as its weakest part, and an empty one is unknown
   * @param pay pays for the steps that it takes
   * @returns the best place in which it has been seen
   */
  of(value: Json, pay: Pay = () => {}): Origin {
    if (value === null || typeof value !== 'object') return this.#ofLeaf(value, pay)
    const parts: readonly Json[] = Array.isArray(value) ? value : Object.values(value)
    if (parts.length === 0) return 'unknown'
    let weakest: Origin = 'task'
    for (const part of parts) {
      weakest = weakerOf(weakest, this.of(part, pay))
      if (weakest === 'unknown') break
    }
    return weakest
  }

  /** Lets go of everything. */
  close(): void {
    this.#isClosed = true
    for (const zone of [this.#task, this.#trusted, this.#untrusted]) zone.clear()
    this.#sent.clear()
  }

  #ofLeaf(value: string | number | boolean | null, pay: Pay): Origin {
    pay(leafSteps)
    const forms = formsOf(value, pay)
    const isShort = (form: readonly string[]): boolean => lengthOf(form) < limits.originValueMin
    if (forms.some((form) => this.#task.find(form, pay) !== undefined)) return 'task'
    const long = forms.filter((form) => !isShort(form))
    if (this.#isTrusted(long, forms, pay)) return 'trusted'
    return long.some((form) => this.#untrusted.find(form, pay) !== undefined) ? 'untrusted' : 'unknown'
  }

  /** Whether it came in a trusted result before any agent had sent it, in whatever form. */
  #isTrusted(found: readonly (readonly string[])[], all: readonly (readonly string[])[], pay: Pay): boolean {
    const marks = found.flatMap((form) => this.#trusted.find(form, pay) ?? [])
    if (marks.length === 0) return false
    const first = Math.min(...marks)
    return !all.some((form) => this.#sent.has(form, first, pay))
  }
}

const weakerOf = (a: Origin, b: Origin): Origin => (origins.indexOf(a) > origins.indexOf(b) ? a : b)

const lengthOf = (tokens: readonly string[]): number => tokens.reduce((sum, token) => sum + token.length, 0)

/**
 * Tells of every text within a value, keys too.
 * @param take says whether it wants more
 * @returns the same
 */
function eachText(value: Json, take: (text: string) => boolean): boolean {
  if (typeof value === 'string') return value === '' || take(value)
  if (value === null) return true
  if (typeof value !== 'object') return take(String(value))
  if (isList(value)) return value.every((item) => eachText(item, take))
  return Object.entries(value).every(([key, item]) => take(key) && eachText(item, take))
}

/** What a text counts beside its length: many short ones take longer than a long one. */
const textUnits = 16

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

/** @returns the ways to write a value, as tokens; none for one in which there is nothing to look for */
function formsOf(value: string | number | boolean | null, pay: Pay): readonly (readonly string[])[] {
  if (value === null) return []
  if (typeof value === 'number') return numberForms(value).map((form) => [form])
  if (typeof value === 'boolean') return [[String(value)]]
  if (value.length > limits.originValueMax) return []
  pay(value.length / unitsPerStep)
  const normal = normalText(value)
  // Some characters become many.
  pay(normal.length / unitsPerStep)
  const tokens = tokensOf(normal)
  const [first] = tokens
  if (first === undefined) return []
  if (tokens.length > 1) return [tokens]
  const [, origin = '', host = ''] = bareOrigin.exec(first) ?? []
  if (origin === '') return [tokens]
  return host === '' ? [[origin]] : [[origin], [host]]
}

/** A web address of nothing but its origin; of `https` it says no more than its host does. */
const bareOrigin = /^(http:\/\/[^/#@\\]+|https:\/\/([^/#@\\]+))\/?$/

/** What looking for one value takes at least, in steps. */
const leafSteps = 10

/** UTF-16 units that are read in about one step of an evaluation. */
const unitsPerStep = 4

/** As JSON has it, with two decimals as money has them, and both with commas between thousands. */
function numberForms(value: number): readonly string[] {
  const plain = String(value)
  const forms = Number(value.toFixed(2)) === value ? [plain, value.toFixed(2)] : [plain]
  if (Math.abs(value) < groupedMin || plain.includes('e')) return forms
  return [...forms, ...forms.map((form) => form.replace(/\B(?=(\d{3})+(?=\.|$))/g, ','))]
}

const groupedMin = 1e3

/** Texts of one kind; where there is no room the oldest leave, or nothing more is taken in. */
class Zone {
  readonly #max: number
  readonly #isRing: boolean
  readonly #room: Room
  readonly #pages: Page[] = []
  #length = 0

  constructor(max: number, isRing: boolean, room: Room) {
    this.#max = max
    this.#isRing = isRing
    this.#room = room
  }

  /** @param text normal */
  add(text: string, mark: number): void {
    const units = text.length + 1
    while (this.#isRing && this.#pages.length > 0 && this.#length + units > this.#max) this.#drop()
    if (this.#length + units > this.#max || !this.#room.take(units)) return
    this.#length += units
    this.#pageFor(units).add(text, mark)
  }

  /** @returns the mark of the oldest text in which a value stands */
  find(value: readonly string[], pay: Pay): number | undefined {
    for (const page of this.#pages) {
      const mark = page.find(value, pay)
      if (mark !== undefined) return mark
    }
    return undefined
  }

  clear(): void {
    while (this.#pages.length > 0) this.#drop()
  }

  #drop(): void {
    const units = this.#pages.shift()?.length ?? 0
    this.#length -= units
    this.#room.give(units)
  }

  #pageFor(units: number): Page {
    const last = this.#pages.at(-1)
    if (last !== undefined && last.length + units <= this.#max / pagesMin) return last
    const page = new Page()
    this.#pages.push(page)
    return page
  }
}

/** A zone has at least so many pages before its oldest one leaves. */
const pagesMin = 8
