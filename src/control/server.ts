/** A running kernel's ear for other terminals: an HTTP server on a Unix socket that only its owner reaches. */
import { createServer, type Server } from 'node:http'
import { resolve } from 'node:path'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import type { Observers } from '../observers.ts'
import { Journal } from './journal.ts'
import { LogStreams } from './log-streams.ts'
import { closeToOthers, makePlace, type Place, removePlace } from './place.ts'
import { protocol, protocolHeader } from './protocol.ts'
import { type Controlled, Routes } from './routes.ts'

export class ControlServer {
  readonly #dir: string
  readonly #clock: Clock
  readonly #observers: Observers
  readonly #journal: Journal
  readonly #logs: LogStreams
  readonly #routes: Routes
  readonly #server = boundedServer()
  /** Each resolves when its reply has been handed over whole, or its reader has left. */
  readonly #replies = new Set<Promise<void>>()
  /** Where it listens, or undefined where it cannot; never rejects. */
  readonly #place: Promise<Place | undefined>

  /**
   * Begins to listen. Whatever goes wrong is told to observers, and the kernel runs without.
   * @param dir the kernel's directory, whose lock the kernel holds
   */
  constructor(dir: string, kernel: Controlled, observers: Observers, clock: Clock) {
    this.#dir = resolve(dir)
    this.#clock = clock
    this.#observers = observers
    this.#journal = new Journal(observers, clock)
    this.#logs = new LogStreams(kernel, this.#journal)
    this.#routes = new Routes(kernel, this.#logs, (error) => observers.controlFailed(error))
    this.#place = this.#listen().catch((error: unknown) => {
      observers.controlFailed(error)
      return undefined
    })
  }

  /** Ends what is followed, lets the last replies be read, and takes the socket away; never rejects. */
  async close(): Promise<void> {
    this.#logs.close()
    this.#journal.close()
    const place = await this.#place
    if (place === undefined) return
    // Node.js itself would cut off replies that are complete and not yet read.
    const { promise: late, resolve: giveUp } = Promise.withResolvers<void>()
    const cancel = this.#clock.after(limits.controlCloseMs, giveUp)
    await Promise.race([Promise.all(this.#replies), late])
    cancel()
    const closed = new Promise<void>((done) => this.#server.close(() => done()))
    this.#server.closeAllConnections()
    await closed
    try {
      removePlace(this.#dir, place)
    } catch (error) {
      this.#observers.controlFailed(error)
    }
  }

  #track(reply: Promise<void>): void {
    this.#replies.add(reply)
    void reply.then(() => this.#replies.delete(reply))
  }

  async #listen(): Promise<Place> {
    const place = makePlace(this.#dir)
    this.#server.on('request', (request, response) => {
      response.setHeader(protocolHeader, protocol).setHeader('connection', 'close')
      this.#track(new Promise((done) => response.once('close', done)))
      void this.#routes.answer(request, response, place.key)
    })
    try {
      // It is bound as soon as `listen` returns; nobody else gets through the folder before it is closed to them itself.
      await new Promise<void>((done, fail) => {
        this.#server.once('error', fail)
        this.#server.listen({ path: place.path, exclusive: true }, () => {
          this.#server.off('error', fail)
          done()
        })
      })
      closeToOthers(place)
    } catch (error) {
      this.#server.close()
      removePlace(this.#dir, place)
      throw error
    }
    this.#server.on('error', (error) => this.#observers.controlFailed(error))
    return place
  }
}

/** Neither many connections, nor slow, silent or endless ones, cost the kernel more than a bound. */
function boundedServer(): Server {
  const server = createServer({
    maxHeaderSize: limits.controlHeaderBytesMax,
    headersTimeout: limits.controlIdleMs,
    requestTimeout: limits.controlIdleMs,
    connectionsCheckingInterval: limits.controlIdleMs / 5,
  })
  server.maxConnections = limits.controlConnectionsMax
  // What is asked in one breath would be answered in one, and held until it is read.
  server.maxRequestsPerSocket = 1
  server.timeout = limits.controlIdleMs
  server.on('connection', (socket) => socket.unref())
  return server.unref()
}
