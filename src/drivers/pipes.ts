/** Pipes between agents: one opens a pipe to another by its name, which takes it; what the one writes the other reads. */
import { type Clock, systemClock } from '../clock.ts'
import { SyscallError } from '../errors.ts'
import { Grant } from '../grant.ts'
import type { JsonObject } from '../json.ts'
import type { Labels } from '../labels.ts'
import { limits } from '../limits.ts'
import { deadlineOf } from './deadline.ts'
import { Channel, ChannelRoom } from './streams/channel.ts'
import type { Piece, Sink, SinkEnd, Source } from './streams/source.ts'
import { readTyped } from './streams/typed.ts'

/** One that waits until it is taken. */
interface Offer {
  readonly from: string
  readonly pid: number
  readonly schema: JsonObject | undefined
  readonly source: Source
  /** Of whoever opened it, when it did. */
  readonly labels: Labels
}

interface Taker {
  readonly pid: number
  readonly from: string | undefined
  readonly take: (offer: Offer) => void
}

interface Door {
  readonly offers: Offer[]
  readonly takers: Set<Taker>
}

export class PipeDriver {
  readonly #doors = new Map<string, Door>()
  readonly #room = new ChannelRoom(limits.streamQueuesMax)
  readonly #isAgent: (name: string) => boolean

  /** @param isAgent whether an agent of that name is registered or lives */
  constructor(isAgent: (name: string) => boolean) {
    this.#isAgent = isAgent
  }

  /**
   * Opens a pipe that leads to an agent; what is written waits there, within bounds, until one of that name takes it.
   * @param schema what goes through it; any JSON where undefined
   * @param labels of whoever opens it
   * @throws SyscallError ENOENT for an unknown agent, EAGAIN where too many wait there, EINVAL or E2BIG for the schema
   */
  open(grant: Grant, to: string, schema: JsonObject | undefined, labels: Labels): Sink {
    const { agent: from, pid } = Grant.demand(grant, 'ipc.pipe', to)
    if (!this.#isAgent(to)) throw new SyscallError('ENOENT', 'no agent of that name is registered or lives')
    const fits = schema === undefined ? () => undefined : readTyped(schema)
    const { source, sink } = new Channel({
      room: this.#room,
      check: (piece) => {
        const flaw = 'bytes' in piece ? 'is bytes, and a pipe takes values' : fits(piece.value, 'value')
        if (flaw !== undefined) throw new SyscallError('EINVAL', flaw.slice(0, limits.errorTextMax))
      },
    })
    return this.#offer(to, { from, pid, schema, source, labels }, sink)
  }

  /**
   * Takes the oldest pipe that leads to the own name, and waits where there is none; never one of the process itself.
   * @param from take only one of this agent; of any where undefined
   * @param timeoutMs how long to wait; for ever where undefined
   * @param clock by which it waits
   * @throws SyscallError ETIMEDOUT, EINTR
   */
  async take(
    grant: Grant,
    from: string | undefined,
    timeoutMs: number | undefined,
    clock: Pick<Clock, 'after'> = systemClock,
  ): Promise<Offer> {
    const { agent, pid } = Grant.demand(grant, 'ipc.pipe', from ?? '*')
    const late = deadlineOf(clock, timeoutMs, grant.signal)
    try {
      return await this.#take(agent, pid, from, late.signal)
    } catch (error) {
      if (late.isOver && !grant.aborted)
        throw new SyscallError('ETIMEDOUT', `no pipe was opened within ${timeoutMs} ms`)
      throw error
    } finally {
      late.cancel()
      this.#tidy(agent)
    }
  }

  #offer(to: string, offer: Offer, sink: Sink): Sink {
    const door = this.#door(to)
    for (const taker of door.takers) {
      if (!isFor(taker, offer)) continue
      door.takers.delete(taker)
      taker.take(offer)
      return sink
    }
    if (door.offers.length >= limits.pipesPendingMax)
      throw new SyscallError('EAGAIN', `${limits.pipesPendingMax} pipes wait there already`)
    door.offers.push(offer)
    // One whose writer was killed is not all that it was to be: nobody needs to take it.
    const close = (how: SinkEnd, labels: Labels): void => {
      sink.close(how, labels)
      if (how === 'closed') return
      const index = door.offers.indexOf(offer)
      if (index < 0) return
      door.offers.splice(index, 1)
      offer.source.close(labels)
      this.#tidy(to)
    }
    const write = (piece: Piece, labels: Labels, signal: AbortSignal) => sink.write(piece, labels, signal)
    return {
      get labels() {
        return sink.labels ?? []
      },
      ...{ check: sink.check, write, close },
    }
  }

  #take(agent: string, pid: number, from: string | undefined, signal: AbortSignal): Promise<Offer> {
    const door = this.#door(agent)
    const index = door.offers.findIndex((offer) => isFor({ pid, from }, offer))
    const [offer] = index < 0 ? [] : door.offers.splice(index, 1)
    if (offer !== undefined) return Promise.resolve(offer)
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        door.takers.delete(taker)
        reject(new SyscallError('EINTR', 'ended by a signal'))
      }
      if (signal.aborted) return giveUp()
      const taker: Taker = {
        ...{ pid, from },
        take: (given) => {
          signal.removeEventListener('abort', giveUp)
          resolve(given)
        },
      }
      signal.addEventListener('abort', giveUp, { once: true })
      door.takers.add(taker)
    })
  }

  #door(name: string): Door {
    const door = this.#doors.get(name) ?? { offers: [], takers: new Set() }
    this.#doors.set(name, door)
    return door
  }

  /** Names come and go: what nobody uses is not kept. */
  #tidy(name: string): void {
    const door = this.#doors.get(name)
    if (door?.offers.length === 0 && door.takers.size === 0) this.#doors.delete(name)
  }
}

const isFor = ({ pid, from }: Omit<Taker, 'take'>, offer: Offer): boolean =>
  offer.pid !== pid && (from === undefined || from === offer.from)
