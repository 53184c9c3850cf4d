/** Starts the process of a cell, with everything taken from it that this system lets the kernel take. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { z } from 'zod'
import { limits } from '../limits.ts'
import { findCellFiles, permissionFlags } from './cell-files.ts'
import { confinement, environment } from './confine.ts'
import { type Jail, jailDescriptors, jailPrefix, limitProcesses } from './jail.ts'

/** What is in force for one cell; plain data, for the record and for `gatehouse doctor`. */
export interface Protections {
  /** Node's permission model: no files but the cell's own, no children, no workers, no inspector. */
  readonly permissions: boolean
  /** What keeps it from the network; `none`: nothing does. */
  readonly network: 'jail' | 'permissions' | 'none'
  /** A lower priority than the kernel's, for all of its threads. */
  readonly priority: boolean
  /** No core files, no file written, few open. */
  readonly resources: boolean
  /** It dies with the kernel even while the system has stopped it. */
  readonly parentDeath: boolean
  readonly noNewPrivileges: boolean
  /** It has none, whoever runs the kernel. */
  readonly noCapabilities: boolean
  readonly jail: Jail
}

export interface Launched {
  /** Its descriptor 3 is the pipe; killing it ends all that was started. */
  readonly child: ChildProcess
  /** The pid of the cell's own process, for stopping and watching it; in a jail undefined until that runs. */
  pid(): number | undefined
  readonly protections: Protections
}

const infoSchema = z.object({ 'child-pid': z.int().min(2) })

/**
 * @param options.program another program than that of a cell and its arguments, for tests of what a cell may not do
 * @throws KernelError ENOSYS for a jail that is not installed, ENOENT and EINVAL as the cell's files say
 */
export function launchCell({ jail, program }: { jail: Jail; program?: readonly string[] }): Launched {
  const files = findCellFiles(program?.[0])
  const isJailed = jail === 'bubblewrap'
  const { prefix } = confinement(isJailed ? 'jailed' : 'plain')
  const [command = '', ...args] = [
    ...prefix,
    ...(isJailed ? jailPrefix(files, { descriptors: true }) : []),
    process.execPath,
    ...permissionFlags(files),
    files.entry,
    ...(program?.slice(1) ?? []),
  ]
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', ...(isJailed ? ['pipe' as const, 'pipe' as const] : [])],
    // Its own session: what a terminal sends to the application's group (Ctrl-C) is not for cells.
    detached: true,
    // Nothing of the application's environment, and no folder of it.
    env: environment,
    cwd: '/',
  })
  return { child, pid: isJailed ? followJail(child) : () => child.pid, protections: protectionsOf(jail) }
}

/** @returns what is in force for cells that this application launches */
export function protectionsOf(jail: Jail): Protections {
  const isJailed = jail === 'bubblewrap'
  const { priority, resources, ...privileges } = confinement(isJailed ? 'jailed' : 'plain')
  const bySystem = process.allowedNodeEnvironmentFlags.has('--allow-net') ? 'permissions' : 'none'
  return {
    permissions: true,
    network: isJailed ? 'jail' : bySystem,
    priority,
    resources,
    // Bubblewrap sees to these itself.
    parentDeath: isJailed || privileges.parentDeath,
    noNewPrivileges: isJailed || privileges.noNewPrivileges,
    noCapabilities: isJailed || privileges.noCapabilities,
    jail,
  }
}

/** Bubblewrap tells the pid and waits, so that limits are set before anything runs inside. */
function followJail(child: ChildProcess): () => number | undefined {
  let pid: number | undefined
  // Where the system has no descriptor left there are none, and the error event follows.
  const streams: readonly unknown[] = child.stdio ?? []
  const info = streams[jailDescriptors.info] as (Readable & { unref?: () => void }) | undefined
  const go = streams[jailDescriptors.go] as (Writable & { unref?: () => void }) | undefined
  let text = ''
  for (const stream of [info, go]) {
    // A jail that ends at once is told by the child's own exit.
    stream?.on('error', () => undefined)
    stream?.unref?.()
  }
  info?.on('data', (chunk: Buffer) => {
    text = `${text}${chunk}`.slice(0, limits.jailInfoMax)
    if (pid !== undefined || !text.includes('}')) return
    pid = readPid(text)
    // Without its pid nobody could stop it: it must not run.
    if (pid === undefined) return void child.kill('SIGKILL')
    limitProcesses(pid)
    go?.end('go')
  })
  return () => pid
}

function readPid(text: string): number | undefined {
  try {
    return infoSchema.parse(JSON.parse(text))['child-pid']
  } catch {
    return undefined
  }
}
