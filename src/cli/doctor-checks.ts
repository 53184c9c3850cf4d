/** What gatehouse needs of a machine, tried out. Nothing that is tried is left behind. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Protections } from '../isolate/launch.ts'
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
    ...(await checkCells()),
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

/** What is in force for every cell on this machine, and whether a jail around one works. */
async function checkCells(): Promise<readonly Check[]> {
  try {
    const { protectionsOf } = await import('../isolate/launch.ts')
    const { canReadVitals } = await import('../isolate/watchdog.ts')
    return [
      ...checkProtections(protectionsOf('none'), canReadVitals()),
      checkJail((await import('../isolate/jail.ts')).assertJail),
    ]
  } catch (error) {
    return [{ state: 'fail', what: 'cells', found: reasonOf(error), advice: 'run `npm install` again' }]
  }
}

/**
 * @param its what is in force for a cell without a jail
 * @param watched whether the system tells what a watchdog asks
 */
export function checkProtections(its: Protections, watched: boolean): readonly Check[] {
  const util = 'install `setpriv` (util-linux) and run as a user who may use it'
  const check = (what: string, holds: boolean, found: readonly [string, string], advice: string): Check => ({
    state: holds ? 'ok' : 'warn',
    what: `cells: ${what}`,
    found: found[holds ? 0 : 1],
    ...(!holds && { advice }),
  })
  const jailAdvice = 'the option `cells: { jail: "bubblewrap" }` takes it from them; so does Node.js 26'
  return [
    check(
      'files, children, workers',
      its.permissions,
      ['taken by Node.js', 'not taken'],
      'use Node.js 22.19 or newer',
    ),
    check(
      'network',
      its.network !== 'none',
      ['taken by Node.js', 'not taken: agent code has none, but code that breaks out of V8 would have it'],
      jailAdvice,
    ),
    check(
      'priority',
      its.priority,
      ['lower than the kernel’s', 'the same as the kernel’s'],
      'install `nice` (coreutils)',
    ),
    check(
      'resources',
      its.resources,
      ['no core, no file written, few open', 'not limited'],
      'this system has no `sh` whose `ulimit` works',
    ),
    check('end with the kernel', its.parentDeath, ['also while stopped', 'only while not stopped'], util),
    check(
      'privileges',
      its.noNewPrivileges && its.noCapabilities,
      ['none, and no new ones', 'those of this user'],
      util,
    ),
    check(
      'watchdog',
      watched,
      ['memory, CPU time, threads, children, heartbeat', 'heartbeat only'],
      'the rest is read from /proc, which only Linux has',
    ),
  ]
}

/** @param assert throws where the jail does not work */
export function checkJail(assert: (jail: 'bubblewrap') => void): Check {
  const what = 'cells: jail'
  try {
    assert('bubblewrap')
    return { state: 'ok', what, found: 'bubblewrap works; `cells: { jail: "bubblewrap" }` switches it on' }
  } catch (error) {
    const advice = 'only needed for `cells: { jail: "bubblewrap" }`'
    return { state: 'warn', what, found: reasonOf(error), advice }
  }
}

/** The system's word where it has one, since its message names paths of the host. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' && 'syscall' in error
    ? error.code
    : (error.message.split('\n')[0] ?? '')
}
