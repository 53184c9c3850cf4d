/** Reaches the tools inside chains and compiled graphs: the same structure, in which every tool is a governed one. */
import { KernelError } from 'gatehouse'
import {
  type GraphLike,
  isGraph,
  isModel,
  isPlain,
  isRunnable,
  isTool,
  isToolNode,
  type NodeLike,
  type ToolLike,
  type ToolNodeLike,
} from './shapes.ts'

/** What LangChain keeps for serialising only. */
const notStructure: ReadonlySet<PropertyKey> = new Set(['lc_kwargs', 'lc_namespace', 'lc_serializable'])

export class Reach {
  readonly #govern: (tool: ToolLike) => ToolLike
  /** What was reached → what stands for it; that stands for itself. */
  readonly #known = new WeakMap<object, object>()
  /** A structure may hold itself. */
  readonly #underWay = new Set<object>()

  /** @param govern gives the tool that asks the kernel before the given one runs */
  constructor(govern: (tool: ToolLike) => ToolLike) {
    this.#govern = govern
  }

  /**
   * @returns the same for what holds no tools, and the same again for the same
   * @throws KernelError EINVAL for a tool that is not sound, and for what tools are in that cannot be reached
   */
  of<T>(value: T): T {
    if (typeof value !== 'object' || value === null) return value
    if (this.#known.has(value)) return this.#known.get(value) as T
    if (this.#underWay.has(value)) return value
    this.#underWay.add(value)
    try {
      const reached = this.#reach(value)
      if (reached !== value && isRunnable(value)) this.#remember(value, reached)
      return reached as T
    } finally {
      this.#underWay.delete(value)
    }
  }

  /** A list of tools, governed as they are taken from it: those too that are put into it later. */
  list<T>(tools: readonly T[]): T[] {
    const known = this.#known.get(tools)
    if (known !== undefined) return known as T[]
    for (const tool of tools) this.of(tool)
    const live = new Proxy(tools as T[], {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key)
        return isRunnable(value) ? this.of(value) : value
      },
    })
    this.#remember(tools, live)
    return live
  }

  #remember(original: object, reached: object): void {
    this.#known.set(original, reached)
    this.#known.set(reached, reached)
  }

  #reach(value: object): object {
    if (isTool(value)) return this.#govern(value)
    if (isModel(value)) return value
    if (isGraph(value)) return this.#graph(value)
    if (isToolNode(value)) return this.#toolNode(value)
    if (isRunnable(value)) return this.#view(value)
    if (!Array.isArray(value) && !isPlain(value)) return value
    const items = Object.entries(value).map(([key, item]) => [key, item, this.of(item)] as const)
    if (items.every(([, item, reached]) => item === reached)) return value
    const copy = items.map(([key, , reached]) => [key, reached] as const)
    return Array.isArray(value) ? copy.map(([, reached]) => reached) : Object.fromEntries(copy)
  }

  /** A chain of any kind holds its parts in properties, and reads them from itself. */
  #view(chain: object): object {
    const parts = Object.entries(chain).filter(([key]) => !notStructure.has(key))
    if (parts.every(([, part]) => this.of(part) === part)) return chain
    return new Proxy(chain, {
      get: (target, key, receiver) => {
        const value: unknown = Reflect.get(target, key, receiver)
        return typeof key === 'symbol' || notStructure.has(key) ? value : this.of(value)
      },
    })
  }

  #graph(graph: GraphLike): GraphLike {
    if (!isPlain(graph.nodes))
      throw new KernelError(
        'EINVAL',
        'this graph runs elsewhere, such as a `RemoteGraph`, where the kernel reaches none of its tools',
      )
    const copy = graph.withConfig({})
    const nodes = Object.entries(copy.nodes).map(([name, node]) => [name, this.#node(node)] as const)
    copy.nodes = Object.fromEntries(nodes)
    return copy
  }

  #node(node: NodeLike): NodeLike {
    const { bound, subgraphs } = node
    return Object.assign(Object.create(Object.getPrototypeOf(node)), node, {
      bound: this.of(bound),
      ...(subgraphs !== undefined && { subgraphs: subgraphs.map((graph) => this.of(graph)) }),
    })
  }

  /** Its function is bound to the node that it was made with: only a new one takes other tools. */
  #toolNode(node: ToolNodeLike): ToolNodeLike {
    const { name, tags, handleToolErrors, options, tools } = node
    const tool = this.list(tools)
    const Node = node.constructor as new (tools: readonly unknown[], options: object) => ToolNodeLike
    const copy = new Node(tool, { ...options, name, tags, handleToolErrors })
    if (copy.tools === tool) return copy
    throw new KernelError(
      'EINVAL',
      `the tools of the node \`${String(name)}\` cannot be reached; wrap them before it is made: \`new ToolNode(gatehouse.wrap(tools))\``,
    )
  }
}
