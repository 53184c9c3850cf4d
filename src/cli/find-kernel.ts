/** Which running kernel a command means: the one of `--dir`, or the only one that is near. */
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import type { ControlClient } from '../control/client.ts'
import { controlFolder } from '../control/place.ts'
import { ControlError } from '../control/protocol.ts'
import { limits } from '../limits.ts'
import { evidenceDir } from './evidence-dir.ts'
import { once, text } from './options.ts'

/** Adds `--dir`. */
export function addDirOption(command: Command): void {
  command.option(
    '--dir <dir>',
    `the kernel's directory (default: the nearest \`${evidenceDir}\` here, above, or one folder below)`,
    once(text),
  )
}

/**
 * Asks a kernel, and leaves it when that is done.
 * @throws ControlError where there is none, or several, or it is another user's or has ended
 */
export async function withKernel<T>(
  command: Command,
  work: (kernel: ControlClient, dir: string) => Promise<T>,
): Promise<T> {
  const dir = command.opts<{ dir?: string }>().dir ?? findDir(process.cwd())
  // Loaded late: an HTTP client takes longer to load than all the rest of a command.
  const { ControlClient } = await import('../control/client.ts')
  const kernel = new ControlClient(dir)
  try {
    return await work(kernel, dir)
  } finally {
    await kernel.close()
  }
}

/**
 * @param from where to look: there and above, else one folder below
 * @returns the directory of the only kernel that listens, or has listened and was killed
 * @throws ControlError ENOENT, EACCES where another user's may be, or EINVAL that lists several
 */
export function findDir(from: string): string {
  const above = ancestors(from)
    .map((folder) => join(folder, evidenceDir))
    .find(hasSocket)
  if (above !== undefined) return relative(from, above)
  const below = foldersIn(from)
    .map((name) => join(name, evidenceDir))
    .filter((dir) => hasSocket(resolve(from, dir)))
  const [only] = below
  if (only === undefined) throw none(from)
  if (below.length === 1) return only
  throw new ControlError(
    'EINVAL',
    `${below.length} kernels have their directory below this folder; name one: ${below
      .slice(0, limits.pidsNamedMax)
      .map((dir) => `--dir ${dir}`)
      .join(', ')}`,
  )
}

const hasSocket = (dir: string): boolean => existsSync(join(dir, controlFolder))

function none(from: string): ControlError {
  const ended = ancestors(from)
    .map((folder) => join(folder, evidenceDir))
    .find((dir) => existsSync(dir))
  if (ended !== undefined && !canLookInto(ended))
    return new ControlError(
      'EACCES',
      `\`${relative(from, ended)}\` is closed to this user, and so is a kernel there; only its owner may ask it`,
    )
  return new ControlError(
    'ENOENT',
    ended === undefined
      ? `no kernel runs here: there is no \`${evidenceDir}\` in this folder, above it, or one folder below; name its directory with --dir`
      : `no kernel runs here: the one that kept \`${relative(from, ended)}\` has ended, or does not listen`,
  )
}

function canLookInto(dir: string): boolean {
  try {
    lstatSync(join(dir, controlFolder), { throwIfNoEntry: false })
    return true
  } catch {
    return false
  }
}

function ancestors(folder: string): readonly string[] {
  const above = dirname(folder)
  return above === folder ? [folder] : [folder, ...ancestors(above)]
}

/** Links are left out: where they lead is not below this folder. */
const foldersIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .slice(0, limits.listMax)
    .map(({ name }) => name)
