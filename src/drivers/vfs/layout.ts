/** Where everything is in a process's tree. */
import { KernelError, SyscallError } from '../../errors.ts'
import type { Labels } from '../../labels.ts'
import type { Hidden } from './hidden.ts'
import type { Home } from './homes.ts'
import { type HostMount, openHostMount } from './host.ts'
import { HostLabelTable } from './host-labels.ts'
import { MemoryMount } from './memory.ts'
import type { MountMode } from './mount.ts'
import { covers, normalizePath } from './path.ts'
import type { MountLabels } from './path-labels.ts'
import { Tree } from './tree.ts'
import { VirtualMount, type VirtualView } from './virtual.ts'

/** The kernel's own folders; no mount of the application may cover one or lie below. */
export const kernelFolders = [
  '/audit',
  '/ipc',
  '/mem',
  '/policy',
  '/proc',
  '/state',
  '/tmp',
  '/tools',
] as const

/** What a process reads about itself and the kernel, computed when it is read. */
export interface Views {
  /** Its own evidence. */
  readonly audit: VirtualView
  /** The agents it may write to. */
  readonly ipc: VirtualView
  /** The policy in force, as text, and its hash. */
  readonly policy: VirtualView
  /** The process table. */
  readonly proc: VirtualView
  /** One JSON description per tool. */
  readonly tools: VirtualView
  /** What these carry; nothing where it is not named. */
  readonly labels?: Readonly<Partial<Record<'audit' | 'ipc' | 'proc', MountLabels>>>
}

/** The option `mounts`: where in the tree → which host folder. Read-only unless said. */
export type HostMounts = Readonly<
  Record<string, { readonly host: string; readonly mode?: MountMode; readonly labels?: Labels }>
>

/** An opened host mount; closed when the kernel ends. */
export interface OpenedMount {
  readonly at: string
  readonly mount: HostMount
  readonly labels?: Labels
}

/**
 * Opens the application's mounts, or none of them.
 * @param mounts the option as the application gave it
 * @param hidden what they must not show
 * @throws KernelError with the mount point and what is wrong with it or with its folder
 */
export function openMounts(mounts: HostMounts, hidden: Hidden): readonly OpenedMount[] {
  const points = Object.keys(mounts).map(readMountPoint)
  const twice = points.find((point, index) => points.indexOf(point) !== index)
  if (twice !== undefined) throw new KernelError('EINVAL', `two mounts at \`${twice}\``)
  const opened: OpenedMount[] = []
  try {
    const shared = new HostLabelTable()
    for (const [index, { host, mode, labels }] of Object.values(mounts).entries()) {
      const mount = openHostMount({ host, mode: mode ?? 'ro', hidden, labels: shared })
      opened.push({ at: points[index] ?? '', mount, ...(labels !== undefined && { labels }) })
    }
  } catch (cause) {
    for (const { mount } of opened) void mount.close()
    throw cause
  }
  return opened
}

/**
 * @returns the normalised mount point
 * @throws KernelError EINVAL for a path that is not sound, the root, or one of the kernel's folders
 */
export function readMountPoint(text: string): string {
  const at = normalizeOption(text)
  if (at === '/')
    throw new KernelError('EINVAL', 'a mount cannot be the root `/`; choose a folder, such as `/workspace`')
  const own = kernelFolders.find((folder) => covers(folder, at))
  if (own !== undefined) {
    throw new KernelError(
      'EINVAL',
      `a mount at \`${at}\` would hide \`${own}\`, which is the kernel's own; choose another, such as \`/workspace\``,
    )
  }
  return at
}

/** One process's own /tmp; it ends with the process. */
export const makeTemporary = (now: () => number): MemoryMount => new MemoryMount({ mode: 'rw', now })

/** The tree of one process, or of an agent's name where the application looks at its files. */
export function standardTree(parts: {
  readonly home: Home
  readonly temporary: MemoryMount
  readonly views: Views
  readonly mounts: readonly OpenedMount[]
}): Tree {
  const { home, temporary, views, mounts } = parts
  return new Tree([
    { at: '/audit', mount: new VirtualMount(views.audit, views.labels?.audit) },
    { at: '/ipc', mount: new VirtualMount(views.ipc, views.labels?.ipc) },
    { at: '/mem', mount: home.memory },
    { at: '/mem/episodic', mount: home.episodic },
    { at: '/policy', mount: new VirtualMount(views.policy) },
    { at: '/proc', mount: new VirtualMount(views.proc, views.labels?.proc) },
    { at: '/state', mount: home.state },
    { at: '/tmp', mount: temporary },
    { at: '/tools', mount: new VirtualMount(views.tools) },
    ...mounts,
  ])
}

function normalizeOption(text: string): string {
  try {
    return normalizePath(text)
  } catch (cause) {
    if (cause instanceof SyscallError) throw new KernelError('EINVAL', `a mount point: ${cause.message}`)
    throw cause
  }
}
