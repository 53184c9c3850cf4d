/** The only way out to the network: one granted request, to one judged address, and its answer. */

import type { Socket } from 'node:net'
import { type Clock, systemClock } from '../../clock.ts'
import { SyscallError } from '../../errors.ts'
import { Grant, type GrantScope } from '../../grant.ts'
import { noLabels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import type { Source } from '../streams/source.ts'
import { presentBody } from './body.ts'
import { openConnection } from './connect.ts'
import {
  exchange,
  type FetchHead,
  type FetchReply,
  headerOf,
  type OpenAnswer,
  openExchange,
} from './exchange.ts'
import { netError, readingError } from './failures.ts'
import { Flight } from './flight.ts'
import { type FetchRequest, readRequest } from './request.ts'
import { type Lookup, Resolver, systemLookup } from './resolve.ts'
import { ResponseSource } from './response-source.ts'
import { assertSearchable, cleanAnswer, cleanHead } from './secrets/clean.ts'
import { CleanSource } from './secrets/clean-source.ts'
import type { FilledRequest } from './secrets/secrets.ts'
import { Secrets } from './secrets/secrets.ts'
import { parseUrl, type WebUrl } from './url.ts'

export interface NetOptions {
  readonly clock?: Clock
  /** From connect to the last byte, in ms. */
  readonly fetchMs?: number
  /** From the head of an answer to the last byte of its stream, in ms. */
  readonly streamMs?: number
  /** A body that is read as a stream, all of it. */
  readonly streamBytesMax?: number
  /** How long a server may take for the next bytes of a stream, in ms. */
  readonly idleMs?: number
  /** Response bytes of all fetches at once. */
  readonly heldBytesMax?: number
  readonly lookup?: Lookup
  /** Certificate authorities to trust in place of the system's, as PEM. */
  readonly ca?: readonly string[]
  /** What placeholders stand for; none by default. */
  readonly secrets?: Secrets
}

export class NetDriver {
  readonly #clock: Clock
  readonly #fetchMs: number
  readonly #streamMs: number
  readonly #streamBytesMax: number
  readonly #idleMs: number
  readonly #heldBytesMax: number
  readonly #resolver: Resolver
  readonly #ca: readonly string[] | undefined
  readonly #secrets: Secrets
  readonly #flights = new Set<Flight>()
  #heldBytes = 0
  #closed = false

  constructor(options: NetOptions = {}) {
    this.#clock = options.clock ?? systemClock
    this.#fetchMs = options.fetchMs ?? limits.fetchMs
    this.#streamMs = options.streamMs ?? limits.fetchStreamMs
    this.#streamBytesMax = options.streamBytesMax ?? limits.fetchStreamBytesMax
    this.#idleMs = options.idleMs ?? limits.fetchIdleMs
    this.#heldBytesMax = options.heldBytesMax ?? limits.fetchBytesHeldMax
    this.#resolver = new Resolver(options.lookup ?? systemLookup)
    this.#ca = options.ca
    this.#secrets = options.secrets ?? new Secrets([])
  }

  /**
   * Part of decoding: whether every secret that the request names may be used so.
   * @throws SyscallError EINVAL or EPERM that names the secret, and what would help
   */
  check(request: FetchRequest): void {
    this.#secrets.usesIn(request)
  }

  /**
   * Sends one request and reads its answer; follows no redirect, keeps no cookie and no connection, uses no proxy.
   * @param grant for `net.fetch` on the URL without its fragment; names the permitted classes of address
   * @returns the answer, whatever its status
   * @throws SyscallError whose `sent` says whether the server may have acted: EINVAL, E2BIG, EFBIG, EPERM (address),
   * EAGAIN, ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT, EINTR, ECANCELED, EIO; an Error (broken invariant) without a grant
   */
  fetch(grant: Grant, request: FetchRequest): Promise<FetchReply> {
    return this.#launch(grant, request, async (landing, url, filled, scope) => {
      const reply = await this.#fly(landing.flight, url, filled, scope)
      landing.over()
      return reply
    })
  }

  /**
   * The same, until the head of the answer has come: its body is read from the source, and the fetch goes on until that
   * has ended or is closed. Secrets are taken out of it on the way.
   * @throws as fetch; what comes later, the source fails with
   */
  open(grant: Grant, request: FetchRequest): Promise<OpenFetch> {
    return this.#launch(grant, request, async (landing, url, filled, scope) =>
      this.#answerOf(landing, url, filled, await this.#connect(landing.flight, url, scope)),
    )
  }

  /** What comes before the network; `send` says itself when it is over, unless it fails. */
  async #launch<T>(
    grant: Grant,
    request: FetchRequest,
    send: (landing: Landing, url: WebUrl, filled: FilledRequest, scope: GrantScope) => Promise<T>,
  ): Promise<T> {
    const url = parseUrl(request.url)
    const scope = Grant.demand(grant, 'net.fetch', url.resource)
    this.#admit(scope)
    const uses = this.#secrets.usesIn(request)
    const sound = readRequest(request)
    const landing = this.#takeOff(scope, grant, request)
    const { flight } = landing
    try {
      flight.signal.throwIfAborted()
      // The last step before the network: nothing that is on record or was judged holds a value.
      const filled = await this.#secrets.fill(url, request, sound, uses, flight.signal)
      return await send(landing, url, filled, scope)
    } catch (error) {
      landing.over()
      throw netError(error, `${url.host}:${url.port}`, flight.sent)
    }
  }

  async #answerOf(landing: Landing, url: WebUrl, request: FilledRequest, socket: Socket): Promise<OpenFetch> {
    const { flight } = landing
    const answer = await openExchange(socket, { ...url, query: request.query }, request, flight.signal)
    try {
      const redactor = this.#secrets.redactorFor(request.values)
      const head = headOf(redactor === undefined ? answer : cleanHead(answer, redactor), url)
      if (hasNoBody(request.method, head)) {
        await answer.end()
        landing.over()
        return { head }
      }
      if (request.values.length > 0) assertSearchable(answer)
      this.#hold(flight, limits.fetchStreamHeldBytes)
      landing.allow(this.#streamMs)
      const source = this.#sourceOf(landing, url, answer)
      return { head, source: redactor === undefined ? source : new CleanSource(source, redactor) }
    } catch (error) {
      await answer.end()
      throw error
    }
  }

  #sourceOf({ flight, over }: Landing, url: WebUrl, { body, end, ...head }: OpenAnswer): Source {
    return new ResponseSource({
      ...{ chunks: body, encoding: headerOf(head, 'content-encoding') },
      ...{ clock: this.#clock, idleMs: this.#idleMs, bytesMax: this.#streamBytesMax },
      end: (why) => flight.end(why),
      failure: (error) => {
        const why: unknown = flight.signal.aborted ? flight.signal.reason : error
        return readingError(why, `${url.host}:${url.port}`)
      },
      over: () => {
        flight.end(new SyscallError('ECANCELED', 'the stream has ended'))
        void end().finally(over)
      },
    })
  }

  /** Ends every fetch with ECANCELED, and refuses the next. */
  async close(): Promise<void> {
    this.#closed = true
    for (const flight of this.#flights)
      flight.end(new SyscallError('ECANCELED', 'the kernel shuts its network down'))
    await Promise.all([...this.#flights].map((flight) => flight.landed))
  }

  async #fly(flight: Flight, url: WebUrl, request: FilledRequest, scope: GrantScope): Promise<FetchReply> {
    const socket = await this.#connect(flight, url, scope)
    const hold = (bytes: number): void => this.#hold(flight, bytes)
    const answer = await exchange(socket, { ...url, query: request.query }, request, flight.signal, hold)
    const clean = await cleanAnswer(answer, request.values, this.#secrets.redactorFor(request.values), hold)
    flight.signal.throwIfAborted()
    const { status, statusText, headers, type, bytes } = clean
    return { ...headOf({ status, statusText, headers }, url), ...presentBody(bytes, type) }
  }

  async #connect(flight: Flight, url: WebUrl, { addresses }: GrantScope): Promise<Socket> {
    const { signal } = flight
    const reach = { resolver: this.#resolver, permitted: addresses, ca: this.#ca, signal }
    const socket = await openConnection(url, reach)
    flight.sent = true
    return socket
  }

  #takeOff({ pid }: GrantScope, { signal }: Grant, { body }: FetchRequest): Landing {
    const flight = new Flight(pid, signal)
    const late = (ms: number): (() => void) =>
      this.#clock.after(ms, () =>
        flight.end(new SyscallError('ETIMEDOUT', `no complete answer within ${ms} ms`)),
      )
    let stopTimer = late(this.#fetchMs)
    this.#flights.add(flight)
    return {
      flight,
      allow: (ms) => {
        stopTimer()
        stopTimer = late(ms)
      },
      over: () => {
        if (!this.#flights.delete(flight)) return
        stopTimer()
        flight.over()
        body?.close(noLabels)
        this.#heldBytes -= flight.heldBytes
      },
    }
  }

  #admit(scope: GrantScope): void {
    if (this.#closed) throw new SyscallError('ECANCELED', 'the kernel has shut its network down')
    const flying = [...this.#flights].filter(({ pid }) => pid === scope.pid).length
    if (flying >= limits.fetchesInFlightMax)
      throw new SyscallError(
        'EAGAIN',
        `${flying} fetches are in flight; await some of them first, or close their streams`,
      )
  }

  #hold(flight: Flight, bytes: number): void {
    if (this.#heldBytes + bytes > this.#heldBytesMax)
      throw new SyscallError('EAGAIN', 'the kernel holds too many response bytes at once; try again later')
    this.#heldBytes += bytes
    flight.heldBytes += bytes
  }
}

/** A fetch under way, and what ends it. */
interface Landing {
  readonly flight: Flight
  /** It may take so much longer, from now on, in ms. */
  allow(ms: number): void
  /** It is over; does nothing the second time. */
  over(): void
}

/** An answer of which the head has come, and its body as a stream, where it has one. */
export interface OpenFetch {
  readonly head: FetchHead
  readonly source?: Source
}

const headOf = ({ status, statusText, headers }: Omit<FetchHead, 'url'>, url: WebUrl): FetchHead => ({
  ...{ status, statusText, headers, url: url.resource },
})

/** RFC 9110, section 6.4.1, and what says that its body is empty. */
const hasNoBody = (method: string, head: Pick<FetchHead, 'status' | 'headers'>): boolean =>
  method === 'HEAD' || [204, 205, 304].includes(head.status) || headerOf(head, 'content-length') === '0'
