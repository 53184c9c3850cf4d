/** What LangChain calls a run, as a process of the kernel: the outermost one, and all that it calls, chains and agents within. */
import '@langchain/core/context'
import { getContextVariable, registerConfigureHook, setContextVariable } from '@langchain/core/context'
import { AsyncLocalStorageProviderSingleton } from '@langchain/core/singletons'
import { IterableReadableStream } from '@langchain/core/utils/stream'
import type { Session, WrappedRun, Wrapping } from 'gatehouse'
import { withSignal } from './config.ts'
import { Watch, watchHere, watchName } from './watch.ts'

type Method = (...args: never[]) => unknown

export class Runs {
  readonly #wrapping: Wrapping
  readonly #watches = new WeakMap<Session, Watch>()

  readonly #unseen: ReadonlySet<string>

  constructor(wrapping: Wrapping, unseen: ReadonlySet<string>) {
    this.#wrapping = wrapping
    this.#unseen = unseen
  }

  /** Runs a method that gives one answer; ends when the process does. */
  once(target: object, method: Method, [input, config, ...more]: readonly unknown[]): Promise<unknown> {
    return this.#wrapping.run(
      (session) =>
        this.#inside(session, () =>
          Reflect.apply(method, target, [input, ending(config, session.signal), ...more] as never[]),
        ),
      input,
    )
  }

  /** Runs a method that promises a stream. */
  async stream(target: object, method: Method, args: readonly unknown[]): Promise<unknown> {
    const run = this.#wrapping.begin(args[0])
    try {
      const stream = await run.outcome(Promise.resolve(this.#open(run, target, method, args)))
      return isIterable(stream)
        ? IterableReadableStream.fromAsyncGenerator(this.#drain(run, stream))
        : this.#follow(run, stream)
    } catch (error) {
      throw await run.fail(error)
    }
  }

  /** Runs a method that gives a stream at once; it begins when it is first read. */
  events(target: object, method: Method, args: readonly unknown[]): unknown {
    const begin = (): WrappedRun => this.#wrapping.begin(args[0])
    const open = (run: WrappedRun): unknown => this.#open(run, target, method, args)
    const drain = (run: WrappedRun, stream: AsyncIterable<unknown>) => this.#drain(run, stream)
    return IterableReadableStream.fromAsyncGenerator(
      (async function* () {
        const run = begin()
        yield* drain(run, open(run) as AsyncIterable<unknown>)
      })(),
    )
  }

  #open(
    run: WrappedRun,
    target: object,
    method: Method,
    [input, config, ...more]: readonly unknown[],
  ): unknown {
    const args = [input, ending(config, run.session.signal), ...more]
    return this.#inside(run.session, () => Reflect.apply(method, target, args as never[]))
  }

  async *#drain(run: WrappedRun, stream: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    const { session } = run
    const reader = this.#inside(session, () => stream[Symbol.asyncIterator]())
    let failed = false
    try {
      for (;;) {
        const next = await run.outcome(this.#inside(session, () => reader.next()))
        if (next.done) break
        // A process that is stopped gives nothing on.
        await session.untilRunning()
        this.#watchOf(session).assertWhole()
        yield next.value
      }
    } catch (error) {
      failed = true
      throw await run.fail(error)
    } finally {
      // Whoever stops reading ends it too. What it throws while it is closed is what it has thrown before.
      await this.#inside(session, async () => reader.return?.()).catch(() => undefined)
      if (!failed) await run.end()
    }
  }

  /** A run of LangGraph’s newer kind says by a promise when it is over. */
  #follow(run: WrappedRun, stream: unknown): unknown {
    const { output } = stream as { readonly output?: unknown }
    Promise.resolve(output).then(
      () => run.end(),
      (error: unknown) => run.fail(error),
    )
    return stream
  }

  /** The watch is a hook of LangChain itself: it is told of all models and tools in here, also of those called with callbacks of their own. */
  #inside<T>(session: Session, work: () => T): T {
    return session.within(() =>
      inContextOfItsOwn(() => {
        if (watchHere()?.session !== session) {
          if (getContextVariable(watchName) === undefined) registerConfigureHook({ contextVar: watchName })
          setContextVariable(watchName, this.#watchOf(session))
        }
        return work()
      }),
    )
  }

  #watchOf(session: Session): Watch {
    const known = this.#watches.get(session)
    if (known !== undefined) return known
    const watch = new Watch(session, this.#wrapping, this.#unseen)
    this.#watches.set(session, watch)
    return watch
  }
}

/** What `work` makes of LangChain's context stays within it: Node.js 22 begins none for the store that is there already. */
function inContextOfItsOwn<T>(work: () => T): T {
  const storage = AsyncLocalStorageProviderSingleton.getInstance()
  const store = storage.getStore()
  return storage.run({}, () => storage.run(store, work))
}

/** A batch may have a configuration for each of its inputs; stop words are none. */
function ending(config: unknown, signal: AbortSignal): unknown {
  if (Array.isArray(config))
    return config.map((each) => (typeof each === 'object' ? withSignal(each, signal) : each))
  return withSignal(config as object | undefined, signal)
}

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  value instanceof ReadableStream && Symbol.asyncIterator in value
