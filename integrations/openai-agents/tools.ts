/** Function tools of the OpenAI Agents SDK, governed; all others run where the kernel sees nothing of them. */
import type { FunctionTool, Tool } from '@openai/agents'
import { KernelError, type WrappedTool, type Wrapping } from 'gatehouse'

type Invoke = FunctionTool['invoke']
type Details = Parameters<Invoke>[2]

export class Tools {
  readonly #wrapping: Wrapping
  readonly #unseen: ReadonlySet<string>
  readonly #governed = new WeakMap<object, Tool>()
  /** Made of agents that are governed, and so governed inside. */
  readonly #ofAgents = new WeakSet<object>()
  /** Tools of MCP servers are new objects at each turn. */
  readonly #wrapped = new Map<string, WrappedTool>()

  constructor(wrapping: Wrapping, unseen: readonly string[]) {
    this.#wrapping = wrapping
    this.#unseen = new Set(unseen)
  }

  /** @returns a tool of a governed agent, which may be given to other agents */
  ofAgent<T extends object>(tool: T): T {
    this.#ofAgents.add(tool)
    return tool
  }

  /**
   * @returns the same tool; a refused call gives the model the reason as its output
   * @throws KernelError EPERM for a tool that does not pass through here when it is called; EINVAL for one that is not sound
   */
  govern(tool: Tool): Tool {
    const known = this.#governed.get(tool)
    if (known !== undefined) return known
    const governed = tool.type === 'function' ? this.#function(tool) : this.#other(tool)
    this.#governed.set(tool, governed)
    this.#governed.set(governed, governed)
    return governed
  }

  #function(tool: FunctionTool): FunctionTool {
    // What an agent's `asTool` makes has events of that agent; its tools are out of sight from here.
    if ('on' in tool && !this.#ofAgents.has(tool))
      throw new KernelError(
        'EPERM',
        `tool \`${tool.name}\` runs an agent that is not wrapped; make it of the wrapped one: \`gatehouse.wrap(agent).asTool(…)\``,
      )
    const wrapped = this.#wrap(tool)
    const invoke: Invoke = async (context, input, details) => {
      const result = await wrapped.call(
        argumentsOf(input),
        (args, { signal }) => tool.invoke(context, JSON.stringify(args), ending(details, signal)),
        (returned) => JSON.parse(JSON.stringify(returned) ?? 'null'),
      )
      if (!result.ok) return result.message
      return result.returned === undefined ? result.value : result.returned
    }
    return { ...tool, invoke }
  }

  #wrap({ name, description, parameters }: FunctionTool): WrappedTool {
    const key = JSON.stringify([name, description, parameters])
    const known = this.#wrapped.get(key)
    if (known !== undefined) return known
    const wrapped = this.#wrapping.tool({ name, description, schema: parameters })
    this.#wrapped.set(key, wrapped)
    return wrapped
  }

  #other(tool: Exclude<Tool, FunctionTool>): Tool {
    if (this.#unseen.has(tool.name)) return tool
    const where =
      tool.type === 'hosted_tool' ? 'is run by the provider of the model' : 'is run by the SDK itself'
    throw new KernelError(
      'EPERM',
      `tool \`${tool.name}\` ${where}, where no call of it passes the kernel; make it a function tool, or accept it by the option \`unseen: ['${tool.name}']\``,
    )
  }
}

/** The SDK knows the details of a call by the object that they are. */
function ending(details: Details, signal: AbortSignal): Details {
  if (details === undefined) return { signal } as Details
  const both = details.signal === undefined ? signal : AbortSignal.any([details.signal, signal])
  return Object.assign(details, { signal: both })
}

/** A model may send anything; what is no JSON is judged, and refused, as the text that it is. */
export function argumentsOf(input: string): unknown {
  try {
    return input === '' ? {} : JSON.parse(input)
  } catch {
    return input
  }
}
