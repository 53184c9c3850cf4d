/** The forms in which a secret may come back, as needles: as it is, in base64 at each alignment, in hexadecimal, in UTF-16. */
import { withoutEscapes } from './escapes.ts'
import type { Needle } from './matcher.ts'

export interface Form extends Needle {
  /** Whether its characters take two bytes each, as what stands in its place then has to. */
  readonly wide: boolean
}

/** What an agent writes behind a value that ends so could make an escape of its end, which a server undoes. */
const unfinished = /(%[0-9a-f]?|\\(u[0-9a-f]{0,3}|x[0-9a-f]?)?)$/i

/** A form that is shorter would be found in texts that have nothing to do with it. */
const bytesMin = 8

/**
 * @param value of ASCII characters without control characters
 * @returns needles for text whose escapes are undone, level by level
 */
export function formsOf(value: string): readonly Form[] {
  const plain = Buffer.from(value)
  const escaped = [JSON.stringify(value).slice(1, -1), encodeURIComponent(value)].map((text) =>
    Buffer.from(text),
  )
  const packed = [plain, ...escaped]
  const forms = [
    ...unescapedForms(plain).map((bytes) => exactly(bytes)),
    exactly(Buffer.from(value.replace(unfinished, ''))),
    ...packed.flatMap((bytes) => [0, 1, 2].map((offset) => base64Form(bytes, offset))),
    exactly(Buffer.from(plain.toString('hex'))),
    { ...exactly(Buffer.from(value, 'utf16le').subarray(0, -1)), wide: true },
  ]
  const byText = new Map(forms.map((form) => [Buffer.from(form.bytes).toString('latin1'), form]))
  return [...byText.values()].filter(({ bytes }) => bytes.length >= bytesMin)
}

const exactly = (bytes: Uint8Array): Form => ({ bytes, before: 0, after: 0, wide: false })

/** A value that itself looks like an escape is another text once escapes are undone. */
function unescapedForms(value: Uint8Array): readonly Uint8Array[] {
  const work = withoutEscapes(value)
  let result = work.next()
  while (!result.done) result = work.next()
  return result.value === undefined ? [value] : [value, ...unescapedForms(result.value)]
}

/** Six bits of base64's characters, in eight of the bytes'. */
const charactersOf = (bytes: number): number => (bytes * 8) / 6

/**
 * What the bytes become in base64 whatever stands before and after them.
 * @param offset how many bytes stand before them in their group of three
 */
function base64Form(bytes: Buffer, offset: number): Form {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
  const start = charactersOf(offset)
  const end = charactersOf(offset + bytes.length)
  return {
    bytes: Buffer.from(text.slice(Math.ceil(start), Math.floor(end))),
    // A character at an edge has bits of the secret and of its neighbour.
    before: Number.isInteger(start) ? 0 : 1,
    after: Number.isInteger(end) ? 0 : 1,
    wide: false,
  }
}
