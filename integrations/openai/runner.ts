/** `runTools`: the client's own loop of model and functions, one process from its beginning to its end. */
import type { ToolResult, Wrapping } from 'gatehouse'

/** A tool as `runTools` takes it: plain, or as the helper `zodFunction` makes it. */
interface RunnerTool {
  readonly type: string
  readonly function?: {
    readonly name?: string
    readonly description?: string
    readonly parameters?: unknown
    readonly parse?: unknown
    readonly function?: RunnerFunction
  }
  readonly $callback?: RunnerFunction
}

type RunnerFunction = (args: unknown, ...more: unknown[]) => unknown

export interface RunnerBody {
  readonly tools: readonly RunnerTool[]
  readonly messages?: unknown
}

interface Runner {
  done(): Promise<void>
}

/**
 * @param run `runTools` of the client
 * @returns its runner; the process ends when that is done
 */
export function runTools(
  wrapping: Wrapping,
  body: RunnerBody,
  options: { readonly signal?: AbortSignal } = {},
  run: (body: RunnerBody, options: object) => unknown,
): unknown {
  const governed = wrapping.begin(body.messages)
  const { signal } = governed.session
  const both = options.signal === undefined ? signal : AbortSignal.any([options.signal, signal])
  try {
    const tools = body.tools.map((tool) => governedTool(tool, wrapping))
    const runner = governed.within(() => run({ ...body, tools }, { ...options, signal: both })) as Runner
    runner
      .done()
      .then(
        () => governed.end(),
        (error: unknown) => governed.fail(error),
      )
      .catch(() => undefined)
    return runner
  } catch (error) {
    void governed.fail(error)
    throw error
  }
}

/** Every member but the function is the tool's own, also one that is no member of its own. */
function governedTool(tool: RunnerTool, wrapping: Wrapping): RunnerTool {
  const { function: said, $callback } = tool
  const execute = $callback ?? said?.function
  if (said === undefined || execute === undefined) return tool
  const name = said.name ?? execute.name
  const wrapped = wrapping.tool({ name, description: said.description, schema: said.parameters ?? {} })
  const isText = $callback === undefined && typeof said.parse !== 'function'
  const governed: RunnerFunction = async (args, ...more) => {
    const result = await wrapped.call(isText ? readText(args) : args, (judged) =>
      execute(isText ? JSON.stringify(judged) : judged, ...more),
    )
    return answerOf(result)
  }
  const changed =
    $callback === undefined ? { function: { ...said, name, function: governed } } : { $callback: governed }
  const own = Object.entries(changed).map(([key, value]) => [key, { value, enumerable: key === 'function' }])
  return Object.defineProperties(
    Object.create(Object.getPrototypeOf(tool), Object.getOwnPropertyDescriptors(tool)),
    Object.fromEntries(own),
  )
}

/** What the model gets: what the function gave, or why it gave nothing. */
export const answerOf = (result: ToolResult): unknown =>
  result.ok ? result.value : `Error: ${result.message}`

/** The model may write what is no JSON: then that is judged, and fits no schema of an object. */
export function readText(args: unknown): unknown {
  try {
    return JSON.parse(String(args))
  } catch {
    return String(args)
  }
}
