/** A reply as it is written: taken from the model as fast as it comes, so that what it costs is known, and given piece by piece. */
import type { Clock } from '../../clock.ts'
import { SyscallError } from '../../errors.ts'
import type { Json, JsonObject } from '../../json.ts'
import { limits } from '../../limits.ts'
import type { Redactor } from '../net/secrets/redactor.ts'
import type { Piece, Source } from '../streams/source.ts'
import type { ModelCall, ModelTimeouts } from './call.ts'
import {
  finishOf,
  nonsense,
  objectOf,
  omittedTypes,
  type ToolCall,
  textOf,
  tooLong,
  toolCallOf,
} from './reply.ts'
import { fieldOf, readUsage, usageJson } from './usage.ts'
import { Withheld } from './withheld.ts'

/** How a streamed reply was over, for the record. */
export interface StreamEnd {
  /** `closed`: its reader, or the end of its process, ended it in the middle. */
  readonly status: 'committed' | 'failed' | 'aborted'
  readonly error?: SyscallError
  /** What came of it, without secrets. */
  readonly reply: Json
  readonly cost: JsonObject
}

export interface ModelStreamParts {
  readonly call: ModelCall
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly timeouts: ModelTimeouts
  /** When the model was asked, by the clock that never goes back. */
  readonly startedAt: number
  readonly redactor: () => Redactor | undefined
  readonly withoutSecrets: (value: Json) => Promise<Json>
  readonly hasSchema: boolean
  /** Ends the model's request. */
  readonly abort: () => void
  /** Called once. */
  readonly over: (end: StreamEnd) => void
}

/** What says nothing that an agent gets. */
const silent: readonly string[] = [
  ...['stream-start', 'response-metadata', 'ping', 'raw', 'text-start', 'text-end', 'reasoning-start'],
  ...['reasoning-end', 'tool-input-start', 'tool-input-end', 'custom'],
]

type Delta = { readonly type: 'text' | 'reasoning'; readonly text: string }

export class ModelStream implements Source {
  readonly #parts: ModelStreamParts
  /** Come, and not given yet; texts that follow each other are one. */
  readonly #queue: (Delta | JsonObject)[] = []
  readonly #withheld: Readonly<Record<Delta['type'], Withheld>>
  #reply: { text: string; reasoning: string } = { text: '', reasoning: '' }
  readonly #toolCalls: Json[] = []
  readonly #omitted = new Set<string>()
  #bytes = 0
  /** Of arguments whose call is not complete. */
  #toolBytes = 0
  #failure: unknown
  #isOver = false
  #wake: () => void = () => {}
  #cancelTimer: () => void = () => {}

  /** @param parts of the reply, as the model writes them: believed in nothing */
  constructor(given: AsyncIterable<unknown>, parts: ModelStreamParts) {
    this.#parts = parts
    this.#withheld = { text: new Withheld(parts.redactor), reasoning: new Withheld(parts.redactor) }
    const { clock, timeouts, startedAt } = parts
    const { firstMs } = timeouts
    this.#wait(Math.max(1, firstMs - (clock.monotonic() - startedAt)), nothingIn(firstMs))
    parts.call.signal.addEventListener('abort', this.#aborted, { once: true })
    void this.#pump(given)
  }

  async next(): Promise<Piece | undefined> {
    while (this.#queue.length === 0 && !this.#isOver)
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
    const value = this.#queue.shift()
    if (value !== undefined) return { value }
    if (this.#failure !== undefined) throw this.#failure
    return undefined
  }

  close(): void {
    if (this.#isOver) return
    this.#queue.length = 0
    this.#end('aborted', new SyscallError('EINTR', 'closed before the reply was complete'))
  }

  readonly #aborted = (): void => {
    void this.#fail(new SyscallError('EINTR', 'ended before the reply was complete'))
  }

  async #pump(given: AsyncIterable<unknown>): Promise<void> {
    try {
      for await (const part of given) {
        if (this.#isOver) return
        await this.#take(part)
        if (this.#isOver) return
      }
      throw new SyscallError('EIO', "the model's server broke off before its reply was complete")
    } catch (error) {
      await this.#fail(error instanceof SyscallError ? error : this.#parts.call.failure(error))
    }
  }

  async #take(part: unknown): Promise<void> {
    const type = String(fieldOf(part, 'type'))
    if (silent.includes(type)) return
    const { idleMs } = this.#parts.timeouts
    this.#wait(idleMs, new SyscallError('ETIMEDOUT', `the model wrote nothing for ${idleMs} ms`))
    if (type === 'text-delta') return this.#text('text', this.#count(textOf(part, 'delta')))
    if (type === 'reasoning-delta') return this.#text('reasoning', this.#count(textOf(part, 'delta')))
    if (type === 'tool-input-delta') {
      this.#toolBytes += Buffer.byteLength(this.#count(textOf(part, 'delta')))
      return
    }
    if (type === 'tool-call' && fieldOf(part, 'providerExecuted') !== true) return this.#toolCall(part)
    if (type === 'tool-call' || omittedTypes.includes(type)) return void this.#omitted.add(type)
    if (type === 'error') throw fieldOf(part, 'error')
    if (type === 'finish') return this.#finish(part)
    throw nonsense('a part of no known type', part)
  }

  #count(text: string): string {
    const bytes = Buffer.byteLength(text)
    this.#bytes += bytes
    if (this.#bytes > limits.llmReplyBytesMax) throw tooLong()
    this.#parts.call.bill.received(bytes)
    return text.toWellFormed()
  }

  async #text(type: Delta['type'], text: string): Promise<void> {
    this.#give(type, await this.#withheld[type].take(text))
  }

  #give(type: Delta['type'], text: string): void {
    if (text === '' || this.#isOver) return
    this.#reply[type] += text
    const last = this.#queue.at(-1)
    if (last?.type === type) this.#queue.splice(-1, 1, { type, text: `${last.text}${text}` })
    else this.#queue.push({ type, text })
    this.#wake()
  }

  async #toolCall(part: unknown): Promise<void> {
    const input = textOf(part, 'input')
    this.#count(input.slice(0, Math.max(0, input.length - this.#toolBytes)))
    this.#toolBytes = 0
    const call = (await this.#parts.withoutSecrets(toolCallOf(part))) as ToolCall
    if (this.#isOver) return
    this.#toolCalls.push(call)
    this.#queue.push({ type: 'tool-call', ...call })
    this.#wake()
  }

  async #finish(part: unknown): Promise<void> {
    const { call, hasSchema } = this.#parts
    call.bill.reported(readUsage(fieldOf(part, 'usage')))
    await this.#flush()
    // What it reported may have used up the budget, and ended the process.
    if (this.#isOver) return
    this.#queue.push({
      ...{ type: 'finish', finishReason: finishOf(part), usage: usageJson(call.bill.usage) },
      ...(this.#omitted.size > 0 && { omitted: [...this.#omitted] }),
      ...(hasSchema && objectOf(this.#reply.text)),
    })
    this.#end('committed')
  }

  async #flush(): Promise<void> {
    for (const type of ['reasoning', 'text'] as const) this.#give(type, await this.#withheld[type].flush())
  }

  async #fail(error: unknown): Promise<void> {
    if (this.#isOver) return
    const told = await this.#parts.call.told(error)
    await this.#flush()
    if (this.#isOver) return
    this.#failure = told
    this.#end('failed', told instanceof SyscallError ? told : undefined)
  }

  #end(status: StreamEnd['status'], error?: SyscallError): void {
    const { call, over, abort } = this.#parts
    this.#isOver = true
    this.#cancelTimer()
    call.signal.removeEventListener('abort', this.#aborted)
    call.end()
    // Also after the end: whatever else the server would send is of no use.
    abort()
    const { text, reasoning } = this.#reply
    const reply = { text, ...(reasoning !== '' && { reasoning }), toolCalls: this.#toolCalls }
    over({ status, ...(error !== undefined && { error }), reply, cost: call.bill.record })
    this.#wake()
  }

  #wait(ms: number, why: SyscallError): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#parts.clock.after(ms, () => void this.#fail(why))
  }
}

/** Why a model that does not begin is left. */
export const nothingIn = (ms: number): SyscallError =>
  new SyscallError('ETIMEDOUT', `the model wrote nothing within ${ms} ms`)
