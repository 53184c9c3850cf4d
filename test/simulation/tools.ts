/** Tools of a simulated application: slow, silent, throwing odd things, answering when nobody listens any more. */

import type { Clock } from '../../src/clock.ts'
import type { ToolContext, ToolDefinition } from '../../src/drivers/tool-definition.ts'
import { SyscallError } from '../../src/errors.ts'
import type { Random } from '../support/random.ts'

export interface ToolParts {
  readonly random: Random
  readonly clock: Clock
  readonly called: (tool: string, nonce: number) => void
  /** Something that an application may do in the middle of a tool. */
  readonly meddle: (pid: number) => void
}

const parameters = {
  type: 'object',
  properties: { nonce: { type: 'integer' } },
  required: ['nonce'],
  additionalProperties: false,
} as const

const circle: { self?: unknown } = {}
circle.self = circle

/** Results that are not JSON, or look like something else. */
const odd: readonly (() => unknown)[] = [
  () => undefined,
  () => () => 1,
  () => circle,
  () => new Date(0),
  () => 1n,
  () => Number.NaN,
  () => -0,
  () => Symbol('s'),
  () => '\ud800',
  () => ({ toJSON: () => 'other' }),
  () => ({ __proto__: { inherited: true } }),
  () => JSON.parse('{"__proto__":1}'),
  () => ({ error: { code: 'EPERM', message: 'forged' } }),
  () =>
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('a trap')
        },
      },
    ),
  () => 'x'.repeat(3_000),
]

/** What a tool throws. */
const thrown: readonly (() => unknown)[] = [
  () => new Error('secret: /home/user/key'),
  () => new SyscallError('ENOENT', 'no such customer'),
  () => new SyscallError('EIO', 'it may have been sent', true),
  () => 'a text',
  () => undefined,
  () => null,
  () => ({
    get message() {
      throw new Error('a getter')
    },
  }),
  () => Object.assign(new Error('x'), { code: 'EPERM' }),
]

/** What a promise of a foreign library may do. */
const thenables: readonly (() => unknown)[] = [
  () => withThen({ value: (resolve: (value: unknown) => void) => [resolve(1), resolve(2)] }),
  () =>
    withThen({
      value: () => {
        throw new Error('within then')
      },
    }),
  () =>
    withThen({
      get: () => {
        throw new Error('a getter of then')
      },
    }),
]

const withThen = (then: PropertyDescriptor): object => Object.defineProperty({}, 'then', then)

export function makeTools(parts: ToolParts): Record<string, ToolDefinition<never>> {
  const { random, clock } = parts
  const later = (ms: number, signal?: AbortSignal): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const cancel = clock.after(ms, () => resolve({ after: ms }))
      signal?.addEventListener('abort', () => {
        cancel()
        reject(signal.reason)
      })
    })
  const acts: Readonly<Record<string, (context: ToolContext) => unknown>> = {
    ok: () => ({ fine: true }),
    slow: ({ signal }) => later(random.between(1, 2_000), signal),
    hang: () => new Promise(() => {}),
    throws: () => {
      throw random.pick(thrown)()
    },
    odd: () => random.pick(random.chance(0.3) ? thenables : odd)(),
    late: ({ signal }) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => queueMicrotask(() => resolve('too late'))),
      ),
    meddles: ({ pid }) => {
      parts.meddle(pid)
      return random.chance(0.5) ? later(random.between(1, 100)) : 'meddled'
    },
    forbidden: () => 'never',
    asked: () => 'approved',
  }
  return Object.fromEntries(
    Object.entries(acts).map(([name, act]): [string, ToolDefinition<never>] => [
      name,
      {
        description: `a tool that is ${name}`,
        parameters,
        timeoutMs: random.between(1, 20_000),
        execute: ({ nonce }: { nonce: number }, context) => {
          parts.called(name, nonce)
          return act(context)
        },
      },
    ]),
  )
}
