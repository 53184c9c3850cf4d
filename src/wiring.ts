/** Drivers that are wired to more than one part of a kernel. */
import type { Children } from './children.ts'
import type { KernelOptions } from './config/options.ts'
import { openSecrets } from './drivers/net/secrets/open.ts'
import { Secrets } from './drivers/net/secrets/secrets.ts'
import { ProcDriver } from './drivers/proc.ts'
import type { Hidden } from './drivers/vfs/hidden.ts'
import type { Observers } from './observers.ts'
import type { ProcessTable } from './proc/table.ts'

export function procDriver(kernel: {
  readonly table: ProcessTable
  readonly children: Children
  readonly observers: Observers
}): ProcDriver {
  return new ProcDriver({
    table: kernel.table,
    spawnChild: (...child) => kernel.children.spawn(...child),
    signal: (target, signal, by) => target.signal(signal, `by process ${by.pid}`),
    output: (process, stream, text) => kernel.observers.printed(process, stream, text),
  })
}

/** Their files are in no mount. */
export function kernelSecrets(
  options: KernelOptions['secrets'],
  hidden: Hidden,
  observers: Observers,
): Secrets {
  const sources = openSecrets(options ?? {}, (file) => hidden.add([file]))
  return new Secrets(sources, (name, error) => observers.secretFailed(name, error))
}
