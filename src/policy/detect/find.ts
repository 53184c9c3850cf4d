/** Finds the kinds of data that a rule names in a text, however it is spelt. */
import { card } from './card.ts'
import { email } from './email.ts'
import { iban } from './iban.ts'
import type { DataKind, Detector, Span } from './kinds.ts'
import { nationalId } from './national-id.ts'
import { phone } from './phone.ts'
import { secret } from './secret.ts'
import { type View, viewsOf } from './views.ts'

const detectors: Readonly<Record<DataKind, Detector>> = {
  email,
  phone,
  card,
  iban,
  'national-id': nationalId,
  secret,
}

/** A text that may be looked through several times. */
export class Scan {
  readonly #text: string
  #views: readonly View[] | undefined
  readonly #known = new Map<DataKind, readonly Span[]>()

  constructor(text: string) {
    this.#text = text
  }

  /** @returns where it holds data of a kind, in its own units; the places may overlap */
  find(kind: DataKind): readonly Span[] {
    const known = this.#known.get(kind)
    if (known !== undefined) return known
    this.#views ??= viewsOf(this.#text)
    const spans: Span[] = []
    for (const { text, origin } of this.#views)
      detectors[kind](text, (start, end) =>
        spans.push({ start: origin(start), end: origin(end, true), kind }),
      )
    this.#known.set(kind, spans)
    return spans
  }
}

/** @returns the places of all kinds, in order and apart; where two overlap they are one, of the kind that begins first */
export function findData(text: string, kinds: readonly DataKind[]): readonly Span[] {
  const scan = new Scan(text)
  const all = kinds.flatMap((kind) => scan.find(kind))
  const spans = all.toSorted((a, b) => a.start - b.start || b.end - a.end)
  const apart: Span[] = []
  for (const span of spans) {
    const last = apart.at(-1)
    if (last !== undefined && span.start < last.end) {
      if (span.end > last.end) apart[apart.length - 1] = { ...last, end: span.end }
    } else apart.push(span)
  }
  return apart
}
