/** The only way out to the network: one granted request, to one judged address, and its answer. */
import { type Clock, systemClock } from '../../clock.ts'
import { SyscallError } from '../../errors.ts'
import { Grant, type GrantScope } from '../../grant.ts'
import { limits } from '../../limits.ts'
import { openConnection } from './connect.ts'
import { exchange, type FetchReply } from './exchange.ts'
import { netError } from './failures.ts'
import { type FetchRequest, readRequest, type SoundRequest } from './request.ts'
import { type Lookup, Resolver, systemLookup } from './resolve.ts'
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
}

export class NetDriver {
  readonly #clock: Clock
  readonly #fetchMs: number
  readonly #heldBytesMax: number
  readonly #resolver: Resolver
  readonly #ca: readonly string[] | undefined
  readonly #flights = new Set<Flight>()
  #heldBytes = 0
  #closed = false

  constructor(options: NetOptions = {}) {
    this.#clock = options.clock ?? systemClock
    this.#fetchMs = options.fetchMs ?? limits.fetchMs
    this.#heldBytesMax = options.heldBytesMax ?? limits.fetchBytesHeldMax
    this.#resolver = new Resolver(options.lookup ?? systemLookup)
    this.#ca = options.ca
  }

  /**
   * Sends one request and reads its answer; follows no redirect, keeps no cookie and no connection, uses no proxy.
   * @param grant for `net.fetch` on the URL without its fragment; names the permitted classes of address
   * @returns the answer, whatever its status
   * @throws SyscallError whose `sent` says whether the server may have acted: EINVAL, E2BIG, EFBIG, EPERM (address),
   * EAGAIN, ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT, EINTR, ECANCELED, EIO; an Error (broken invariant) without a grant
   */
  async fetch(grant: Grant, request: FetchRequest): Promise<FetchReply> {
    const url = parseUrl(request.url)
    const scope = Grant.demand(grant, 'net.fetch', url.resource)
    this.#admit(scope)
    const sound = readRequest(request)
    const flight = new Flight(scope.pid, grant.signal)
    const stopTimer = this.#clock.after(this.#fetchMs, () =>
      flight.end(new SyscallError('ETIMEDOUT', `no complete answer within ${this.#fetchMs} ms`)),
    )
    this.#flights.add(flight)
    try {
      return await this.#fly(flight, url, sound, scope)
    } catch (error) {
      throw netError(error, `${url.host}:${url.port}`, flight.sent)
    } finally {
      stopTimer()
      flight.over()
      this.#flights.delete(flight)
      this.#heldBytes -= flight.heldBytes
    }
  }

  /** Ends every fetch with ECANCELED, and refuses the next. */
  async close(): Promise<void> {
    this.#closed = true
    for (const flight of this.#flights)
      flight.end(new SyscallError('ECANCELED', 'the kernel shuts its network down'))
    await Promise.all([...this.#flights].map((flight) => flight.landed))
  }

  async #fly(flight: Flight, url: WebUrl, request: SoundRequest, scope: GrantScope): Promise<FetchReply> {
    flight.signal.throwIfAborted()
    const socket = await openConnection(url, {
      resolver: this.#resolver,
      permitted: scope.addresses,
      ca: this.#ca,
      signal: flight.signal,
    })
    flight.sent = true
    return exchange(socket, url, request, flight.signal, (bytes) => this.#hold(flight, bytes))
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
  /** From here on a byte of the request may have left. */
  sent = false
  heldBytes = 0
  readonly landed: Promise<void>
  readonly #stop = new AbortController()
  readonly #granted: AbortSignal
  readonly #interrupt: () => void
  #land: () => void = () => {}

  constructor(pid: number, granted: AbortSignal) {
    this.pid = pid
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
