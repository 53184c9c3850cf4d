/** What gatehouse needs of a machine, tried out. Nothing that is tried is left behind. */
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import type { Isolation } from '../policy/types.ts'

export interface Check {
  /** `warn` where gatehouse works all the same. */
  readonly state: 'ok' | 'warn' | 'fail'
  readonly what: string
  readonly found: string
  /** What to do. */
  readonly advice?: string
}

const nodeMin = [22, 19] as const
/** Versions that every test runs on. */
const nodeTested = [22, 24, 26]

/** @param evidenceDir the folder for evidence; it need not exist */
export async function runChecks(evidenceDir: string): Promise<readonly Check[]> {
  return [
    checkNode(process.versions.node),
    checkPlatform(process.platform),
    await checkIsolatedVm(),
    await checkIsolation('an isolate', 'inline'),
    await checkIsolation('a cell', 'cell'),
    checkEvidence(evidenceDir),
    checkNamespaces(),
    checkBubblewrap(process.env.PATH ?? ''),
  ]
}

/** @param version such as `24.21.0` */
export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const what = 'Node.js'
  const isOld = major < nodeMin[0] || (major === nodeMin[0] && minor < nodeMin[1])
  if (isOld)
    return { state: 'fail', what, found: version, advice: `install Node.js ${nodeMin.join('.')} or newer` }
  if (nodeTested.includes(major)) return { state: 'ok', what, found: version }
  return {
    state: 'warn',
    what,
    found: version,
    advice: `gatehouse is tested on Node.js ${nodeTested.join(', ')}`,
  }
}

/** @param platform as `process.platform` names it */
export function checkPlatform(platform: string): Check {
  const what = 'platform'
  if (platform === 'linux') return { state: 'ok', what, found: platform }
  const advice =
    platform === 'darwin'
      ? 'host mounts are checked by real path here, without the pinning that Linux has'
      : 'every promise holds on Linux; this platform is not promised'
  return { state: 'warn', what, found: platform, advice }
}

async function checkIsolatedVm(): Promise<Check> {
  const what = 'isolated-vm'
  try {
    await import('../isolate/inline.ts')
    return { state: 'ok', what, found: 'loads' }
  } catch (error) {
    const advice =
      'run `npm rebuild isolated-vm` with this Node.js; without a prebuilt binary it needs Python and a C++ compiler'
    return { state: 'fail', what, found: `does not load (${reasonOf(error)})`, advice }
  }
}

/** Runs a program of one line to its result. */
async function checkIsolation(what: string, isolation: Isolation): Promise<Check> {
  try {
    const { KernelSpace } = await import('../kernel.ts')
    const kernel = new KernelSpace({ isolation })
    try {
      await kernel.execute({ source: 'export default () => 42' })
      return { state: 'ok', what, found: 'starts, runs and ends' }
    } finally {
      await kernel.shutdown()
    }
  } catch (error) {
    const advice =
      'see whether isolated-vm loads, and whether this user may start processes and has memory left'
    return { state: 'fail', what, found: reasonOf(error), advice }
  }
}

/** Writes a file where the folder is, or where it would be made. */
function checkEvidence(dir: string): Check {
  const what = `evidence in \`${dir}\``
  const place = nearestFolder(resolve(dir))
  try {
    const probe = mkdtempSync(join(place, '.gatehouse-doctor-'))
    try {
      writeFileSync(join(probe, 'probe'), 'written')
    } finally {
      rmSync(probe, { recursive: true })
    }
    return { state: 'ok', what, found: existsSync(dir) ? 'can be written' : 'can be made' }
  } catch (error) {
    const advice = 'name a folder that this user may write to, on a device with space, with --evidence'
    return { state: 'fail', what, found: `cannot be written (${reasonOf(error)})`, advice }
  }
}

function nearestFolder(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestFolder(dirname(path))
}

const jailNote = 'not needed: cells run as plain child processes of this user'

function checkNamespaces(): Check {
  const what = 'user namespaces'
  const refused = namespaceSwitches.find(({ file, off }) => readNumber(file) === off)
  if (process.platform !== 'linux')
    return { state: 'warn', what, found: 'only Linux has them', advice: jailNote }
  if (refused === undefined) return { state: 'ok', what, found: 'not switched off' }
  return { state: 'warn', what, found: `switched off by ${refused.file}`, advice: jailNote }
}

/** Where kernels and distributions switch them off: user_namespaces(7), and AppArmor's restriction in Ubuntu. */
const namespaceSwitches = [
  { file: '/proc/sys/user/max_user_namespaces', off: 0 },
  { file: '/proc/sys/kernel/unprivileged_userns_clone', off: 0 },
  { file: '/proc/sys/kernel/apparmor_restrict_unprivileged_userns', off: 1 },
] as const

function readNumber(file: string): number | undefined {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

function checkBubblewrap(path: string): Check {
  const what = 'bubblewrap'
  const found = path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .some((folder) => isExecutable(join(folder, 'bwrap')))
  if (found) return { state: 'ok', what, found: 'is there; this version does not use it' }
  return { state: 'warn', what, found: 'is not there', advice: jailNote }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The system's word where it has one, since its message names paths of the host. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' && 'syscall' in error
    ? error.code
    : (error.message.split('\n')[0] ?? '')
}
