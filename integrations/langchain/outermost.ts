/** A chain, model, agent or graph, each of whose runs is one of the kernel: a process, or part of the one around it. */
import { KernelError } from 'gatehouse'
import type { Runs } from './runs.ts'
import { isModel } from './shapes.ts'

type Method = (...args: unknown[]) => unknown

/** What gives one answer. */
const once: ReadonlySet<PropertyKey> = new Set([
  ...['invoke', 'batch', 'call', 'generate', 'generatePrompt', 'predict', 'predictMessages'],
])
/** What gives a stream at once. */
const events: ReadonlySet<PropertyKey> = new Set(['streamEvents', 'streamLog', 'transform'])
/** What a model does without telling its callbacks. */
const unseen: ReadonlySet<PropertyKey> = new Set([
  ...['_generate', '_streamResponseChunks', '_streamChatModelEvents', '_call', 'streamV2'],
])

/**
 * @param target what runs
 * @param rewrap governs what its methods make of it: `bindTools`, `withConfig`, `pipe`, `withStructuredOutput`, …
 */
export function outermost(target: object, runs: Runs, rewrap: (value: unknown) => unknown): object {
  return new Proxy(target, {
    get(_, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return rewrap(value)
      const method = value as Method
      if (isModel(target) && unseen.has(key)) return () => refuse(String(key))
      if (once.has(key)) return (...args: unknown[]) => runs.once(target, method, args)
      if (key === 'stream') return (...args: unknown[]) => runs.stream(target, method, args)
      if (events.has(key))
        return (...args: unknown[]) => {
          const isNew = key === 'streamEvents' && isNewer(args[1], target)
          if (isNew && isModel(target)) return refuse('streamEvents` of version `v3')
          return isNew ? runs.stream(target, method, args) : runs.events(target, method, args)
        }
      if (key === 'constructor') return value
      return (...args: unknown[]) => rewrap(Reflect.apply(method, target, args))
    },
  })
}

/** Version 3 promises a run; models have it unless another is asked for. */
function isNewer(options: unknown, target: object): boolean {
  const { version } = (options ?? {}) as { readonly version?: unknown }
  return version === 'v3' || (version === undefined && isModel(target))
}

function refuse(what: string): never {
  throw new KernelError(
    'ENOSYS',
    `\`${what}\` of a model tells nobody what it does; use \`invoke\`, \`stream\` or \`streamEvents\` of version \`v2\``,
  )
}
