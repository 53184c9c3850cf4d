/** An agent of `createAgent`, made again with one more middleware: the innermost, which sees what would run. */
import type { Reach } from './reach.ts'
import type { AgentLike } from './shapes.ts'

/** What `wrapToolCall` is handed; `tool` is what would run, one that another middleware has put in too. */
interface ToolCallRequest {
  readonly tool?: unknown
}

export class Agents {
  readonly #reach: Reach
  readonly #gate: object

  constructor(reach: Reach) {
    this.#reach = reach
    const wrapToolCall = (request: ToolCallRequest, handler: (request: ToolCallRequest) => unknown) =>
      handler(request.tool === undefined ? request : { ...request, tool: reach.of(request.tool) })
    this.#gate = { name: 'gatehouse', wrapToolCall }
  }

  /**
   * @returns an agent of the same class, with the same options and configuration
   * @throws KernelError EINVAL for a tool that is not sound
   */
  govern(agent: AgentLike): AgentLike {
    const { middleware = [], tools = [] } = agent.options
    // A copy that a governed agent has made of itself.
    if (middleware.includes(this.#gate)) return agent
    for (const tool of tools) this.#reach.of(tool)
    // Configuration is private to an agent, and handed on by its own `withConfig` alone.
    const copy = agent.withConfig({})
    copy.options = { ...agent.options, middleware: [...middleware, this.#gate] }
    return copy.withConfig({})
  }
}
