/** What a program may import: sources and JSON of its own folder, and of the packages that resolution finds from it. */

import { existsSync, realpathSync } from 'node:fs'
import { basename, isAbsolute, resolve } from 'node:path'
import type { OnResolveArgs, OnResolveResult, PartialMessage, Plugin, PluginBuild } from 'esbuild'
import { limits } from '../limits.ts'
import { absentFromNode, absentModule } from './absent.ts'
import { type ImportGraph, packageOf } from './bundle-names.ts'
import type { SourceReader } from './bundle-sources.ts'
import { nodeModule, shimFolder, shimOf } from './node-modules.ts'
import { isSource, sourceExtensions, type Territory } from './territory.ts'

const instead = 'mount it and read it with `fs`, or pass it as an argument'
const outside = (path: string): string => `\`${path}\` lies outside the program's folder; ${instead}`
/** One text for what is missing, is no source and leads out by a link, so that it does not tell which. */
const noSource = (path: string): string =>
  /^[\w@]/.test(path) && !/[:\\]/.test(path)
    ? `\`${path}\` is no source or JSON file in the program's folder or its packages; a package: \`npm install ${packageName(path)}\` there; a file: ${instead}`
    : `\`${path}\` is no source or JSON file in the program's folder or its packages; ${instead}`
/** One text for imports whose path is put together, which esbuild expands without asking for each. */
const noPattern = `an import with a wildcard finds nothing, or what lies outside the program's folder; ${instead}`

const packageName = (path: string): string =>
  path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/')

/** @returns an error's text, without what it would tell about files outside */
export function discreet(text: string): string {
  const [, path] = /^Could not resolve "(.*)"$/.exec(text) ?? []
  if (path !== undefined) return nodeModule(path) === undefined ? noSource(path) : absentFromNode(path)
  return /^Could not resolve (import|require)\(/.test(text) ? noPattern : text
}

/** What a bundle is made with; `graph` and `sources` learn from it. */
export interface BundleParts {
  readonly territory: Territory
  readonly graph: ImportGraph
  readonly sources: SourceReader
  /** Modules of Node.js that the program says it does without, where a package imports them. */
  readonly without: ReadonlySet<string>
}

/**
 * Keeps a bundle to what its author wrote: an agent's file may come from a model, and whatever it imports becomes part
 * of the program without a call that a policy could judge.
 */
export function userSpace(parts: BundleParts): Plugin {
  const { territory, sources } = parts
  const own = new Set<string>()
  return {
    name: 'gatehouse-user-space',
    setup(bundle) {
      bundle.onResolve({ filter: /^gatehouse\/guest$/ }, ({ path }) => ({ path, external: true }))
      bundle.onResolve({ filter: /.*/ }, (args) => {
        if (args.pluginData === asked) return undefined
        if (args.kind === 'entry-point') return args.path.startsWith(shimFolder) ? shim(args.path) : undefined
        const isOurs = args.importer.startsWith(shimFolder) || own.has(args.importer)
        return isOurs ? resolveOwn(bundle, args, own) : resolveImport(bundle, args, parts)
      })
      bundle.onLoad({ filter: /.*/, namespace: absentModule.namespace }, absentModule.load)
      // Also for what reaches no onResolve.
      bundle.onLoad({ filter: /.*/ }, ({ path, namespace, with: attributes }) => {
        // A module that a `browser` map leaves out.
        if (namespace === '') return { contents: '' }
        const isOurs = path.startsWith(shimFolder) || own.has(path)
        if (namespace !== 'file' || !isPlain(attributes)) return { errors: [loadProblem(path, territory)] }
        // The marker of a file that a `browser` map leaves out.
        if (!isOurs && !existsSync(path)) return undefined
        if (!isOurs && !isSource(path, territory)) return { errors: [loadProblem(path, territory)] }
        return sources.load(path)
      })
    },
  }
}

/** Marks the plugin's own question to esbuild. */
const asked = Symbol('asked')

const isPlain = (attributes: Readonly<Record<string, string>>): boolean =>
  Object.entries(attributes).every(([name, value]) => name === 'type' && value === 'json')

const ask = (bundle: PluginBuild, { path, importer, resolveDir, kind, namespace, ...rest }: OnResolveArgs) =>
  bundle.resolve(path, { importer, resolveDir, kind, namespace, with: rest.with, pluginData: asked })

/** What nothing of a program uses is left out of it. */
const shim = (path: string): OnResolveResult => ({ path, sideEffects: false })

/** Modules that the kernel brings with it, and the packages that they are made of. */
async function resolveOwn(bundle: PluginBuild, args: OnResolveArgs, own: Set<string>) {
  // A slash at the end means the package of that name.
  const file = args.path.endsWith('/') ? undefined : shimOf(nodeModule(args.path) ?? '')
  if (file !== undefined) return shim(file)
  const found = await ask(bundle, args)
  if (found.errors.length > 0 || !existsSync(found.path)) return undefined
  own.add(found.path)
  return shim(found.path)
}

async function resolveImport(
  bundle: PluginBuild,
  args: OnResolveArgs,
  parts: BundleParts,
): Promise<OnResolveResult | undefined> {
  const { territory, graph } = parts
  const name = nodeModule(args.path)
  const text = name === undefined ? problemOf(args, territory) : undefined
  if (text !== undefined) return { errors: [{ text, detail: args }] }
  const found = await ask(bundle, args)
  const isFound = found.errors.length === 0 && !found.external
  if (name !== undefined && !(isFound && (shimOf(name) === undefined || isMapped(found, name))))
    return resolveNode(args, name, parts)
  const problem = problemOfTarget(args.path, found, territory)
  if (problem !== undefined) return { errors: [{ text: problem, detail: args }] }
  parts.sources.missed(args.path, args.resolveDir, !isFound)
  if (found.namespace === 'file' && found.path !== territory.entry) graph.add(found.path, args.importer)
  return undefined
}

type Found = Awaited<ReturnType<PluginBuild['resolve']>>

/** Whether the importing package has another file in place of a module of Node.js, or none; a package of that name is neither. */
const isMapped = ({ path, namespace }: Found, name: string): boolean =>
  namespace !== 'file' || packageOf(path) !== name

function resolveNode(
  args: OnResolveArgs,
  name: string,
  { without }: BundleParts,
): OnResolveResult | undefined {
  const file = shimOf(name)
  if (file !== undefined) return shim(file)
  if (without.has(name) || args.kind === 'dynamic-import') return absentModule.resolve(args, name, without)
  // Where a package only tries it, esbuild makes an error at run time of it, as in Node.js; else it says so.
  if (args.kind === 'require-call' || args.kind === 'require-resolve') return undefined
  return { errors: [{ text: absentFromNode(args.path), detail: args }] }
}

/** What the import's text alone says; nothing is looked for. */
function problemOf({ path, with: attributes, resolveDir, kind }: OnResolveArgs, { isInside }: Territory) {
  if (!isPlain(attributes)) {
    const shown = Object.entries(attributes).map(([key, value]) => `${key}: '${value}'`)
    return `\`${path}\` is imported with \`${shown.join(', ')}\`; only \`type: 'json'\` is taken: ${instead}`
  }
  if (path.length > limits.importPathMax)
    return `an import names a path of ${path.length} characters, at most ${limits.importPathMax} are taken`
  if (/^([a-z][a-z0-9+.-]+:|\/\/)/i.test(path))
    return `\`${path.slice(0, 80)}\` is a URL; a program imports its own files and packages`
  if (/\.wasm$/i.test(path)) return `\`${path}\` is WebAssembly, which user space does not have`
  if (/\.node$/i.test(path) && kind !== 'require-call')
    return `\`${path}\` is machine code for Node.js, which user space cannot run; offer what it does as a tool`
  const isFile = isAbsolute(path) || /^\.\.?([/\\]|$)/.test(path)
  const leaves = isFile ? !isInside(resolve(resolveDir, path)) : path.split(/[/\\]/).includes('..')
  return leaves ? outside(path) : undefined
}

/** What esbuild finds, with `browser` and `imports` of a package.json, `NODE_PATH` and links. */
function problemOfTarget(path: string, found: Found, territory: Territory) {
  const { errors, external, suffix } = found
  if (external || suffix !== '') return noSource(path)
  // esbuild says so itself, as a warning where a package can do without; or a `browser` map leaves the file out.
  if (errors.length > 0 || !existsSync(found.path)) return undefined
  return found.namespace === 'file' && isSource(found.path, territory) ? undefined : noSource(path)
}

const loadProblem = (path: string, { entry }: Territory): PartialMessage => ({
  text:
    existsSync(path) && realpathSync(path) === entry
      ? `\`${basename(path)}\` is no program; it ends in one of ${sourceExtensions.slice(0, -1).join(', ')}`
      : noPattern,
})
