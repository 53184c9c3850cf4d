/** Tells a watcher of every driver call at the moment it begins, by standing before the rows of the syscall table. */
import type { Process } from '../../src/proc/process.ts'
import type { Call, Drivers, Syscall } from '../../src/syscalls/row.ts'
import { syscalls } from '../../src/syscalls.ts'

export type Watcher = (process: Process, name: string, number: number, external: boolean) => void

let watcher: Watcher | undefined
let standing = false

/** One watcher at a time. @returns a function that ends the watch */
export function watchInvocations(next: Watcher): () => void {
  if (!standing) standBefore()
  watcher = next
  return () => {
    watcher = undefined
  }
}

function standBefore(): void {
  standing = true
  for (const [name, row] of Object.entries<Syscall>(syscalls)) {
    const { invoke, external } = row
    const watched = (args: never, call: Call, drivers: Drivers) => {
      watcher?.(call.process, name, call.number, external?.(args, drivers, call.process) ?? false)
      return invoke(args, call, drivers)
    }
    Reflect.set(row, 'invoke', watched)
  }
}
