/** Tools and models from a module of the user's own: code of the application, loaded into its process, for the command. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LlmOptions } from '../drivers/llm/open.ts'
import type { ToolDefinition } from '../drivers/tool-definition.ts'
import { KernelError } from '../errors.ts'

export type ToolDefinitions = Readonly<Record<string, ToolDefinition<never>>>

const form =
  "write `export default { name: { description: '…', parameters: { type: 'object' }, execute: (args) => … } }`"

/**
 * Runs the module, with all that the user may do: it is no agent code.
 * @param file a path on the host, TypeScript or JavaScript; relative ones start at the working directory
 * @returns its default export, as the option `tools` of a kernel has it; the kernel checks each tool. None where it
 *   exports models alone
 * @throws KernelError EINVAL where there is no such file, it cannot be loaded, or it exports no such object
 */
export async function loadTools(file: string): Promise<ToolDefinitions> {
  if (!statSync(resolve(file), { throwIfNoEntry: false })?.isFile())
    throw new KernelError(
      'EINVAL',
      `no tools at \`${file}\`; a relative path starts at the working directory`,
    )
  const { default: found, llm } = await load(file)
  if (found === undefined && llm !== undefined) return {}
  if (typeof found !== 'object' || found === null || Array.isArray(found))
    throw new KernelError('EINVAL', `\`${file}\` exports no tools by default; ${form}`)
  const odd = Object.entries(found).find(([, tool]) => typeof tool !== 'object' || tool === null)
  if (odd !== undefined)
    throw new KernelError('EINVAL', `\`${file}\`: \`${odd[0]}\` is no definition of a tool; ${form}`)
  return found as ToolDefinitions
}

/**
 * The same for its export `llm`, as the option `llm` of a kernel has it; undefined where it has none.
 * @param file that `loadTools` has loaded
 * @throws KernelError EINVAL where that is no object
 */
export async function loadModels(file: string): Promise<LlmOptions | undefined> {
  const { llm } = await load(file)
  if (llm === undefined) return undefined
  if (typeof llm !== 'object' || llm === null || !('models' in llm))
    throw new KernelError(
      'EINVAL',
      `\`${file}\` exports no models as \`llm\`; write \`export const llm = { models: { 'openai/gpt-5': { url, model, key } } }\``,
    )
  return llm as LlmOptions
}

async function load(file: string): Promise<{ readonly default?: unknown; readonly llm?: unknown }> {
  try {
    return await import(pathToFileURL(resolve(file)).href)
  } catch (error) {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    throw new KernelError('EINVAL', `the tools in \`${file}\` cannot be loaded: ${why}`)
  }
}
