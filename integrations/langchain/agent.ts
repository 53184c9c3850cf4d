/** An agent of `createAgent`, made again with one more middleware: the innermost, which sees what would run. */
import type { Reach } from './reach.ts'
import type { AgentLike } from './shapes.ts'

/** What `wrapToolCall` is handed; `tool` is what would run, one that another middleware has put in too. */
interface ToolCallRequest {
  readonly tool?: unknown
}

/** @returns an agent of the same class, with the same options and configuration */
export function governAgent(agent: AgentLike, reach: Reach): AgentLike {
  const gate = {
    name: 'gatehouse',
    wrapToolCall: (request: ToolCallRequest, handler: (request: ToolCallRequest) => unknown) =>
      handler(request.tool === undefined ? request : { ...request, tool: reach.of(request.tool) }),
  }
  // A schema that is not sound is refused now, and not when a model calls the tool.
  for (const tool of agent.options.tools ?? []) reach.of(tool)
  // Configuration is private to an agent, and handed on by its own `withConfig` alone.
  const copy = agent.withConfig({})
  copy.options = { ...agent.options, middleware: [...(agent.options.middleware ?? []), gate] }
  return copy.withConfig({})
}
