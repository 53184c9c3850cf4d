/** Tools of wrapped objects: each belongs to one process, and several there may have one name. */
import { assert, SyscallError } from '../errors.ts'
import type { Json } from '../json.ts'
import type { Tool, ToolContext } from './tool-definition.ts'

/** Which tool a call is about. */
export interface ToolName {
  readonly name: string
  /** Of a wrapped tool: which of those of that name that its process has, from 1. */
  readonly wrapped?: number | undefined
}

/** Runs a wrapped tool once, with the arguments that were judged. */
export type WrappedRun = (args: Json, context: ToolContext) => unknown

/** What one process has. */
interface Own {
  readonly tools: Map<string, Tool[]>
  /** By the number of the call that is to run it. */
  readonly runs: Map<number, WrappedRun>
}

export class WrappedTools {
  readonly #own = new WeakMap<object, Own>()

  /**
   * @returns which of its name the tool is, from 1, and whether the process has it only now
   */
  add(process: object, tool: Tool): { readonly wrapped: number; readonly isNew: boolean } {
    const { tools } = this.#of(process)
    const same = tools.get(tool.name) ?? []
    const index = same.indexOf(tool)
    if (index >= 0) return { wrapped: index + 1, isNew: false }
    tools.set(tool.name, [...same, tool])
    return { wrapped: same.length + 1, isNew: true }
  }

  get(process: object | undefined, name: string, wrapped: number): Tool | undefined {
    const own = process === undefined ? undefined : this.#own.get(process)
    return own?.tools.get(name)?.[wrapped - 1]
  }

  /** What the call of that number is to run. @returns lets go of it; to be called once the call is over */
  expect(process: object, number: number, run: WrappedRun): () => void {
    const { runs } = this.#of(process)
    assert(!runs.has(number), 'a call that is made twice')
    runs.set(number, run)
    return () => void runs.delete(number)
  }

  /** @throws SyscallError ENOENT for a call that brought nothing to run */
  runOf(process: object, number: number): WrappedRun {
    const run = this.#own.get(process)?.runs.get(number)
    if (run === undefined)
      throw new SyscallError('ENOENT', 'a wrapped tool is called through the object that was wrapped')
    return run
  }

  #of(process: object): Own {
    const known = this.#own.get(process)
    if (known !== undefined) return known
    const own: Own = { tools: new Map(), runs: new Map() }
    this.#own.set(process, own)
    return own
  }
}
