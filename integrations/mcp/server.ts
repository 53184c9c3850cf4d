/** One server as a client sees it through the gate: its tools, their definitions, and what else can be asked of it. */
import {
  type CallToolResult,
  type ListToolsResult,
  ListToolsResultSchema,
  type Tool,
} from '@modelcontextprotocol/sdk/types.js'
import { KernelError, SyscallError, type ToolResult, type WrappedTool, type Wrapping } from 'gatehouse'
import { hashOf, PinBoard, type Pins } from './pins.ts'
import { plainSchema } from './schema.ts'

/** What the client asks the server, past the gate. */
export type Ask = (request: Request, schema: unknown, options?: object) => Promise<unknown>

export interface Request {
  readonly method: string
  readonly params?: Readonly<Record<string, unknown>> | undefined
}

export interface ServerOptions {
  /** How policies call it: letters, digits, `_`, `-`. */
  readonly name: string
  /** The definitions that are accepted, from `pinsOf`; without them those that are listed first. */
  readonly pins?: Pins
  /** Names of the tools that may be seen and called, `*` for any run of characters; all of them by default. */
  readonly scope?: readonly string[]
  /** What everything that comes from the server carries; `untrusted` by default. */
  readonly labels?: readonly string[]
}

const namePattern = /^[\w-]{1,24}$/
/** What is left of a name once it says whose tool it is. */
const toolPattern = /^[\w.-]{1,64}$/
const optionKeys = ['name', 'pins', 'scope', 'labels']
/** What changes nothing there, and hands nothing over. */
const free: ReadonlySet<string> = new Set([
  ...['initialize', 'ping', 'logging/setLevel', 'resources/list', 'resources/templates/list', 'prompts/list'],
])
/** What is judged as a call of a tool, by the name that policies know it by. */
const judged: ReadonlyMap<string, string> = new Map([
  ['resources/read', 'mcp-resource'],
  ['resources/subscribe', 'mcp-resource'],
  ['prompts/get', 'mcp-prompt'],
  ['completion/complete', 'mcp-completion'],
])

export class GovernedServer {
  readonly name: string
  readonly #wrapping: Wrapping
  readonly #ask: Ask
  readonly #labels: readonly string[]
  readonly #inScope: (tool: string) => boolean
  readonly #board: PinBoard
  /** Tools whose definitions are accepted, as they are now; undefined before they are known, and when they may have changed. */
  #tools: Map<string, WrappedTool> | undefined
  /** Definitions that were asked about → what came of it: nobody is asked twice. */
  readonly #asked = new Map<string, Promise<boolean>>()

  /** @throws KernelError EINVAL for options that are not sound */
  constructor(wrapping: Wrapping, ask: Ask, options: ServerOptions) {
    const { name, pins, scope, labels = ['untrusted'] } = options
    const unknown = Object.keys(options).find((key) => !optionKeys.includes(key))
    if (unknown !== undefined)
      throw new KernelError(
        'EINVAL',
        `\`${unknown}\` is no option of a client; there are ${optionKeys.join(', ')}`,
      )
    if (typeof name !== 'string' || !namePattern.test(name))
      throw new KernelError('EINVAL', 'the option `name` of a server is 1 to 24 letters, digits, `_`, `-`')
    this.name = name
    this.#wrapping = wrapping
    this.#ask = ask
    this.#labels = labels
    this.#inScope = scope === undefined ? () => true : anyOf(scope)
    this.#board = new PinBoard(pins)
  }

  /** What is accepted now. */
  get pins(): Pins {
    return this.#board.toJSON()
  }

  /** The server says that its tools have changed: they are looked at before the next call. */
  changed(): void {
    this.#tools = undefined
  }

  /** @throws KernelError ENOSYS for what the kernel does not know */
  async request(request: Request, schema: unknown, options?: object): Promise<unknown> {
    const { method, params = {} } = request
    if (method === 'tools/list') return this.#list(request, schema, options)
    if (method === 'tools/call') return this.#call(params, schema, options)
    if (free.has(method)) return this.#ask(request, schema, options)
    const kind = judged.get(method)
    if (kind === undefined)
      throw new KernelError(
        'ENOSYS',
        `\`${method}\`: the kernel cannot judge this request of MCP, and does not send it`,
      )
    const name = `${kind}:${this.name}`
    const labels = this.#labels
    const wrapped = this.#wrapping.tool({ name, description: method, labels })
    const { _meta, ...args } = params
    const result = await wrapped.call(args, (agreed, { signal }) =>
      this.#ask(
        { method, params: { ...(agreed as object), ...(_meta !== undefined && { _meta }) } },
        schema,
        {
          ...options,
          signal,
        },
      ),
    )
    if (result.ok) return given(result)
    throw new KernelError(result.code, result.message)
  }

  async #list(request: Request, schema: unknown, options?: object): Promise<unknown> {
    const page = (await this.#ask(request, schema, options)) as ListToolsResult
    const isWhole = request.params?.cursor === undefined && page.nextCursor === undefined
    const accepted = await this.#accepted(page.tools)
    if (isWhole) this.#hold(accepted)
    const names = new Set(accepted.map(({ name }) => name))
    return { ...page, tools: page.tools.filter(({ name }) => names.has(name)) }
  }

  async #call(
    params: Readonly<Record<string, unknown>>,
    schema: unknown,
    options?: object,
  ): Promise<unknown> {
    const { name, arguments: args = {}, ...rest } = params
    const wrapped = (await this.#known()).get(String(name)) ?? this.#missing(String(name))
    const result = await wrapped.call(args, (agreed, { signal }) =>
      this.#ask({ method: 'tools/call', params: { ...rest, name, arguments: agreed } }, schema, {
        ...options,
        signal: bothOf(options, signal),
      }),
    )
    return result.ok ? given(result) : refusal(result.message)
  }

  /** All pages of what the server offers now, as far as it is accepted. */
  async #known(): Promise<ReadonlyMap<string, WrappedTool>> {
    if (this.#tools !== undefined) return this.#tools
    const tools: Tool[] = []
    let cursor: string | undefined
    do {
      const request = { method: 'tools/list', ...(cursor !== undefined && { params: { cursor } }) }
      const page = (await this.#ask(request, ListToolsResultSchema)) as ListToolsResult
      tools.push(...page.tools)
      cursor = page.nextCursor
    } while (cursor !== undefined)
    return this.#hold(await this.#accepted(tools))
  }

  #hold(accepted: readonly WrappedDefinition[]): Map<string, WrappedTool> {
    this.#tools = new Map(accepted.map(({ name, wrapped }) => [name, wrapped]))
    this.#board.seen()
    return this.#tools
  }

  async #accepted(tools: readonly Tool[]): Promise<readonly WrappedDefinition[]> {
    const names = tools.map(({ name }) => name)
    const each = tools.map(async (tool) => {
      // Of two that have one name, nobody knows which the server means.
      const isOne = names.filter((name) => name === tool.name).length === 1
      if (!isOne || !toolPattern.test(tool.name) || !this.#inScope(tool.name)) return []
      return (await this.#isAccepted(tool)) ? this.#wrap(tool) : []
    })
    return (await Promise.all(each)).flat()
  }

  async #isAccepted(tool: Tool): Promise<boolean> {
    const change = this.#board.changeOf(tool)
    if (change === undefined) return true
    const hash = hashOf(tool)
    const known = this.#asked.get(hash)
    if (known !== undefined) return known
    const asked = this.#askAbout(tool, { ...change, hash })
    this.#asked.set(hash, asked)
    return asked
  }

  /** Whoever may judge a call judges what a tool has become: a rule that asks, asks a person, who is shown all of it. */
  async #askAbout(tool: Tool, change: object): Promise<boolean> {
    const name = `mcp-pin:${this.name}/${tool.name}`
    const { title, description, inputSchema, outputSchema, annotations } = tool
    const shown = { title, description, inputSchema, outputSchema, annotations }
    try {
      const pin = this.#wrapping.tool({ name, description: 'accepts what a tool of a server says of itself' })
      const result = await pin.call({ ...change, ...shown }, () => this.#board.accept(tool))
      return result.ok
    } catch (error) {
      if (error instanceof KernelError && error.code === 'EINVAL') return false
      throw error
    }
  }

  /** A tool whose name or schema is not sound is none. */
  #wrap(tool: Tool): readonly WrappedDefinition[] {
    const { name, description } = tool
    const labels = this.#labels
    try {
      const schema = plainSchema(tool.inputSchema)
      const definition = { name: `mcp:${this.name}/${name}`, description, schema, labels }
      return [{ name, wrapped: this.#wrapping.tool(definition) }]
    } catch (error) {
      if (error instanceof KernelError && error.code === 'EINVAL') return []
      throw error
    }
  }

  /** That it is refused is on record, under its name where that is one. */
  #missing(name: string): Pick<WrappedTool, 'call'> {
    const full = `mcp:${this.name}/${name}`
    const description = 'a tool whose definition is not accepted'
    const tool = this.#wrapping.tool({
      name: toolPattern.test(name) ? full : `mcp:${this.name}`,
      description,
    })
    const refuse = (): never => {
      throw new SyscallError(
        'EPERM',
        `the server \`${this.name}\` offers no such tool whose definition is accepted and in scope; a new or changed one is accepted where a rule permits \`mcp-pin:${this.name}/…\`, or a person does`,
      )
    }
    return { call: (args) => tool.call(args, refuse) }
  }
}

interface WrappedDefinition {
  readonly name: string
  readonly wrapped: WrappedTool
}

/** What a model reads as an error of the tool. */
const refusal = (text: string): CallToolResult => ({ isError: true, content: [{ type: 'text', text }] })

const given = (result: ToolResult & { readonly ok: true }): unknown =>
  result.returned === undefined ? result.value : result.returned

function bothOf(options: object | undefined, signal: AbortSignal): AbortSignal {
  const { signal: own } = (options ?? {}) as { readonly signal?: AbortSignal }
  return own === undefined ? signal : AbortSignal.any([own, signal])
}

function anyOf(patterns: readonly string[]): (name: string) => boolean {
  const tests = patterns.map((pattern) => {
    const parts = String(pattern)
      .split('*')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    return new RegExp(`^${parts.join('.*')}$`, 's')
  })
  return (name) => tests.some((test) => test.test(name))
}
