/** Models as agents reach them: one granted prompt, metered, timed, tried again where that is safe, and read with no belief in the answer. */
import { closest } from 'fastest-levenshtein'
import type { Clock } from '../../clock.ts'
import { SyscallError } from '../../errors.ts'
import { Grant } from '../../grant.ts'
import type { Json, JsonObject } from '../../json.ts'
import { type Labels, noLabels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import type { Amounts, Meter, Metered } from '../../proc/meter.ts'
import { type Deadline, deadlineOf } from '../deadline.ts'
import { Expected } from '../expected.ts'
import { abortable } from '../net/resolve.ts'
import { attempt } from './attempts.ts'
import { type Failure, readFailure } from './failures.ts'
import { Bill, Metering } from './metering.ts'
import type { Embedding, Language, Model, Prompt } from './model.ts'
import type { OpenedModels } from './open.ts'
import { readReply, readVectors, replyJson } from './reply.ts'
import {
  bytesOf,
  fieldOf,
  readEmbeddingUsage,
  readPlainUsage,
  readUsage,
  tokensOfBytes,
  tokensOfPrompt,
  type Usage,
} from './usage.ts'
import type { ModelRun, ModelRunContext } from './wrapped.ts'

/** In ms. */
export interface ModelTimeouts {
  readonly wholeMs: number
  readonly firstMs: number
  readonly idleMs: number
}

export interface LlmDriverParts {
  readonly opened: OpenedModels
  readonly retries: number
  readonly timeouts: ModelTimeouts
  readonly clock: Pick<Clock, 'after' | 'now'>
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

export type LlmDoor = 'llm.generate' | 'llm.stream' | 'llm.embed'

/** One call under way. */
interface Under {
  readonly grant: Grant
  readonly name: string
  readonly bill: Bill
  readonly late: Deadline
}

const msPerSecond = 1e3

export class LlmDriver {
  readonly metering: Metering
  /** What calls of wrapped models are to run. */
  readonly wrapped = new Expected<ModelRun>()
  readonly #parts: LlmDriverParts
  /** By pid: calls under way. */
  readonly #flying = new Map<number, number>()

  constructor(parts: LlmDriverParts) {
    this.#parts = parts
    this.metering = new Metering(parts.opened.prices)
  }

  /** Names of all models, as the application gave them. */
  get names(): readonly string[] {
    return [...this.#parts.opened.models.keys()]
  }

  /**
   * Part of decoding.
   * @throws SyscallError ENOENT for a model that there is not, EINVAL for one that cannot do this
   */
  check(door: LlmDoor, name: string): void {
    const { language, embedding } = this.#get(name)
    if (door === 'llm.embed' ? embedding !== undefined : language !== undefined) return
    throw new SyscallError(
      'EINVAL',
      door === 'llm.embed'
        ? `\`${name}\` answers prompts and makes no vectors; name a model for embeddings`
        : `\`${name}\` makes vectors and answers no prompts; use llm.embed`,
    )
  }

  /** What every reply of the model carries. */
  labelsOf(name: string): Labels {
    return this.#parts.opened.labels.get(name) ?? noLabels
  }

  /** @returns the most that a prompt may use @throws SyscallError EDQUOT as Metering.most */
  mostOf(owner: Pick<Metered, 'ledger'>, name: string, prompt: Prompt): Amounts {
    return this.metering.most(owner, name, tokensOfPrompt(prompt), prompt.tokensMax)
  }

  /** The same of texts that become vectors. */
  mostOfValues(owner: Pick<Metered, 'ledger'>, name: string, values: readonly string[]): Amounts {
    return this.metering.most(owner, name, tokensOfBytes(bytesOf(values)), 0)
  }

  /**
   * Asks a model, and waits for its whole reply.
   * @returns text, calls of tools, why it ended, and the tokens
   * @throws SyscallError EACCES, EAGAIN, ECONNREFUSED, EFBIG, EHOSTUNREACH, EINTR, EINVAL, EIO, EPERM, ETIMEDOUT, with
   *   the tokens that are charged
   */
  async generate(grant: Grant, name: string, prompt: Prompt, charged: Charged): Promise<Json> {
    const scope = Grant.demand(grant, 'llm.generate', name)
    const language = this.#get(name).language as Language
    const bill = new Bill(this.metering, name, charged.meter, tokensOfPrompt(prompt))
    return this.#call({ grant, name, bill }, scope.pid, charged, async (under) => {
      const context = { signal: under.late.signal, pid: scope.pid, agent: scope.agent, model: name }
      const result = await this.#ask(under, () => language.generate(prompt, context))
      const usage = readUsage(fieldOf(result, 'usage'))
      bill.reported(usage)
      const reply = readReply(result, usage === undefined ? (bytes) => bill.received(bytes) : () => {})
      return { ...replyJson(reply, prompt.schema !== undefined), usage: usageJson(bill.usage) }
    })
  }

  /**
   * Has an object of the application ask its own model.
   * @param run asks it, once; not tried again, since its framework does
   * @throws SyscallError as generate, and what the run throws as one
   */
  async run(
    grant: Grant,
    name: string,
    prompt: Prompt,
    charged: Charged & Pick<ModelRunContext, 'redacts'>,
    run: ModelRun,
  ): Promise<Json> {
    const { pid, agent } = Grant.demand(grant, 'llm.generate', name)
    const bill = new Bill(this.metering, name, charged.meter, tokensOfPrompt(prompt))
    return this.#call({ grant, name, bill }, pid, charged, async ({ late }) => {
      bill.sent()
      const received = (bytes: number): void => bill.received(bytes)
      const { redacts } = charged
      const { value, usage } = await run({ signal: late.signal, pid, agent, model: name, redacts, received })
      const told = readPlainUsage(usage)
      if (told === undefined) received(bytesOf(value))
      bill.reported(told)
      return value
    })
  }

  /**
   * Turns texts into vectors, in as many requests as the model needs.
   * @returns one vector for each, in order
   * @throws SyscallError as generate
   */
  async embed(grant: Grant, name: string, values: readonly string[], charged: Charged): Promise<Json> {
    const scope = Grant.demand(grant, 'llm.embed', name)
    const embedding = this.#get(name).embedding as Embedding
    const bill = new Bill(this.metering, name, charged.meter, 0)
    return this.#call({ grant, name, bill }, scope.pid, charged, async (under) => {
      const context = { signal: under.late.signal, pid: scope.pid, agent: scope.agent, model: name }
      const vectors: (readonly number[])[] = []
      for (const part of await partsOf(embedding, values)) {
        const tokens = tokensOfBytes(bytesOf(part))
        const result = await this.#ask(under, () => embedding.embed(part, context), tokens)
        bill.reported(readEmbeddingUsage(fieldOf(result, 'usage')))
        vectors.push(...readVectors(result, part.length))
      }
      const { inputTokens, isEstimated } = bill.usage
      return { vectors, usage: { tokens: inputTokens, ...(isEstimated && { estimated: true }) } }
    })
  }

  /** Everything around a call: how many there are, how long it takes, what it costs, how it fails. */
  async #call(
    { grant, name, bill }: Omit<Under, 'late'>,
    pid: number,
    { costs }: Charged,
    work: (under: Under) => Promise<Json>,
  ): Promise<Json> {
    const flying = this.#flying.get(pid) ?? 0
    if (flying >= limits.llmInFlightMax)
      throw new SyscallError('EAGAIN', `${flying} calls of models are in flight; await some of them first`)
    this.#flying.set(pid, flying + 1)
    const late = deadlineOf(this.#parts.clock, this.#parts.timeouts.wholeMs, grant.signal)
    // At once when the process ends: what it has used is counted then.
    const settle = (): void => {
      bill.close()
      costs(bill.record)
    }
    grant.signal.addEventListener('abort', settle, { once: true })
    try {
      const reply = await abortable(work({ grant, name, bill, late }), late.signal)
      return await this.#parts.withoutSecrets(reply)
    } catch (error) {
      throw await this.#told(error, { grant, name, bill, late })
    } finally {
      grant.signal.removeEventListener('abort', settle)
      late.cancel()
      settle()
      this.#landed(pid)
    }
  }

  #landed(pid: number): void {
    const flying = (this.#flying.get(pid) ?? 1) - 1
    if (flying === 0) this.#flying.delete(pid)
    else this.#flying.set(pid, flying)
  }

  /** @returns what the first request gives that does not fail; nothing of it has been looked at */
  async #ask(
    { bill, late, name }: Under,
    request: () => Promise<unknown>,
    inputTokens?: number,
  ): Promise<unknown> {
    const read = (thrown: unknown): Failure => readFailure(thrown, this.#parts.clock.now() / msPerSecond)
    const once = async (): Promise<unknown> => {
      bill.sent(inputTokens)
      try {
        return await request()
      } catch (error) {
        if (!late.signal.aborted && read(error).isFree) bill.free()
        throw new Thrown(error)
      }
    }
    try {
      return await attempt(once, {
        retries: this.#parts.retries,
        signal: late.signal,
        read: (thrown) => read(thrown instanceof Thrown ? thrown.cause : thrown),
      })
    } catch (error) {
      if (!(error instanceof Thrown) || late.signal.aborted) throw error
      this.#parts.onFailure(name, error.cause)
      const { code, reason } = read(error.cause)
      const times = bill.requests > 1 ? ` in ${bill.requests} requests` : ''
      throw new SyscallError(code, `${reason}${times}`)
    }
  }

  /** @returns the error for the agent: with what it costs, and without secrets */
  async #told(error: unknown, { grant, bill, late }: Under): Promise<unknown> {
    const told = (code: SyscallError['code'], reason: string): SyscallError =>
      new SyscallError(code, `${reason}; ${bill.told}`)
    if (grant.signal.aborted) return told('EINTR', 'ended by a signal before the reply was complete')
    if (late.isOver) return told('ETIMEDOUT', `the model took longer than ${this.#parts.timeouts.wholeMs} ms`)
    if (!(error instanceof SyscallError)) return error
    const message = String(await this.#parts.withoutSecrets(error.message))
    return told(error.code, message)
  }

  #get(name: string): Model {
    const { models } = this.#parts.opened
    const model = models.get(name)
    if (model !== undefined) return model
    const names = [...models.keys()]
    const hint =
      names.length === 0
        ? 'the application has given its kernel none (option `llm`)'
        : `did you mean \`${closest(name.slice(0, limits.modelNameMax), names)}\`?`
    throw new SyscallError('ENOENT', `there is no model \`${name.slice(0, limits.modelNameMax)}\`; ${hint}`)
  }
}

/** What a model threw, told from what the kernel itself did wrong. */
class Thrown extends Error {
  constructor(cause: unknown) {
    super('a model failed', { cause })
  }
}

export function usageJson({ inputTokens, outputTokens, isEstimated }: Usage): JsonObject {
  return {
    ...{ inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
    ...(isEstimated && { estimated: true }),
  }
}

async function partsOf(
  embedding: Embedding,
  values: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const most = Math.max(1, Math.min(values.length, await embedding.most()))
  return Array.from({ length: Math.ceil(values.length / most) }, (_, index) =>
    values.slice(index * most, (index + 1) * most),
  )
}
