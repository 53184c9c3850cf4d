/** Which keys sign a record, and which of them an auditor may believe. */
import { endorsementText } from '../checkpoint.ts'
import type { Entry } from '../entry.ts'
import { isSignedBy, type Note, readNote, readVerifier, type Verifier, verifierText } from '../note.ts'
import type { Find } from './problems.ts'

/**
 * - `brought`: the auditor brought it
 * - `endorsed`: a key that counts has signed that this one follows
 * - `log`: only the record itself names it
 */
export type Trust = 'brought' | 'endorsed' | 'log'

export interface KnownKey {
  /** The entry by which it came. */
  readonly entry: number
  /** Name, id and public key, as text. */
  readonly verifier: string
  readonly trust: Trust
  /** Whether the key before has signed that this one follows; the first follows none. */
  readonly endorsed: boolean
}

/** Rotations that are listed; who has more has another problem. */
const keysListed = 100

export class Keys {
  readonly #find: Find
  readonly #brought: ReadonlyMap<string, Verifier>
  readonly list: KnownKey[] = []
  #current: (KnownKey & { readonly key: Verifier }) | undefined
  #origin: string | undefined

  /** @throws TypeError for a text that is no verifier */
  constructor(find: Find, brought: readonly string[]) {
    this.#find = find
    this.#brought = new Map(
      brought.map((text) => {
        const verifier = readVerifier(text)
        if (verifier === undefined) throw new TypeError('a key is a line `name+id+key`, as it was handed out')
        return [verifierText(verifier), verifier] as const
      }),
    )
  }

  /** Whether the auditor brought any. */
  get isBrought(): boolean {
    return this.#brought.size > 0
  }

  /** Of the log, as its first key says. */
  get origin(): string | undefined {
    return this.#origin
  }

  /** The key in force. */
  get current(): KnownKey | undefined {
    return this.#current
  }

  /** Whether what the key in force signs counts. */
  get counts(): boolean {
    return this.#current !== undefined && (!this.isBrought || this.#current.trust !== 'log')
  }

  /** Reads an entry about a key. */
  read({ origin, verifier, endorsement }: Entry, position: number): void {
    const key = typeof verifier === 'string' ? readVerifier(verifier) : undefined
    if (key === undefined || typeof origin !== 'string')
      return this.#find(position, 'key', 'it names no key, or no log')
    if (this.#origin !== undefined && origin !== this.#origin)
      this.#find(position, 'key', 'it names another log')
    this.#origin ??= origin
    const text = verifierText(key)
    const endorsed = this.#isEndorsed(endorsement, text, position)
    const isBrought = this.#brought.has(text)
    const isFollowing = endorsed && this.#current !== undefined && this.#current.trust !== 'log'
    const trust = isBrought ? 'brought' : isFollowing ? 'endorsed' : 'log'
    this.#current = { entry: position, verifier: text, trust, endorsed, key }
    if (this.list.length < keysListed) this.list.push({ entry: position, verifier: text, trust, endorsed })
  }

  #isEndorsed(endorsement: unknown, verifier: string, position: number): boolean {
    if (endorsement === undefined) return false
    const note = typeof endorsement === 'string' ? readNote(endorsement) : undefined
    const isSound =
      note !== undefined &&
      this.#current !== undefined &&
      note.text === endorsementText(this.#origin ?? '', verifier) &&
      isSignedBy(note, this.#current.key)
    if (!isSound) this.#find(position, 'key', 'the key before has not signed that this one follows')
    return isSound
  }

  /** Whether the key in force has signed it. */
  hasSigned(note: Note): boolean {
    return this.#current !== undefined && isSignedBy(note, this.#current.key)
  }

  /** Whether any key has signed it that counts: one that was brought or endorsed; where none was brought, any of the log. */
  anyHasSigned(note: Note): boolean {
    const known = this.list.filter(({ trust }) => !this.isBrought || trust !== 'log')
    const keys = known.flatMap(({ verifier }) => readVerifier(verifier) ?? [])
    return [...keys, ...this.#brought.values()].some((key) => isSignedBy(note, key))
  }

  /** At the end: whether what was brought has to do with the record at all. */
  end(): void {
    if (!this.isBrought || this.counts) return
    const entry = this.#current?.entry ?? null
    const why =
      this.#current === undefined
        ? 'no entry names a key, so nothing is signed'
        : `\`${this.#current.key.name}\` signs from here on: it was not brought, and none of those endorsed it`
    this.#find(entry, 'foreign-key', why)
  }
}
