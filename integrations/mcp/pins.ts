/** What a tool of a server says of itself, held to what it said when it was accepted. */
import { createHash } from 'node:crypto'
import type { Tool } from '@modelcontextprotocol/sdk/types.js'

/** The name of each accepted tool → `sha256:` and the hash of its definition. JSON, to be kept in a file. */
export type Pins = Readonly<Record<string, string>>

/** Everything of a definition that a model is told, or a program goes by. */
const told = ['name', 'title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const

/** @returns the same for the same definition, in whatever order its members come */
export const hashOf = (tool: Tool): string => digest(Object.fromEntries(told.map((key) => [key, tool[key]])))

/** The same for two tools that differ in nothing but their names. */
const bodyOf = (tool: Tool): string => hashOf({ ...tool, name: '' })

/** Why a definition is not accepted as it is. */
export interface Change {
  readonly change: 'new' | 'changed' | 'renamed'
  /** The hash that was pinned under this name, or the name it had. */
  readonly before?: string
}

export class PinBoard {
  readonly #pins: Map<string, string>
  /** Trusts what it sees first, until it has seen something. */
  #isFirst: boolean
  /** What accepted tools are but for their names → their names. */
  readonly #bodies = new Map<string, string>()

  /** @param pins of an earlier connection; without them what is listed first is accepted */
  constructor(pins: Pins | undefined) {
    this.#pins = new Map(Object.entries(pins ?? {}))
    this.#isFirst = pins === undefined
  }

  /** A whole list was seen. */
  seen(): void {
    this.#isFirst = false
  }

  /** @returns nothing for a definition that is accepted */
  changeOf(tool: Tool): Change | undefined {
    const hash = hashOf(tool)
    const pinned = this.#pins.get(tool.name)
    if (pinned === undefined && this.#isFirst) {
      this.accept(tool)
      return undefined
    }
    if (pinned === hash) {
      this.#bodies.set(bodyOf(tool), tool.name)
      return undefined
    }
    if (pinned !== undefined) return { change: 'changed', before: pinned }
    const before = this.#bodies.get(bodyOf(tool))
    return before === undefined ? { change: 'new' } : { change: 'renamed', before }
  }

  accept(tool: Tool): void {
    this.#pins.set(tool.name, hashOf(tool))
    this.#bodies.set(bodyOf(tool), tool.name)
  }

  /** What is accepted now. */
  toJSON(): Pins {
    return Object.fromEntries([...this.#pins].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
}

const digest = (value: unknown): string =>
  `sha256:${createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('hex')}`

/** Members by name, at every depth. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return members.map(([key, member]) => [key, sorted(member)])
}
