/** Models as agents reach them: one granted prompt, metered, timed, and read with no belief in the answer. */
import { closest } from 'fastest-levenshtein'
import { SyscallError } from '../../errors.ts'
import { Grant, type GrantScope } from '../../grant.ts'
import type { Json } from '../../json.ts'
import { type Labels, noLabels } from '../../labels.ts'
import { limits } from '../../limits.ts'
import type { Amounts, Metered } from '../../proc/meter.ts'
import { Expected } from '../expected.ts'
import { abortable } from '../net/resolve.ts'
import type { Redactor } from '../net/secrets/redactor.ts'
import { type CallParts, type Charged, ModelCall } from './call.ts'
import { Metering } from './metering.ts'
import type { Embedding, Language, Model, Prompt } from './model.ts'
import type { OpenedModels } from './open.ts'
import { nonsense, readReply, readVectors, replyJson } from './reply.ts'
import { ModelStream, nothingIn, type StreamEnd } from './stream.ts'
import {
  bytesOf,
  fieldOf,
  readEmbeddingUsage,
  readPlainUsage,
  readUsage,
  tokensOfBytes,
  tokensOfPrompt,
  usageJson,
} from './usage.ts'
import type { ModelRun, ModelRunContext } from './wrapped.ts'

export interface LlmDriverParts extends CallParts {
  readonly opened: OpenedModels
  /** What takes the kernel's secrets out of a text in pieces. */
  readonly redactor: () => Redactor | undefined
}

export type LlmDoor = 'llm.generate' | 'llm.stream' | 'llm.embed'

export class LlmDriver {
  readonly metering: Metering
  /** What calls of wrapped models are to run. */
  readonly wrapped = new Expected<ModelRun>()
  readonly #parts: LlmDriverParts
  /** By pid: calls and streams under way. */
  readonly #flying = new Map<number, number>()

  constructor(parts: LlmDriverParts) {
    this.#parts = parts
    this.metering = new Metering(parts.opened.prices)
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
   * @param grant for `door` on the model's name
   * @returns text, calls of tools, why it ended, and the tokens
   * @throws SyscallError EACCES, EAGAIN, ECONNREFUSED, EFBIG, EHOSTUNREACH, EINTR, EINVAL, EIO, EPERM, ETIMEDOUT, with
   *   the tokens that are charged
   */
  async generate(
    door: 'llm.generate' | 'llm.stream',
    grant: Grant,
    name: string,
    prompt: Prompt,
    charged: Charged,
  ): Promise<Json> {
    const scope = Grant.demand(grant, door, name)
    const language = this.#languageOf(name)
    return this.#whole(scope, name, { grant, charged, inputTokens: tokensOfPrompt(prompt) }, async (call) => {
      const context = { ...who(scope, name), signal: call.signal }
      const result = await call.ask(() => language.generate(prompt, context))
      const usage = readUsage(fieldOf(result, 'usage'))
      call.bill.reported(usage)
      const reply = readReply(result, usage === undefined ? (bytes) => call.bill.received(bytes) : () => {})
      return { ...replyJson(reply, prompt.schema !== undefined), usage: usageJson(call.bill.usage) }
    })
  }

  /**
   * Asks a model for its reply as it writes it.
   * @param over is told how that ended, once
   * @returns when the model's server has begun to answer: a source of the parts
   * @throws SyscallError as generate; what comes later, the source fails with
   */
  async open(
    grant: Grant,
    name: string,
    prompt: Prompt,
    charged: Charged,
    over: (end: StreamEnd) => void,
  ): Promise<ModelStream> {
    const scope = Grant.demand(grant, 'llm.stream', name)
    const language = this.#languageOf(name)
    this.#takeOff(scope.pid)
    const call = new ModelCall(this.#parts, this.metering, name, {
      ...{ grant, charged, inputTokens: tokensOfPrompt(prompt) },
    })
    const { clock, timeouts, redactor, withoutSecrets } = this.#parts
    const controller = new AbortController()
    const abort = (): void => controller.abort()
    call.signal.addEventListener('abort', abort, { once: true })
    // The time until the first part begins with the request.
    const startedAt = clock.monotonic()
    const cancelFirst = clock.after(timeouts.firstMs, () => controller.abort(nothingIn(timeouts.firstMs)))
    const landed = (): void => {
      cancelFirst()
      call.signal.removeEventListener('abort', abort)
      this.#landed(scope.pid)
    }
    try {
      const context = { ...who(scope, name), signal: controller.signal }
      const parts = await abortable(
        call.ask(() => language.stream(prompt, context), { signal: controller.signal }),
        controller.signal,
      )
      cancelFirst()
      if (typeof (parts as Partial<AsyncIterable<unknown>>)?.[Symbol.asyncIterator] !== 'function')
        throw nonsense('something that is no stream', undefined)
      return new ModelStream(parts, {
        ...{ call, clock, timeouts, redactor, withoutSecrets, abort, startedAt },
        hasSchema: prompt.schema !== undefined,
        over: (end) => {
          landed()
          over(end)
        },
      })
    } catch (error) {
      abort()
      landed()
      const told = await call.told(error)
      call.end()
      throw told
    }
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
    charged: Charged & Pick<ModelRunContext, 'isLookedThrough'>,
    run: ModelRun,
  ): Promise<Json> {
    const scope = Grant.demand(grant, 'llm.generate', name)
    return this.#whole(scope, name, { grant, charged, inputTokens: tokensOfPrompt(prompt) }, async (call) => {
      call.bill.sent()
      const received = (bytes: number): void => call.bill.received(bytes)
      const { isLookedThrough } = charged
      const { value, usage } = await run({
        ...who(scope, name),
        signal: call.signal,
        isLookedThrough,
        received,
      })
      const told = readPlainUsage(usage)
      if (told === undefined) received(bytesOf(value))
      call.bill.reported(told)
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
    return this.#whole(scope, name, { grant, charged, inputTokens: 0 }, async (call) => {
      const context = { ...who(scope, name), signal: call.signal }
      const vectors: (readonly number[])[] = []
      for (const part of await partsOf(embedding, values)) {
        const tokens = tokensOfBytes(bytesOf(part))
        const result = await call.ask(() => embedding.embed(part, context), { inputTokens: tokens })
        call.bill.reported(readEmbeddingUsage(fieldOf(result, 'usage')))
        vectors.push(...readVectors(result, part.length))
      }
      const { inputTokens, isEstimated } = call.bill.usage
      return { vectors, usage: { tokens: inputTokens, ...(isEstimated && { estimated: true }) } }
    })
  }

  async #whole(
    { pid }: GrantScope,
    name: string,
    given: { readonly grant: Grant; readonly charged: Charged; readonly inputTokens: number },
    work: (call: ModelCall) => Promise<Json>,
  ): Promise<Json> {
    this.#takeOff(pid)
    const call = new ModelCall(this.#parts, this.metering, name, given)
    try {
      const reply = await abortable(work(call), call.signal)
      return await this.#parts.withoutSecrets(reply)
    } catch (error) {
      throw await call.told(error)
    } finally {
      call.end()
      this.#landed(pid)
    }
  }

  /** @throws SyscallError EAGAIN */
  #takeOff(pid: number): void {
    const flying = this.#flying.get(pid) ?? 0
    if (flying >= limits.llmInFlightMax)
      throw new SyscallError('EAGAIN', `${flying} calls of models are in flight; await some of them first`)
    this.#flying.set(pid, flying + 1)
  }

  #landed(pid: number): void {
    const flying = (this.#flying.get(pid) ?? 1) - 1
    if (flying === 0) this.#flying.delete(pid)
    else this.#flying.set(pid, flying)
  }

  #languageOf(name: string): Language {
    this.check('llm.generate', name)
    return this.#get(name).language as Language
  }

  #get(name: string): Model {
    const { models } = this.#parts.opened
    const model = models.get(name)
    if (model !== undefined) return model
    const names = [...models.keys()]
    const shown = name.slice(0, limits.modelNameMax)
    const hint =
      names.length === 0
        ? 'the application has given its kernel none (option `llm`)'
        : `did you mean \`${closest(shown, names)}\`?`
    throw new SyscallError('ENOENT', `there is no model \`${shown}\`; ${hint}`)
  }
}

const who = ({ pid, agent }: GrantScope, model: string) => ({ pid, agent, model })

async function partsOf(
  embedding: Embedding,
  values: readonly string[],
): Promise<readonly (readonly string[])[]> {
  const most = Math.max(1, Math.min(values.length, await embedding.most()))
  return Array.from({ length: Math.ceil(values.length / most) }, (_, index) =>
    values.slice(index * most, (index + 1) * most),
  )
}
