/** The only way out to the network: one granted request, to one judged address, and its answer. */
import { type Clock, systemClock } from '../../clock.ts'
import { SyscallError } from '../../errors.ts'
import { Grant, type GrantScope } from '../../grant.ts'
import { limits } from '../../limits.ts'
import { presentBody } from './body.ts'
import { openConnection } from './connect.ts'
import { exchange, type FetchReply } from './exchange.ts'
import { netError } from './failures.ts'
import { type FetchRequest, readRequest } from './request.ts'
import { type Lookup, Resolver, systemLookup } from './resolve.ts'
import { cleanAnswer } from './secrets/clean.ts'
import type { FilledRequest } from './secrets/secrets.ts'
import { Secrets } from './secrets/secrets.ts'
import { parseUrl, type WebUrl } from './url.ts'

export interface NetOptions {
  readonly clock?: Clock
  /** From connect to the last byte, in ms. */
  readonly fetchMs?: number
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
   * @param call the guest's number of this call, by which it can be canceled
   */
  async fetch(grant: Grant, request: FetchRequest, call = 0): Promise<FetchReply> {
    const url = parseUrl(request.url)
    const scope = Grant.demand(grant, 'net.fetch', url.resource)
    this.#admit(scope)
    const uses = this.#secrets.usesIn(request)
    const sound = readRequest(request)
    const flight = new Flight(scope.pid, call, grant.signal)
    const stopTimer = this.#clock.after(this.#fetchMs, () =>
      flight.end(new SyscallError('ETIMEDOUT', `no complete answer within ${this.#fetchMs} ms`)),
    )
    this.#flights.add(flight)
    try {
      flight.signal.throwIfAborted()
      // The last step before the network: nothing that is on record or was judged holds a value.
      const filled = await this.#secrets.fill(url, request, sound, uses, flight.signal)
      return await this.#fly(flight, url, filled, scope)
    } catch (error) {
      throw netError(error, `${url.host}:${url.port}`, flight.sent)
    } finally {
      stopTimer()
      flight.over()
      this.#flights.delete(flight)
      this.#heldBytes -= flight.heldBytes
    }
  }

  /** Ends a fetch of the same process early, with EINTR; one that is over, or has not begun, is left alone. */
  cancel(grant: Grant, call: number): null {
    const { pid } = Grant.demand(grant, 'net.cancel', '')
    for (const flight of this.#flights)
      if (flight.pid === pid && flight.call === call)
        flight.end(new SyscallError('EINTR', 'the program canceled it'))
    return null
  }

  /** Ends every fetch with ECANCELED, and refuses the next. */
  async close(): Promise<void> {
    this.#closed = true
    for (const flight of this.#flights)
      flight.end(new SyscallError('ECANCELED', 'the kernel shuts its network down'))
    await Promise.all([...this.#flights].map((flight) => flight.landed))
  }

  async #fly(flight: Flight, url: WebUrl, request: FilledRequest, scope: GrantScope): Promise<FetchReply> {
    const socket = await openConnection(url, {
      resolver: this.#resolver,
      permitted: scope.addresses,
      ca: this.#ca,
      signal: flight.signal,
    })
    flight.sent = true
    const hold = (bytes: number): void => this.#hold(flight, bytes)
    const answer = await exchange(socket, { ...url, query: request.query }, request, flight.signal, hold)
    const clean = await cleanAnswer(answer, request.values, this.#secrets.redactorFor(request.values), hold)
    flight.signal.throwIfAborted()
    const { status, statusText, headers, type, bytes } = clean
    return { status, statusText, headers, url: url.resource, ...presentBody(bytes, type) }
  }

  #admit(scope: GrantScope): void {
    if (this.#closed) throw new SyscallError('ECANCELED', 'the kernel has shut its network down')
    const flying = [...this.#flights].filter(({ pid }) => pid === scope.pid).length
    if (flying >= limits.fetchesInFlightMax)
      throw new SyscallError('EAGAIN', `${flying} fetches are in flight; await some of them first`)
  }

  #hold(flight: Flight, bytes: number): void {
    if (this.#heldBytes + bytes > this.#heldBytesMax)
      throw new SyscallError('EAGAIN', 'the kernel holds too many response bytes at once; try again later')
    this.#heldBytes += bytes
    flight.heldBytes += bytes
  }
}

/** One fetch under way: what may end it, and what it holds. */
class Flight {
  readonly pid: number
  readonly call: number
  /** From here on a byte of the request may have left. */
  sent = false
  heldBytes = 0
  readonly landed: Promise<void>
  readonly #stop = new AbortController()
  readonly #granted: AbortSignal
  readonly #interrupt: () => void
  #land: () => void = () => {}

  constructor(pid: number, call: number, granted: AbortSignal) {
    this.pid = pid
    this.call = call
    this.landed = new Promise((resolve) => {
      this.#land = resolve
    })
    this.#granted = granted
    this.#interrupt = () => this.end(interruption(granted.reason))
    if (granted.aborted) this.#interrupt()
    else granted.addEventListener('abort', this.#interrupt, { once: true })
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  end(why: SyscallError): void {
    this.#stop.abort(why)
  }

  over(): void {
    this.#granted.removeEventListener('abort', this.#interrupt)
    this.#land()
  }
}

const interruption = (reason: unknown): SyscallError =>
  reason instanceof SyscallError
    ? reason
    : new SyscallError('EINTR', 'ended by a signal before the answer was complete')
