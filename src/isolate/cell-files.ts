/** What a cell has to read of the host, found once per launch: its own program, and the packages it runs on. */
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KernelError } from '../errors.ts'

/** The packages a cell loads, each with those it asks for itself. */
const packages = { 'isolated-vm': ['node-gyp-build'] } as const

export interface CellFiles {
  /** The program, without symbolic links in its path. */
  readonly entry: string
  /** Files and folders of the program, with all below them. */
  readonly own: readonly string[]
  /** Folders of packages, without symbolic links in their paths. */
  readonly packages: readonly string[]
  /** Symbolic links on the way from the program to its packages. */
  readonly links: readonly Link[]
}

interface Link {
  readonly path: string
  readonly target: string
}

// Built code runs from .js, the source tree from .ts.
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/**
 * @param program another program than that of a cell, for tests of what a cell may not do
 * @throws KernelError ENOENT where a package that a cell needs is not installed
 */
export function findCellFiles(program?: string): CellFiles {
  const folder = realpathSync(fileURLToPath(new URL('.', import.meta.url)))
  const links: Link[] = []
  const find = (from: string, name: string): string => follow(findPackage(from, name), links)
  const found = Object.entries(packages).flatMap(([name, needed]) => {
    const first = find(folder, name)
    return [first, ...needed.map((other) => find(first, other))]
  })
  // Of the other folders, code of this one imports nothing but these: the walls see to it.
  const above = dirname(folder)
  const own = [`${folder}/`, ...['errors', 'limits'].map((name) => join(above, `${name}.${extension}`))]
  const manifest = join(dirname(above), 'package.json')
  const entry = program === undefined ? join(folder, `cell.${extension}`) : realpathSync(program)
  const all = [...own, ...(existsSync(manifest) ? [manifest] : []), ...(program === undefined ? [] : [entry])]
  return { entry, own: all, packages: found, links }
}

/** Where Node.js finds a package that is asked for by code in `folder`. */
function findPackage(folder: string, name: string): string {
  const places = createRequire(join(folder, 'x.js')).resolve.paths(name) ?? []
  const path = places
    .map((place) => join(place, name))
    .find((place) => existsSync(join(place, 'package.json')))
  if (path !== undefined) return path
  throw new KernelError(
    'ENOENT',
    `the package \`${name}\`, which cells run on, is not installed; run \`npm install\``,
  )
}

/** @returns the path without symbolic links, which are added to `links` */
function follow(path: string, links: Link[]): string {
  const parts = path.split(sep)
  for (let count = 2; count <= parts.length; count += 1) {
    const place = parts.slice(0, count).join(sep)
    if (!lstatSync(place).isSymbolicLink()) continue
    const target = resolve(dirname(place), readlinkSync(place))
    if (!links.some((link) => link.path === place)) links.push({ path: place, target })
    return follow(join(target, ...parts.slice(count)), links)
  }
  return path
}

/**
 * The flags that take files, children, workers, the inspector and where Node.js can the network from a cell.
 * @throws KernelError EINVAL for a path that these flags cannot name
 */
export function permissionFlags(files: CellFiles): readonly string[] {
  const readable = [
    ...files.own,
    ...files.packages.map((folder) => `${folder}/`),
    ...files.links.map(({ path }) => path),
    // node-gyp-build asks whether it is there.
    ...(process.platform === 'linux' ? ['/etc/alpine-release'] : []),
  ]
  for (const path of readable)
    if (path.includes('*'))
      throw new KernelError(
        'EINVAL',
        'gatehouse is installed below a folder whose name has a `*`, for which the permissions of a cell would mean more than that folder; install it elsewhere',
      )
  return [
    // isolated-vm asks for it, for Node.js 20 and later.
    '--no-node-snapshot',
    '--permission',
    '--allow-addons',
    ...readable.map((path) => `--allow-fs-read=${path}`),
    // SQLite opens files past the permission model.
    '--no-experimental-sqlite',
    // Otherwise a signal opens the inspector to every process of this user.
    '--disable-sigusr1',
  ]
}
