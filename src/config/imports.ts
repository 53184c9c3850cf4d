/** What a program may import: sources and JSON of its own folder, and of the packages that resolution finds from it. */

import { existsSync, realpathSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { OnResolveArgs, PartialMessage, Plugin, PluginBuild } from 'esbuild'

const sourceExtensions = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json']

/** What user space offers in place of a module of Node.js, where it does. */
const doorFor: Readonly<Record<string, string>> = {
  fs: 'the global `fs`',
  'fs/promises': 'the global `fs`',
  http: 'the global `fetch`',
  https: 'the global `fetch`',
  timers: 'the global timers',
  'timers/promises': 'the global timers',
  child_process: '`proc.spawn`',
  crypto: 'the global `crypto`',
  console: 'the global `console`',
}

const instead = 'mount it and read it with `fs`, or pass it as an argument'
const outside = (path: string): string => `\`${path}\` lies outside the program's folder; ${instead}`
/** One text for what is missing, is no source and leads out by a link, so that it does not tell which. */
const noSource = (path: string): string =>
  `\`${path}\` is no source or JSON file in the program's folder or its packages; ${instead}`
/** One text for imports whose path is put together, which esbuild expands without asking for each. */
const noPattern = `an import with a wildcard finds nothing, or what lies outside the program's folder; ${instead}`

/** @returns an error's text, without what it would tell about files outside */
export function discreet(text: string): string {
  const [, path] = /^Could not resolve "(.*)"$/.exec(text) ?? []
  if (path !== undefined) return noSource(path)
  return /^Could not resolve (import|require)\(/.test(text) ? noPattern : text
}

/**
 * Keeps a bundle to what its author wrote: an agent's file may come from a model, and whatever it imports becomes part
 * of the program without a call that a policy could judge.
 * @param entry the program's file, which exists
 */
export function userSpace(entry: string): Plugin {
  const isInside = territoryOf(realpathSync(entry))
  return {
    name: 'gatehouse-user-space',
    setup(bundle) {
      bundle.onResolve({ filter: /^gatehouse\/guest$/ }, ({ path }) => ({ path, external: true }))
      bundle.onResolve({ filter: /.*/ }, async (args) => {
        if (args.kind === 'entry-point' || args.pluginData === asked) return undefined
        const text = problemOf(args, isInside) ?? (await problemOfTarget(bundle, args, isInside))
        return text === undefined ? undefined : { errors: [{ text }] }
      })
      // Also for what reaches no onResolve.
      bundle.onLoad({ filter: /.*/ }, ({ path, namespace, with: attributes }) =>
        namespace === 'file' && isPlain(attributes) && (!existsSync(path) || isSource(path, isInside))
          ? undefined
          : { errors: [loadProblem(path, entry)] },
      )
    },
  }
}

type IsInside = (path: string) => boolean

/** Marks the plugin's own question to esbuild. */
const asked = Symbol('asked')

/** The nearest folder with a package.json, else the file's own, and every `node_modules` that Node.js would look into. */
function territoryOf(entry: string): IsInside {
  const above = foldersAbove(entry)
  const root = above.find((folder) => existsSync(join(folder, 'package.json'))) ?? dirname(entry)
  const packages = above
    .map((folder) => join(folder, 'node_modules'))
    .filter((folder) => existsSync(folder))
    .map((folder) => realpathSync(folder))
    // A link of that name to any other folder is no folder of packages.
    .filter((folder) => basename(folder) === 'node_modules')
  return (path) => [root, ...packages].some((folder) => isWithin(folder, path))
}

function foldersAbove(path: string): readonly string[] {
  const folder = dirname(path)
  return folder === path ? [] : [folder, ...foldersAbove(folder)]
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

function isSource(path: string, isInside: IsInside): boolean {
  try {
    const real = realpathSync(path)
    return isInside(real) && sourceExtensions.includes(extname(real))
  } catch {
    return false
  }
}

const isPlain = (attributes: Readonly<Record<string, string>>): boolean =>
  Object.entries(attributes).every(([name, value]) => name === 'type' && value === 'json')

/** What the import's text alone says; nothing is looked for. */
function problemOf({ path, with: attributes, resolveDir }: OnResolveArgs, isInside: IsInside) {
  const name = path.replace(/^node:/, '')
  if (builtinModules.includes(name)) {
    const door = doorFor[name]
    const help = door === undefined ? 'run it with isolation `host`, or offer it as a tool' : `use ${door}`
    return `user space has no module \`${path}\`; ${help}`
  }
  if (!isPlain(attributes)) {
    const shown = Object.entries(attributes).map(([key, value]) => `${key}: '${value}'`)
    return `\`${path}\` is imported with \`${shown.join(', ')}\`; only \`type: 'json'\` is taken: ${instead}`
  }
  if (/^([a-z][a-z0-9+.-]+:|\/\/)/i.test(path))
    return `\`${path.slice(0, 80)}\` is a URL; a program imports its own files and packages`
  const isFile = isAbsolute(path) || /^\.\.?([/\\]|$)/.test(path)
  const leaves = isFile ? !isInside(resolve(resolveDir, path)) : path.split(/[/\\]/).includes('..')
  return leaves ? outside(path) : undefined
}

/** What esbuild finds, with `browser` and `imports` of a package.json, `NODE_PATH` and links. */
async function problemOfTarget(
  bundle: PluginBuild,
  { path, importer, resolveDir, kind, namespace, with: attributes }: OnResolveArgs,
  isInside: IsInside,
) {
  const found = await bundle.resolve(path, {
    ...{ importer, resolveDir, kind, namespace, with: attributes },
    pluginData: asked,
  })
  const { errors, external, suffix } = found
  if (external || suffix !== '') return noSource(path)
  // esbuild says so itself, as a warning where a package can do without; or a `browser` map leaves the file out.
  if (errors.length > 0 || !existsSync(found.path)) return undefined
  return found.namespace === 'file' && isSource(found.path, isInside) ? undefined : noSource(path)
}

const loadProblem = (path: string, entry: string): PartialMessage => ({
  text:
    resolve(path) === realpathSync(entry)
      ? `\`${basename(path)}\` is no program; it ends in one of ${sourceExtensions.slice(0, -1).join(', ')}`
      : noPattern,
})
