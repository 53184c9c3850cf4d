/** A jail around a cell by bubblewrap: no network, no other process, and of files only those it runs on. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { release } from 'node:os'
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { type CellFiles, findCellFiles } from './cell-files.ts'
import { findTool } from './confine.ts'

export const jails = ['none', 'bubblewrap'] as const
export type Jail = (typeof jails)[number]

/** Descriptors between kernel and bubblewrap: where it tells the pid, and where it waits to go on. */
export const jailDescriptors = { info: 4, go: 5 } as const

/**
 * @param files what is seen inside, read-only
 * @param options `descriptors`: whether pid and start go through them; `find`: tells where a tool of the system is
 * @returns bubblewrap with its arguments; the program and its arguments follow
 * @throws KernelError ENOSYS where there is no bubblewrap
 */
export function jailPrefix(
  files: CellFiles,
  { descriptors, find = findTool }: { descriptors: boolean; find?: typeof findTool },
): readonly string[] {
  const bwrap = process.platform === 'linux' ? find('bwrap') : undefined
  if (bwrap === undefined) throw noJail('bubblewrap (`bwrap`) is not installed')
  const seen = [...files.own, ...files.packages, process.execPath, ...librariesOfNode()]
  return [
    ...[bwrap, '--unshare-user', '--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts'],
    ...['--unshare-cgroup-try', '--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
    // The cell itself is the first process in there, so that its end ends all and its pid is the one told.
    ...['--as-pid-1', '--hostname', 'cell', '--chdir', '/'],
    ...seen.flatMap((path) => ['--ro-bind', path, path]),
    ...files.links.flatMap(({ path, target }) => ['--symlink', target, path]),
    ...['--remount-ro', '/'],
    ...(descriptors ? ['--info-fd', String(jailDescriptors.info)] : []),
    ...(descriptors ? ['--block-fd', String(jailDescriptors.go)] : []),
    '--',
  ]
}

/**
 * Tries the jail out with the Node.js that cells run.
 * @throws KernelError ENOSYS that says why there is none; a jail that was asked for is never left out
 */
export function assertJail(jail: Jail, find: typeof findTool = findTool): void {
  if (jail === 'none') return
  const [bwrap = '', ...args] = jailPrefix(findCellFiles(), { descriptors: false, find })
  const tried = spawnSync(bwrap, [...args, process.execPath, '--version'], {
    timeout: limits.jailTrialMs,
    encoding: 'utf8',
    env: {},
  })
  if (tried.status === 0 && tried.stdout?.trim() === process.version) return
  const [line = ''] = (tried.stderr ?? '').split('\n')
  throw noJail(`bubblewrap does not work here (${line || `status ${tried.status ?? tried.signal}`})`)
}

function noJail(why: string): KernelError {
  return new KernelError(
    'ENOSYS',
    `cells cannot run in a jail: ${why}; install it and allow user namespaces, or leave out \`cells.jail\`, which takes the network and other processes from cells`,
  )
}

const libraries = new Map<string, readonly string[]>()

/** Shared libraries of Node.js as this system's loader finds them, asked once; isolated-vm needs no others. */
function librariesOfNode(): readonly string[] {
  const known = libraries.get(process.execPath)
  if (known !== undefined) return known
  const ldd = findTool('ldd')
  if (ldd === undefined) throw noJail('there is no `ldd` to tell the libraries of Node.js')
  const { stdout = '' } = spawnSync(ldd, [process.execPath], {
    timeout: limits.jailTrialMs,
    encoding: 'utf8',
  })
  const found = [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, path = '']) => path)
  const all = [...found, '/etc/ld.so.cache'].filter((path) => path !== '' && existsSync(path))
  libraries.set(process.execPath, all)
  return all
}

/**
 * Limits the processes and threads inside. Before Linux 5.14 they counted for the user everywhere,
 * and for a root user of the host they never count.
 * @param pid the first process inside
 * @returns whether the limit is in force
 */
export function limitProcesses(pid: number): boolean {
  const prlimit = findTool('prlimit')
  if (prlimit === undefined || !countsProcesses()) return false
  const args = ['--pid', String(pid), `--nproc=${limits.cellThreadsMax}:${limits.cellThreadsMax}`]
  return spawnSync(prlimit, args, { stdio: 'ignore', timeout: limits.toolTrialMs }).status === 0
}

/** Whether a limit on processes counts those inside alone. */
export function countsProcesses(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return process.getuid?.() !== 0 && (major > 5 || (major === 5 && minor >= 14))
}
