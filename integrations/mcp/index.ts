/** Tools of MCP servers under a kernel: each call passes the gate, and what a tool says of itself is held to what was accepted. */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { checkFramework, KernelError, type KernelSpace, type WrapOptions, type Wrapping } from 'gatehouse'
import { type Ask, GovernedServer, type Request, type ServerOptions } from './server.ts'

export type { Pins } from './pins.ts'
export type { ServerOptions } from './server.ts'

const tested = { name: '@modelcontextprotocol/sdk', from: '1.32.0', below: '2.0.0' } as const

type Handler = (notification: unknown) => unknown

export class McpKernel {
  readonly #wrapping: Wrapping
  readonly #servers = new WeakMap<object, GovernedServer>()

  /** @throws KernelError EINVAL for options that are not sound */
  constructor(kernel: KernelSpace, options: WrapOptions = {}) {
    const version = checkFramework(tested, import.meta.url)
    this.#wrapping = kernel.wrapping({ name: 'mcp', framework: { name: tested.name, version }, ...options })
  }

  /**
   * @param client not connected yet, so that it hears of changes through the gate
   * @returns the same client. `listTools` gives what is accepted and in scope; a refused `callTool` gives a result with
   *   `isError`, which the model can read
   * @throws KernelError EINVAL for options that are not sound, and for a client that listens to changes already
   */
  wrap<C extends Client>(client: C, options: ServerOptions): C {
    const listens = (client as unknown as { _notificationHandlers?: Map<string, unknown> })
      ._notificationHandlers
    if (client.transport !== undefined && listens?.has('notifications/tools/list_changed'))
      throw new KernelError(
        'EINVAL',
        'this client is connected, and hears of changed tools past the gate; wrap it first',
      )
    const ask = client.request.bind(client) as unknown as Ask
    const server = new GovernedServer(this.#wrapping, ask, options)
    const listener = new Listener(client, server)
    const members: Readonly<Record<string, unknown>> = {
      request: (request: Request, schema: unknown, how?: object) => server.request(request, schema, how),
      requestStream: () => refuseTasks(),
      setNotificationHandler: listener.set,
    }
    const wrapped = new Proxy(client, {
      get(target, key, receiver) {
        if (key === 'experimental') return refuseTasks()
        if (typeof key === 'string' && Object.hasOwn(members, key)) return members[key]
        return Reflect.get(target, key, receiver)
      },
    })
    this.#servers.set(wrapped, server)
    return wrapped
  }

  /**
   * @param client as `wrap` gave it
   * @returns the hash of each definition that is accepted now: to be kept, looked at in a review, and given as `pins`
   * @throws KernelError EINVAL for any other client
   */
  pinsOf(client: Client): GovernedServer['pins'] {
    const server = this.#servers.get(client)
    if (server === undefined) throw new KernelError('EINVAL', 'this client was not wrapped here')
    return server.pins
  }
}

/** Hears that the tools have changed before the application does. */
class Listener {
  #own: Handler | undefined
  readonly #client: Client

  constructor(client: Client, server: GovernedServer) {
    this.#client = client
    client.setNotificationHandler(ToolListChangedNotificationSchema, async (notification) => {
      server.changed()
      await this.#own?.(notification)
    })
  }

  readonly set = (schema: unknown, handler: Handler): void => {
    if (schema === ToolListChangedNotificationSchema) this.#own = handler
    else
      this.#client.setNotificationHandler(
        schema as typeof ToolListChangedNotificationSchema,
        handler as never,
      )
  }
}

function refuseTasks(): never {
  throw new KernelError('ENOSYS', 'tasks of MCP do not pass the gate, and are not sent; use `callTool`')
}
