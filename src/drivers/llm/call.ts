/** One call of a model under way: how long it takes, what it has used, how often it is tried, how it fails. */
import type { Clock } from '../../clock.ts'
import { SyscallError } from '../../errors.ts'
import type { Grant } from '../../grant.ts'
import type { Json, JsonObject } from '../../json.ts'
import type { Meter } from '../../proc/meter.ts'
import { type Deadline, deadlineOf } from '../deadline.ts'
import { attempt } from './attempts.ts'
import { type Failure, readFailure } from './failures.ts'
import { Bill, type Metering } from './metering.ts'

/** In ms. */
export interface ModelTimeouts {
  readonly wholeMs: number
  readonly firstMs: number
  readonly idleMs: number
}

export interface CallParts {
  readonly retries: number
  readonly timeouts: ModelTimeouts
  readonly clock: Pick<Clock, 'after' | 'now' | 'monotonic'>
  /** Takes the values of the kernel's secrets out of what a model gives. */
  readonly withoutSecrets: (value: Json) => Promise<Json>
  /** Is told what a model threw; the agent is not. */
  readonly onFailure: (model: string, error: unknown) => void
}

/** What the gate gives a call of a model. */
export interface Charged {
  readonly meter: Meter
  /** Says what the call has cost, for the record; the last word counts. */
  readonly costs: (cost: JsonObject) => void
}

const msPerSecond = 1e3

export class ModelCall {
  readonly bill: Bill
  readonly name: string
  readonly #parts: CallParts
  readonly #ended: AbortSignal
  readonly #late: Deadline
  readonly #costs: Charged['costs']
  readonly #settle = (): void => this.settle()

  /** @param inputTokens of the prompt, estimated */
  constructor(
    parts: CallParts,
    metering: Metering,
    name: string,
    {
      grant,
      charged,
      inputTokens,
    }: { readonly grant: Grant; readonly charged: Charged; readonly inputTokens: number },
  ) {
    this.#parts = parts
    this.name = name
    this.bill = new Bill(metering, name, charged.meter, inputTokens)
    this.#costs = charged.costs
    this.#ended = grant.signal
    this.#late = deadlineOf(parts.clock, parts.timeouts.wholeMs, grant.signal)
    grant.signal.addEventListener('abort', this.#settle, { once: true })
  }

  /** Aborts when the process ends or the time is over. */
  get signal(): AbortSignal {
    return this.#late.signal
  }

  /** What it has used is charged, and the rest given back. */
  settle(): void {
    this.bill.close()
    this.#costs(this.bill.record)
  }

  /** It is over: lets go of its timer, and settles. */
  end(): void {
    this.#ended.removeEventListener('abort', this.#settle)
    this.#late.cancel()
    this.settle()
  }

  /**
   * @param given the tokens of this request, where it sends only a part, and what ends it, where that is not this call alone
   * @returns what the first request gives that does not fail; nothing of it has been looked at
   * @throws SyscallError in words of ours; what aborted it, where something did
   */
  async ask<T>(
    request: () => Promise<T>,
    {
      inputTokens,
      signal = this.signal,
    }: { readonly inputTokens?: number; readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    const once = async (): Promise<T> => {
      this.bill.sent(inputTokens)
      try {
        return await request()
      } catch (error) {
        if (!signal.aborted && this.#read(error).isFree) this.bill.free()
        throw new Thrown(error)
      }
    }
    try {
      return await attempt(once, {
        retries: this.#parts.retries,
        signal,
        read: (thrown) => this.#read(thrown instanceof Thrown ? thrown.cause : thrown),
      })
    } catch (error) {
      if (!(error instanceof Thrown) || signal.aborted) throw error
      throw this.failure(error.cause)
    }
  }

  /** @returns what a model threw, in words of ours; the application is told the rest */
  failure(thrown: unknown): SyscallError {
    this.#parts.onFailure(this.name, thrown)
    const { code, reason } = this.#read(thrown)
    const times = this.bill.requests > 1 ? ` in ${this.bill.requests} requests` : ''
    return new SyscallError(code, `${reason}${times}`)
  }

  /** @returns the error for the agent: with what it costs, and without secrets */
  async told(error: unknown): Promise<unknown> {
    const told = (code: SyscallError['code'], reason: string): SyscallError =>
      new SyscallError(code, `${reason}; ${this.bill.told}`)
    if (this.#ended.aborted) return told('EINTR', 'ended by a signal before the reply was complete')
    if (this.#late.isOver)
      return told('ETIMEDOUT', `the model took longer than ${this.#parts.timeouts.wholeMs} ms`)
    if (!(error instanceof SyscallError)) return error
    return told(error.code, String(await this.#parts.withoutSecrets(error.message)))
  }

  #read(thrown: unknown): Failure {
    return readFailure(thrown, this.#parts.clock.now() / msPerSecond)
  }
}

/** What a model threw, told from what the kernel itself did wrong. */
class Thrown extends Error {
  constructor(cause: unknown) {
    super('a model failed', { cause })
  }
}
