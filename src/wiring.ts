/** Drivers that are wired to more than one part of a kernel. */
import type { Children } from './children.ts'
import type { Clock } from './clock.ts'
import type { KernelOptions } from './config/options.ts'
import { ClockDriver } from './drivers/clock.ts'
import type { ModelTimeouts } from './drivers/llm/call.ts'
import { LlmDriver } from './drivers/llm/driver.ts'
import { type LlmOptions, openModels } from './drivers/llm/open.ts'
import { NetDriver } from './drivers/net/driver.ts'
import { Egress } from './drivers/net/egress.ts'
import { openSecrets } from './drivers/net/secrets/open.ts'
import { Secrets } from './drivers/net/secrets/secrets.ts'
import { PipeDriver } from './drivers/pipes.ts'
import { ProcDriver } from './drivers/proc.ts'
import { StreamDriver } from './drivers/streams/driver.ts'
import { VfsDriver } from './drivers/vfs/driver.ts'
import type { Hidden } from './drivers/vfs/hidden.ts'
import { limits } from './limits.ts'
import type { Observers } from './observers.ts'
import { parseDuration } from './policy/units.ts'
import type { ProcessTable } from './proc/table.ts'
import type { Drivers } from './syscalls/row.ts'

/** Drivers that need little of the kernel. */
export function plainDrivers(
  clock: Clock,
  secrets: Secrets,
  isAgent: (name: string) => boolean,
): Pick<Drivers, 'vfs' | 'net' | 'clock' | 'streams' | 'pipes'> {
  return {
    vfs: new VfsDriver(),
    net: new NetDriver({ clock, secrets }),
    clock: new ClockDriver(clock),
    streams: new StreamDriver(),
    pipes: new PipeDriver(isAgent),
  }
}

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

/** The models that the application has given, each asked by way of the kernel's own egress where it is a server. */
export function llmDriver(
  { models = {}, retries = limits.llmRetries, timeout, ...more }: Partial<LlmOptions> = {},
  {
    secrets,
    observers,
    clock,
  }: { readonly secrets: Secrets; readonly observers: Observers; readonly clock: Clock },
): LlmDriver {
  return new LlmDriver({
    opened: openModels({ models, ...more }, new Egress({ secrets })),
    ...{ retries, clock, timeouts: timeoutsOf(timeout) },
    withoutSecrets: (value) => secrets.without(value),
    redactor: () => secrets.redactor,
    onFailure: (model, error) => observers.modelFailed(model, error),
  })
}

function timeoutsOf(timeout: LlmOptions['timeout'] = {}): ModelTimeouts {
  const { whole, first, idle } = typeof timeout === 'string' ? { whole: timeout } : timeout
  const ms = (given: string | undefined, otherwise: number): number =>
    given === undefined ? otherwise : parseDuration(given)
  return {
    wholeMs: ms(whole, limits.llmMs),
    firstMs: ms(first, limits.llmFirstMs),
    idleMs: ms(idle, limits.llmIdleMs),
  }
}
