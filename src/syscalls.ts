/** The table of everything an agent can ask for. Stubs, types, documentation and the gate come from it. */
import { closest, distance } from 'fastest-levenshtein'
import { SyscallError } from './errors.ts'
import { limits } from './limits.ts'
import { callCalls } from './syscalls/call.ts'
import { clockCalls } from './syscalls/clock.ts'
import { fsCalls } from './syscalls/fs.ts'
import { ipcCalls } from './syscalls/ipc.ts'
import { llmCalls } from './syscalls/llm.ts'
import { netCalls } from './syscalls/net.ts'
import { procCalls } from './syscalls/proc.ts'
import type { Syscall } from './syscalls/row.ts'
import { streamCalls } from './syscalls/stream.ts'
import { toolCalls } from './syscalls/tool.ts'

export const syscalls = {
  ...fsCalls,
  ...netCalls,
  ...toolCalls,
  ...llmCalls,
  ...ipcCalls,
  ...streamCalls,
  ...callCalls,
  ...procCalls,
  ...clockCalls,
} as const
export type SyscallName = keyof typeof syscalls

export const syscallNames = Object.keys(syscalls) as readonly SyscallName[]

/**
 * @param name what a guest asked for
 * @throws SyscallError ENOSYS, with the name that was perhaps meant
 */
export function findSyscall(name: string): Syscall {
  if (Object.hasOwn(syscalls, name)) return syscalls[name as SyscallName]
  const shown = name.slice(0, limits.syscallNameMax)
  const near = closest(shown, [...syscallNames])
  const hint = distance(shown, near) <= shown.length / 2 ? `; did you mean \`${near}\`?` : ''
  throw new SyscallError('ENOSYS', `no such syscall${hint}`)
}

/** What the bootstrap needs to make the stubs of user space. */
export const doors = syscallNames.flatMap((name) => {
  const row: Syscall = syscalls[name]
  return row.params === undefined ? [] : [{ name, params: row.params, bytes: row.bytes ?? false }]
})
