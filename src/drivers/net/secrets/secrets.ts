/** What the network's driver knows of secrets: where each may go, how its value gets into a request, and what is taken out of answers. */
import { closest } from 'fastest-levenshtein'
import { assert, SyscallError } from '../../../errors.ts'
import type { Json } from '../../../json.ts'
import { limits } from '../../../limits.ts'
import type { FetchRequest, SoundRequest } from '../request.ts'
import { abortable } from '../resolve.ts'
import { parseUrl, type WebUrl } from '../url.ts'
import type { SecretSource } from './open.ts'
import { fillIn, namesOf, type SecretPlace, type SecretUse, usesOf } from './placeholders.ts'
import { type KnownValue, Redactor } from './redactor.ts'
import { withoutSecrets } from './texts.ts'

/** A request with its secrets in it; lives for one exchange, and nobody else sees it. */
export interface FilledRequest extends SoundRequest {
  readonly query: string
  /** What its answer must not show. */
  readonly values: readonly KnownValue[]
}

type Values = ReadonlyMap<string, string>

const where: Readonly<Record<SecretPlace, string>> = {
  header: 'the value of a header',
  body: 'the body',
  query: 'the query of the URL',
}

export class Secrets {
  readonly #sources: ReadonlyMap<string, SecretSource>
  readonly #onFailure: (name: string, error: unknown) => void
  /** Values that answers are searched for, the newest last: each that may have been sent, until newer ones push it out. */
  readonly #known = new Map<string, string[]>()
  #redactor: Redactor | undefined

  /** @param onFailure is told why a value could not be read; the agent is not */
  constructor(
    sources: readonly SecretSource[],
    onFailure: (name: string, error: unknown) => void = () => {},
  ) {
    this.#sources = new Map(sources.map((source) => [source.name, source]))
    this.#onFailure = onFailure
    for (const { name, first } of sources) if (first !== undefined) this.#remember(name, first)
  }

  /**
   * The secrets of one request, each permitted where it stands and where the request goes.
   * @throws SyscallError EINVAL for an unknown one or a placeholder that is not sound, EPERM for a place or an origin
   */
  usesIn(request: FetchRequest): readonly SecretUse[] {
    const uses = usesOf(request)
    if (uses.length === 0) return uses
    const origin = new URL(parseUrl(request.url).resource).origin
    for (const { name, place } of uses) {
      const { origins, places } = this.#sourceOf(name)
      if (!origins.includes(origin))
        throw new SyscallError(
          'EPERM',
          `secret \`${name}\` is not for \`${origin}\`, only for ${origins.join(', ')}; ask there, or leave it out`,
        )
      if (!places.includes(place))
        throw new SyscallError(
          'EPERM',
          `secret \`${name}\` may not stand in ${where[place]}, only in ${places.map((each) => where[each]).join(' or ')}; the application's option \`in\` of the secret says so`,
        )
    }
    return uses
  }

  /**
   * Puts the values in.
   * @param uses what `usesIn` gave for this very request
   * @throws SyscallError EIO for a value that cannot be read, E2BIG or EFBIG for a request that becomes too large; the signal's reason
   */
  async fill(
    url: WebUrl,
    request: FetchRequest,
    sound: SoundRequest,
    uses: readonly SecretUse[],
    signal: AbortSignal,
  ): Promise<FilledRequest> {
    if (uses.length === 0) return { ...sound, query: url.query, values: [] }
    const values = await this.#valuesOf(namesOf(uses), signal)
    const valueFor = (name: string): string => demand(values, name)
    const headers = sound.headers.map((text) => fillIn(text, (name, user) => inHeader(values, name, user)))
    if (lengthOf(headers) > limits.headerBytesMax)
      throw new SyscallError(
        'E2BIG',
        `more than ${limits.headerBytesMax} bytes of headers with their secrets`,
      )
    const body = uses.some(({ place }) => place === 'body')
      ? filledBody(request, sound, valueFor)
      : sound.body
    const query = fillIn(url.query, (name) => encodeURIComponent(valueFor(name)))
    return { ...sound, headers, body, query, values: [...values].map(([name, value]) => ({ name, value })) }
  }

  /**
   * @param used the values of the request that is answered: newer ones may have pushed them out since it was sent
   * @returns what takes secrets out of its answer; undefined where none are known
   */
  redactorFor(used: readonly KnownValue[]): Redactor | undefined {
    const forgotten = used.filter(({ name, value }) => this.#known.get(name)?.includes(value) !== true)
    return forgotten.length === 0 ? this.#redactor : new Redactor([...this.#all(), ...forgotten])
  }

  /** What takes out every value that is known by now; undefined where none is. */
  get redactor(): Redactor | undefined {
    return this.#redactor
  }

  /** @returns what a tool gave, or the message of its error, without any value that is known by now */
  async without(value: Json): Promise<Json> {
    return this.#redactor === undefined ? value : withoutSecrets(value, this.#redactor)
  }

  #sourceOf(name: string): SecretSource {
    const source = this.#sources.get(name)
    if (source !== undefined) return source
    const known = [...this.#sources.keys()]
    const help = known.length === 0 ? 'this kernel has none' : `did you mean \`${closest(name, known)}\`?`
    throw new SyscallError('EINVAL', `there is no secret \`${name}\`; ${help}`)
  }

  async #valuesOf(names: readonly string[], signal: AbortSignal): Promise<Values> {
    const read = async (name: string): Promise<readonly [string, string]> => [name, await this.#read(name)]
    return new Map(await abortable(Promise.all(names.map(read)), signal))
  }

  async #read(name: string): Promise<string> {
    try {
      const value = await this.#sourceOf(name).read()
      this.#remember(name, value)
      return value
    } catch (error) {
      this.#onFailure(name, error)
      throw new SyscallError(
        'EIO',
        `secret \`${name}\` could not be read, so nothing was sent; the application knows why`,
      )
    }
  }

  #remember(name: string, value: string): void {
    const values = this.#known.get(name) ?? []
    if (values.at(-1) === value) return
    this.#known.set(name, [...values.filter((each) => each !== value), value].slice(-limits.secretValuesKept))
    if (!values.includes(value)) this.#redactor = new Redactor(this.#forget())
  }

  /** @returns all values that are known, when the oldest are gone of what is too much */
  #forget(): readonly KnownValue[] {
    let room = limits.secretValuesLengthMax
    for (const [name, values] of this.#known) {
      const kept = values.toReversed().filter((value, age) => {
        if (age > 0) room -= value.length
        return age === 0 || room >= 0
      })
      this.#known.set(name, kept.toReversed())
    }
    return this.#all()
  }

  #all(): readonly KnownValue[] {
    return [...this.#known].flatMap(([name, values]) => values.map((value) => ({ name, value })))
  }
}

/** A request is filled whole or not at all. */
function demand(values: Values, name: string): string {
  const value = values.get(name)
  assert(value !== undefined, `a value of secret ${name} was read`)
  return value
}

function inHeader(values: Values, name: string, user: string | undefined): string {
  const value = demand(values, name)
  return user === undefined ? value : Buffer.from(`${user}:${value}`).toString('base64')
}

/** Names and values in turn, each pair with its colon, blank and line end. */
const lengthOf = (headers: readonly string[]): number =>
  headers.reduce((sum, text) => sum + text.length + ': '.length, 0)

/** The value is escaped as the body's own type asks for. */
function filledBody(
  request: FetchRequest,
  sound: SoundRequest,
  valueFor: (name: string) => string,
): Uint8Array {
  const type =
    sound.headers.find((_, index) => index % 2 === 1 && sound.headers[index - 1] === 'content-type') ?? ''
  const bytes = Buffer.from(
    fillIn(request.text ?? '', (name) => escapeFor(type, valueFor(name))),
    'utf8',
  )
  if (bytes.length <= limits.fetchBytesMax) return bytes
  throw new SyscallError(
    'EFBIG',
    `a body of ${bytes.length} bytes with its secrets, at most ${limits.fetchBytesMax} fit`,
  )
}

function escapeFor(type: string, value: string): string {
  if (/^[^;]*\bjson\b/i.test(type)) return JSON.stringify(value).slice(1, -1)
  return /^\s*application\/x-www-form-urlencoded\b/i.test(type) ? encodeURIComponent(value) : value
}
