/** One call of a wrapped tool: its arguments judged, executed as they were judged, and what came back as JSON. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Tool, ToolContext } from '../drivers/tool-definition.ts'
import { type Errno, KernelError, SyscallError } from '../errors.ts'
import type { Json } from '../json.ts'
import { messageOf, readOnce } from './plain.ts'
import type { Session } from './session.ts'
import type { ToolResult } from './wrapping.ts'

/**
 * @param session whose call it is
 * @returns what came of it, as `WrappedTool.call` says
 */
export async function callTool<T>(
  session: Session,
  tool: Tool,
  given: unknown,
  execute: (args: Json, context: ToolContext) => T | Promise<T>,
  encode: (returned: T) => unknown = (returned) => returned,
): Promise<ToolResult<T>> {
  const args = readOnce(given, 'args')
  if (args instanceof SyscallError) return refused(tool, args)
  // The call may have waited, and somebody else may have let it go on: what it runs as is what it was called as.
  const asCaller = AsyncLocalStorage.snapshot()
  const done: { returned?: T; encoded?: string; threw?: { readonly error: unknown; readonly text: string } } =
    {}
  const run = async (judged: Json, context: ToolContext): Promise<Json> => {
    try {
      const returned = await asCaller(() => session.within(async () => execute(judged, context)))
      const value = readOnce(encode(returned), 'result')
      if (value instanceof SyscallError) throw value
      done.returned = returned
      done.encoded = JSON.stringify(value)
      return value
    } catch (error) {
      if (error instanceof SyscallError) throw error
      const told = new SyscallError(codeOf(error), messageOf('the tool', error))
      done.threw = { error, text: told.message }
      throw told
    }
  }
  const reply = await session.callWrapped(tool, args, run)
  if ('ok' in reply) {
    const isWhole = JSON.stringify(reply.ok) === done.encoded
    return { ok: true, value: reply.ok, returned: isWhole ? done.returned : undefined }
  }
  // As it was, where nothing was taken out of what it says: frameworks know their own errors.
  if (done.threw !== undefined && reply.error.message.endsWith(done.threw.text)) throw done.threw.error
  return { ok: false, ...reply.error }
}

const refused = ({ name }: Tool, { code, message }: SyscallError): ToolResult<never> => ({
  ...{ ok: false, code, message: `${code}: tool.call \`${name}\`: ${message}` },
})

/** What the kernel refused within the tool keeps its errno. */
const codeOf = (error: unknown): Errno => (error instanceof KernelError ? error.code : 'EIO')
