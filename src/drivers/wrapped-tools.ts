/** Tools of wrapped objects: each belongs to one process, and several there may have one name. */
import type { Json } from '../json.ts'
import { Expected } from './expected.ts'
import type { Tool, ToolContext } from './tool-definition.ts'

/** Which tool a call is about. */
export interface ToolName {
  readonly name: string
  /** Of a wrapped tool: which of those of that name that its process has, from 1. */
  readonly wrapped?: number | undefined
}

/** Runs a wrapped tool once, with the arguments that were judged. */
export type WrappedToolRun = (args: Json, context: ToolContext) => unknown

export class WrappedTools {
  /** By process, by name. */
  readonly #tools = new WeakMap<object, Map<string, readonly Tool[]>>()
  /** What calls are to run. */
  readonly runs = new Expected<WrappedToolRun>()

  /**
   * @returns which of its name the tool is, from 1, and whether the process has it only now
   */
  add(process: object, tool: Tool): { readonly wrapped: number; readonly isNew: boolean } {
    const tools = this.#tools.get(process) ?? new Map<string, readonly Tool[]>()
    this.#tools.set(process, tools)
    const same = tools.get(tool.name) ?? []
    const index = same.indexOf(tool)
    if (index >= 0) return { wrapped: index + 1, isNew: false }
    tools.set(tool.name, [...same, tool])
    return { wrapped: same.length + 1, isNew: true }
  }

  get(process: object | undefined, name: string, wrapped: number): Tool | undefined {
    const tools = process === undefined ? undefined : this.#tools.get(process)
    return tools?.get(name)?.[wrapped - 1]
  }
}
