/** Which tools there are is on record, with what each takes: conditions about its arguments are judged by that. */
import type { ToolDriver } from './drivers/tool.ts'
import type { Tool } from './drivers/tool-definition.ts'
import type { PayloadRef } from './evidence/entry.ts'
import type { EvidenceLog } from './evidence/log.ts'
import type { Process } from './proc/process.ts'

/** @returns what the first entry of a kernel says of the tools that it begins with; nothing where there are none */
export function toolsOnRecord(log: EvidenceLog, tools: ToolDriver): { readonly tools?: PayloadRef } {
  const known = tools.list().map(({ name, parameters }) => ({ name, parameters }))
  return known.length === 0 ? {} : { tools: log.payload(JSON.stringify(known)) }
}

/**
 * Puts a tool of a wrapped object on record, when its process calls it first.
 * @returns the bytes that were written
 * @throws EvidenceError once the log has failed
 */
export function recordWrapped(
  log: EvidenceLog,
  { identity, pid, name: agent }: Process,
  { name, schema }: Tool,
  wrapped: number,
  framework: string | undefined,
): number {
  const before = log.written
  log.append({
    ...{ kind: 'host', run: identity.run, pid, agent, syscall: 'tool.register', resource: name, wrapped },
    ...(framework !== undefined && { framework }),
    args: log.payload(JSON.stringify(schema)),
  })
  return log.written - before
}

/** Puts a tool on record that the application has registered later. @throws EvidenceError once the log has failed */
export function recordTool(log: EvidenceLog, tools: ToolDriver, name: string): void {
  const args = log.payload(JSON.stringify(tools.schemaOf(name)))
  log.append({ kind: 'host', syscall: 'tool.register', resource: name, args })
}
