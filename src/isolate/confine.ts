/** What the operating system's own tools take from a child process: priority, resources, privileges. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../limits.ts'

/** Owned by the system's administrator; what PATH says is not asked. */
const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin']
/** All of a cell's environment, so that guests see one time zone and one locale everywhere. */
export const environment = { TZ: 'UTC', LANG: 'en_US.UTF-8', LC_ALL: 'en_US.UTF-8' } as const

const tools = new Map<string, string | undefined>()
const confinements = new Map<'plain' | 'jailed', Confinement>()

export interface Confinement {
  /** Programs and their arguments, each of which runs what follows it in its own place, by the same pid. */
  readonly prefix: readonly string[]
  readonly priority: boolean
  readonly resources: boolean
  readonly parentDeath: boolean
  readonly noNewPrivileges: boolean
  readonly noCapabilities: boolean
}

/** @returns the absolute path of a tool of this system, or undefined where it is not there */
export function findTool(name: string): string | undefined {
  if (!tools.has(name)) tools.set(name, folders.map((folder) => join(folder, name)).find(isExecutable))
  return tools.get(name)
}

/**
 * Tried out once per application: what does not work here is left out, and said so.
 * @param how `jailed`: bubblewrap follows, which sees to privileges itself
 */
export function confinement(how: 'plain' | 'jailed'): Confinement {
  const known = confinements.get(how)
  if (known !== undefined) return known
  const made = how === 'plain' ? confine(privileges()) : confine([])
  confinements.set(how, made)
  return made
}

type Measure = 'priority' | 'resources' | 'parentDeath' | 'noNewPrivileges' | 'noCapabilities'
type Step = readonly [measure: Measure, prefix: readonly string[]]

function confine(more: readonly Step[]): Confinement {
  const steps = [...basics(), ...more].filter(([, prefix]) => works(prefix))
  const has = (measure: Measure): boolean => steps.some(([name]) => name === measure)
  return {
    prefix: steps.flatMap(([, prefix]) => prefix),
    priority: has('priority'),
    resources: has('resources'),
    parentDeath: has('parentDeath'),
    noNewPrivileges: has('noNewPrivileges'),
    noCapabilities: has('noCapabilities'),
  }
}

/** Set before the program begins, since threads take both from the one that starts them. */
function basics(): readonly Step[] {
  if (process.platform === 'win32') return []
  const nice = findTool('nice')
  const sh = findTool('sh')
  const { cellNice, cellFilesMax } = limits
  const ulimit = `ulimit -c 0 && ulimit -f 0 && ulimit -n ${cellFilesMax} && exec "$@"`
  // Shells add to the environment, the folder of the application for one.
  const env = [
    findTool('env') ?? '/usr/bin/env',
    '-i',
    ...Object.entries(environment).map((pair) => pair.join('=')),
  ]
  return [
    ...(nice === undefined ? [] : [['priority', [nice, '-n', String(cellNice)]] as const]),
    ...(sh === undefined ? [] : [['resources', [sh, '-c', ulimit, 'sh', ...env]] as const]),
  ]
}

/** Each on its own, since the setpriv of BusyBox and containers with few capabilities have only some of them. */
function privileges(): readonly Step[] {
  const setpriv = process.platform === 'linux' ? findTool('setpriv') : undefined
  if (setpriv === undefined) return []
  // Whoever is root has all capabilities that the bounding set leaves.
  const bounding = process.getuid?.() === 0 ? ['--bounding-set=-all'] : []
  return [
    ['noCapabilities', [setpriv, ...bounding, '--inh-caps=-all', '--ambient-caps=-all']],
    ['noNewPrivileges', [setpriv, '--no-new-privs']],
    // The last: a change of privileges after it would undo it.
    ['parentDeath', [setpriv, '--pdeathsig', 'KILL']],
  ]
}

/**
 * Whether it runs what follows it. One that is merely slow counts as one that does: on a busy machine no protection is
 * left out, and where it hangs for good no cell starts.
 */
function works(prefix: readonly string[]): boolean {
  const [tool = '', ...args] = [...prefix, findTool('true') ?? '/bin/true']
  const { status, error } = spawnSync(tool, args, { stdio: 'ignore', timeout: limits.toolTrialMs, env: {} })
  return status === 0 || (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT')
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
