/** One call of a wrapped model: judged and metered before, on record before and after, held and ended like any call. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ModelRun, ModelRunContext, ModelUsage } from '../drivers/llm/wrapped.ts'
import { SyscallError } from '../errors.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { Channel } from './channel.ts'
import { messageOf, readOnce } from './plain.ts'
import type { Session } from './session.ts'

/** What a model is asked, as its framework says it. */
export interface ModelAsk {
  /** `provider/model`: by that policies, prices and the record know it. */
  readonly model: string
  /** JSON, of which members that are undefined are left out. */
  readonly prompt: unknown
  /** Tokens that the reply may have, where the framework says; so many are set aside. */
  readonly tokensMax?: number | undefined
  /** Names of the tools that the model may ask for. */
  readonly tools?: readonly string[] | undefined
}

/** What of a reply goes on record and is charged. */
export interface ModelSaid {
  /** JSON. */
  readonly value: unknown
  /** Tokens as the provider counts them; estimated where it does not say. */
  readonly usage?: ModelUsage | undefined
}

export interface ModelContext {
  /** Aborts when the process has ended or the time is over. */
  readonly signal: AbortSignal
  /** What it is asked, as it was judged: a copy of its own. */
  readonly prompt: Json
  /** Whether a rule takes data out of the reply: then nothing of it may be given away before it is whole. */
  readonly redacts: boolean
}

/** A whole reply, as it came back through the gate. */
export interface ModelReply<T> {
  readonly value: Json
  /** What the model itself returned, where nothing was taken out of it on the way; undefined otherwise. */
  readonly returned: T | undefined
}

interface Done<T> {
  returned?: T
  encoded?: string
  threw?: { readonly error: unknown; readonly text: string }
}

/**
 * @param read what of the reply goes on record and is charged
 * @throws KernelError for a refusal, and when the process has ended; what the model itself threw
 */
export async function callModel<T>(
  session: Session,
  ask: ModelAsk,
  execute: (context: ModelContext) => T | Promise<T>,
  read: (returned: T) => ModelSaid,
): Promise<ModelReply<T>> {
  const done: Done<T> = {}
  const asCaller = AsyncLocalStorage.snapshot()
  const wrapped = promptOf(session, ask)
  const value = await asked(session, { ...ask, wrapped }, done, async (context) => {
    const returned = await asCaller(() =>
      session.within(async () => execute({ ...given(context), prompt: structuredClone(wrapped) })),
    )
    const { value, usage } = read(returned)
    const whole = soundly(value)
    done.returned = returned
    done.encoded = JSON.stringify(whole)
    return { value: whole, usage }
  })
  return { value, returned: JSON.stringify(value) === done.encoded ? done.returned : undefined }
}

const given = ({ signal, isLookedThrough }: ModelRunContext): Omit<ModelContext, 'prompt'> => ({
  signal,
  redacts: isLookedThrough,
})

/**
 * The same of a reply that comes in parts: each is given on as it comes, and waits while the process is stopped.
 * @param read what of a part is its tokens, where it says any, and what of all parts together goes on record
 * @returns the parts, once the call is admitted; that the reply is on record before the last one is read
 * @throws KernelError for a refusal, also where a rule takes data out of replies: a part of one cannot be looked through
 */
export async function streamModel<Part>(
  session: Session,
  ask: ModelAsk,
  execute: (context: ModelContext) => AsyncIterable<Part> | Promise<AsyncIterable<Part>>,
  read: {
    readonly usage: (part: Part) => ModelUsage | undefined
    readonly value: (parts: readonly Part[]) => unknown
  },
): Promise<AsyncGenerator<Part, void, void>> {
  const done: Done<never> = {}
  const channel = new Channel<Part>()
  const begun = Promise.withResolvers<void>()
  const asCaller = AsyncLocalStorage.snapshot()
  const wrapped = promptOf(session, ask)
  const run: ModelRun = async (context) => {
    if (context.isLookedThrough)
      throw new SyscallError(
        'EPERM',
        'a rule with `redact` looks through whole replies; ask without streaming',
      )
    const source = await asCaller(() =>
      session.within(async () => execute({ ...given(context), prompt: structuredClone(wrapped) })),
    )
    begun.resolve()
    const parts: Part[] = []
    let usage: ModelUsage | undefined
    for await (const part of source) {
      usage = read.usage(part) ?? usage
      const bytes = JSON.stringify(part)?.length ?? 0
      context.received(bytes)
      if (parts.length < limits.llmPartsKept) parts.push(part)
      await session.untilRunning()
      if (context.signal.aborted || !(await channel.give(part))) break
    }
    return { value: soundly(read.value(parts)), usage }
  }
  const over = asked(session, { ...ask, wrapped }, done, run).then(
    () => channel.end(),
    (error: unknown) => channel.end(error),
  )
  await Promise.race([begun.promise, over])
  if (channel.failed !== undefined) throw channel.failed.error
  return channel.read(over)
}

/** @throws KernelError EINVAL for what is no JSON */
function promptOf(session: Session, { prompt }: ModelAsk): Json {
  const read = readOnce(prompt, 'prompt')
  if (read instanceof SyscallError) throw session.errorOf(read)
  return read
}

/** @throws KernelError, or what the model threw */
async function asked(
  session: Session,
  { model, wrapped, tokensMax, tools = [] }: ModelAsk & { readonly wrapped: Json },
  done: Done<unknown>,
  run: ModelRun,
): Promise<Json> {
  const call = {
    wrapped,
    ...(tokensMax !== undefined && { tokensMax }),
    ...(tools.length > 0 && { tools: [...new Set(tools)].map((name) => ({ name, parameters: {} })) }),
  }
  const reply = await session.callModel(model, call, async (context) => {
    try {
      return await run(context)
    } catch (error) {
      if (error instanceof SyscallError) throw error
      const told = new SyscallError('EIO', messageOf('the model', error))
      done.threw = { error, text: told.message }
      throw told
    }
  })
  if ('ok' in reply) return reply.ok
  // As it was, where nothing was taken out of what it says: frameworks know their own errors, and try again by them.
  if (done.threw !== undefined && reply.error.message.includes(done.threw.text)) throw done.threw.error
  throw session.errorOf(reply.error)
}

function soundly(value: unknown): Json {
  const read = readOnce(value, 'reply')
  if (read instanceof SyscallError) throw read
  return read
}
