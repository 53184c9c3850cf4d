/** The kernel as other terminals of its user reach it: what the socket offers, done with the checks of the API. */
import { resolve } from 'node:path'
import type { Clock } from './clock.ts'
import { isPath } from './config/policy.ts'
import { controlledApprovals } from './control/approvals.ts'
import type { DeclassifyReply, ReloadReply, RequestOf } from './control/protocol.ts'
import type { Controlled } from './control/routes.ts'
import { KernelError } from './errors.ts'
import { asJson } from './json.ts'
import type { KernelSpace } from './kernel.ts'
import { signalAs } from './proc/handle.ts'
import type { System } from './system.ts'

/** What of the kernel's own face it stands on. */
type Face = Pick<KernelSpace, 'policy' | 'ps' | 'inspect' | 'declassify' | 'vfs' | 'reload'>

export function controlledBy(kernel: Face, system: System, clock: Clock): Controlled {
  return {
    policy: () => kernel.policy,
    ps: (options) => kernel.ps(options),
    inspect: (target) => kernel.inspect(target),
    signal: (target, signal, by) => {
      const process = system.table.find(target)
      return { pid: process.pid, name: process.name, effect: signalAs(process, signal, by) }
    },
    ...controlledApprovals(system.gate.approvals, clock),
    declassify: (request, by) => declassify(kernel, system, request, by),
    reload: (request, by) => reload(kernel, request, by),
    whenEnded: (pid) => system.table.get(pid)?.exit.then(({ status }) => status),
  }
}

/** @throws KernelError and SyscallError as the kernel's API does; EINVAL where it says neither path nor value, or both */
async function declassify(
  kernel: Face,
  { table }: System,
  { target, path, value, labels, reason }: RequestOf<'/declassify'>,
  by: string,
): Promise<DeclassifyReply> {
  const how = { labels, by, reason }
  if ((path === undefined) === (value === undefined))
    throw new KernelError('EINVAL', 'what is released is either the file at a path or one value')
  if (path === undefined) {
    const { pid, name } = table.find(target)
    kernel.declassify(pid, asJson(value, 'value'), how)
    return { pid, agent: name, labels }
  }
  const agent = /^\d+$/.test(target) ? table.find(target).name : target
  await kernel.vfs(agent).declassify(path, how)
  return { agent, path, labels }
}

/** @throws PolicyError and KernelError where it is not sound, or not for the tools that are there: the old one stays */
async function reload(kernel: Face, { policy }: RequestOf<'/reload'>, by: string): Promise<ReloadReply> {
  // Where the kernel runs is not where the command does.
  const relative = policy.find((ref) => isPath(ref) && resolve(ref) !== ref)
  if (relative !== undefined)
    throw new KernelError(
      'EINVAL',
      `\`${relative}\` is no absolute path, and which folder it starts at is not known`,
    )
  const before = kernel.policy
  await kernel.reload([...policy], { by })
  return { before, policy: kernel.policy }
}
