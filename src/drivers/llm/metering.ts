/** What a call of a model may use is set aside, what it used is charged and told: for the driver, and for models that an application asks itself. */
import { SyscallError } from '../../errors.ts'
import type { JsonObject } from '../../json.ts'
import { type Amounts, Meter, type Metered } from '../../proc/meter.ts'
import { costOf, type Price } from './prices.ts'
import { tokensOfBytes, type Usage } from './usage.ts'

export class Metering {
  readonly #prices: ReadonlyMap<string, Price>

  constructor(prices: ReadonlyMap<string, Price> = new Map()) {
    this.#prices = prices
  }

  /**
   * @param inputTokens of the prompt, estimated
   * @param outputTokens that the reply may have
   * @returns the most that a call may use
   * @throws SyscallError EDQUOT where a budget of cost is in force and the price of the model is not known
   */
  most(
    { ledger }: Pick<Metered, 'ledger'>,
    model: string,
    inputTokens: number,
    outputTokens: number,
  ): Amounts {
    if (!this.#prices.has(model) && Number.isFinite(ledger.left('costUsd')))
      throw new SyscallError(
        'EDQUOT',
        `a budget of cost is in force, and what \`${model}\` costs is not known; the application states it in the option \`llm.prices\` of its kernel (0 where it costs nothing)`,
      )
    return this.amounts(model, { inputTokens, outputTokens })
  }

  /** @returns what a use counts in a budget; no cost where the price is not known */
  amounts(model: string, usage: Usage): Amounts {
    const price = this.#prices.get(model)
    return {
      tokens: usage.inputTokens + usage.outputTokens,
      costUsd: price === undefined ? 0 : costOf(price, usage),
    }
  }

  /** Whether what a model costs is stated. */
  knows(model: string): boolean {
    return this.#prices.has(model)
  }
}

/** What one call of a model has used by now, and is charged. */
export class Bill {
  readonly #metering: Metering
  readonly #model: string
  readonly #meter: Meter
  readonly #inputTokens: number
  /** By requests before the one that is under way. */
  #before: Usage = { inputTokens: 0, outputTokens: 0 }
  #now: Usage | undefined
  #receivedBytes = 0
  #sentTokens = 0
  #requests = 0

  /**
   * @param meter in which the most is set aside
   * @param inputTokens of the prompt, estimated: what it counts until its provider says
   */
  constructor(metering: Metering, model: string, meter: Meter, inputTokens: number) {
    this.#metering = metering
    this.#model = model
    this.#meter = meter
    this.#inputTokens = inputTokens
  }

  /**
   * Sets aside the most that a call may use, and begins to count.
   * @throws SyscallError EDQUOT with nothing set aside
   */
  static open(
    metering: Metering,
    owner: Metered,
    model: string,
    { inputTokens, outputTokens }: Pick<Usage, 'inputTokens' | 'outputTokens'>,
  ): Bill {
    const meter = Meter.open(owner, metering.most(owner, model, inputTokens, outputTokens))
    return new Bill(metering, model, meter, inputTokens)
  }

  /** A request may have left: from here on its prompt counts, what those before counted stays. */
  sent(inputTokens = this.#inputTokens): void {
    this.#before = this.usage
    this.#requests += 1
    this.#receivedBytes = 0
    this.#sentTokens = inputTokens
    this.#estimate()
  }

  /** The request has failed in a way that providers charge nothing for. */
  free(): void {
    this.#now = undefined
    this.#charge()
  }

  get requests(): number {
    return this.#requests
  }

  /** So many bytes of the reply have come. */
  received(bytes: number): void {
    this.#receivedBytes += bytes
    this.#estimate()
  }

  /** What the provider says; undefined where it says nothing that is a count. */
  reported(usage: Usage | undefined): void {
    if (usage === undefined) return
    this.#now = usage
    this.#charge()
  }

  /** All requests together. */
  get usage(): Usage {
    const now = this.#now
    if (now === undefined) return this.#before
    const cachedTokens = (this.#before.cachedTokens ?? 0) + (now.cachedTokens ?? 0)
    return {
      inputTokens: this.#before.inputTokens + now.inputTokens,
      outputTokens: this.#before.outputTokens + now.outputTokens,
      ...(cachedTokens > 0 && { cachedTokens }),
      ...((this.#before.isEstimated || now.isEstimated) && { isEstimated: true }),
    }
  }

  /** As it stands on record; without a cost where the price is not known. */
  get record(): JsonObject {
    const { isEstimated, ...tokens } = this.usage
    const { costUsd } = this.#metering.amounts(this.#model, tokens)
    return {
      tokens: tokens.inputTokens + tokens.outputTokens,
      ...(tokens as JsonObject),
      ...(this.#metering.knows(this.#model) && { costUsd }),
      ...(this.#requests > 1 && { requests: this.#requests }),
      ...(isEstimated && { estimated: true }),
    }
  }

  /** In words, for whoever is told that the call failed. */
  get told(): string {
    const { inputTokens, outputTokens, isEstimated } = this.usage
    const tokens = inputTokens + outputTokens
    if (tokens === 0) return 'no tokens are charged'
    return `${tokens} tokens are charged${isEstimated ? ', as an estimate' : ''}`
  }

  /** The call is over, however it ended: what is left of what was set aside is given back. */
  close(): void {
    this.#meter.close()
  }

  #estimate(): void {
    const outputTokens = tokensOfBytes(this.#receivedBytes)
    this.#now = { inputTokens: this.#sentTokens, outputTokens, isEstimated: true }
    this.#charge()
  }

  #charge(): void {
    this.#meter.use(this.#metering.amounts(this.#model, this.usage))
  }
}
