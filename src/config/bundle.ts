/** One program made of an agent's file, what it imports of its own folder and from npm, by esbuild. */

import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type BuildOptions, type BuildResult, context } from 'esbuild'
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { describeFailure, isBuildFailure } from './bundle-errors.ts'
import { ImportGraph, shownName } from './bundle-names.ts'
import { SourceReader } from './bundle-sources.ts'
import type { Fingerprint } from './fingerprint.ts'
import { type BundleParts, userSpace } from './imports.ts'
import { shimFolder, shimOf } from './node-modules.ts'
import type { Territory } from './territory.ts'

export interface Bundle {
  /** An ES module whose only imports are `gatehouse/guest`. */
  readonly text: string
  /** A source map (ECMA-426) as JSON, whose sources have the names that are shown. */
  readonly map: string
  readonly fingerprint: Fingerprint
}

/**
 * @param file as it was named
 * @param territory of that file
 * @throws KernelError EINVAL with file and line of what cannot be bundled, ETIMEDOUT
 */
export async function bundle(file: string, territory: Territory): Promise<Bundle> {
  const sources = new SourceReader(territory)
  const graph = new ImportGraph(territory)
  const parts: BundleParts = { territory, sources, graph, without: withoutOf(territory) }
  try {
    const { outputFiles = [], metafile } = await within(file, (signal) => made(parts, signal))
    const [map, text] = outputFiles
    const names = new Map(
      Object.keys(metafile?.inputs ?? {}).map((input) => [input, shownInput(input, territory)]),
    )
    return {
      text: renamed(text?.text ?? '', names),
      map: withNames(map?.text ?? 'null', territory),
      fingerprint: sources.fingerprint,
    }
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    throw new KernelError('EINVAL', describeFailure(file, error.errors, parts))
  }
}

/** What a bundle needs beside its files, which only a first bundle tells. */
interface Needs {
  /** A file uses a name that only Node.js has. */
  readonly names: boolean
  /** A file imports `node:async_hooks`, whose contexts do not follow native async functions. */
  readonly contexts: boolean
}

async function made(parts: BundleParts, signal: AbortSignal): Promise<BuildResult> {
  const guess: Needs = { names: true, contexts: false }
  const first = await build(optionsFor(parts, guess), signal)
  const inputs = Object.entries(first.metafile?.inputs ?? {})
  // Only a bundle that is made tells which files a `browser` map leaves out.
  const leftOut = inputs
    .filter(([input, { bytes }]) => input.startsWith(disabled) && bytes > 0)
    .map(([input]) => input.slice(disabled.length))
  parts.sources.leaveOut(leftOut)
  const needs: Needs = {
    names: Object.values(first.metafile?.outputs ?? {}).some(({ inputs: taken }) =>
      Object.keys(taken).some((input) => parts.sources.usesNames(resolve(parts.territory.root, input))),
    ),
    contexts: inputs.some(([input]) => resolve(parts.territory.root, input) === contextsShim),
  }
  const isRight = leftOut.length === 0 && needs.names === guess.names && needs.contexts === guess.contexts
  return isRight ? first : build(optionsFor(parts, needs), signal)
}

/** How esbuild marks what a package leaves out. */
const disabled = '(disabled):'
const contextsShim = shimOf('async_hooks')

/** Names of Node.js that a file uses without asking for them; what no file uses is left out. */
const nodeNames = ['global-process.js', 'global-buffer.js', 'global-timers.js'].map(
  (name) => `${shimFolder}${name}`,
)

const optionsFor = (parts: BundleParts, { names, contexts }: Needs): BuildOptions => ({
  entryPoints: [parts.territory.entry],
  // Names in the bundle and its map begin here, wherever the application runs.
  absWorkingDir: parts.territory.root,
  bundle: true,
  write: false,
  metafile: true,
  format: 'esm',
  // A package with a build for browsers or workers made without Node.js gives that one: docs/decisions/bundles.md.
  platform: 'browser',
  conditions: ['worker', 'browser'],
  target: 'es2024',
  ...(contexts && { supported: { 'async-await': false, 'async-generator': false, 'for-await': false } }),
  charset: 'utf8',
  sourcemap: 'external',
  sourcesContent: false,
  outfile: join(parts.territory.root, 'bundle.js'),
  logLevel: 'silent',
  // A tsconfig.json could name files anywhere.
  tsconfigRaw: {},
  define: {
    'process.env.NODE_ENV': '"production"',
    global: 'globalThis',
    __dirname: '"/program"',
    __filename: '"/program/program.js"',
    'import.meta.url': '"file:///program/program.js"',
    'import.meta.dirname': '"/program"',
    'import.meta.filename': '"/program/program.js"',
  },
  inject: names ? nodeNames : [],
  plugins: [userSpace(parts)],
})

async function build(options: BuildOptions, signal: AbortSignal): Promise<BuildResult> {
  const work = await context(options)
  const cancel = (): void => void work.cancel()
  signal.addEventListener('abort', cancel)
  try {
    return await work.rebuild()
  } finally {
    signal.removeEventListener('abort', cancel)
    void work.dispose()
  }
}

/** A bundle in bounded time: what a package.json or a link has esbuild do is not up to the application. */
async function within<Made>(file: string, work: (signal: AbortSignal) => Promise<Made>): Promise<Made> {
  const end = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      end.abort()
      reject(new KernelError('ETIMEDOUT', `\`${file}\` was not bundled within ${limits.bundleMs} ms`))
    }, limits.bundleMs)
  })
  try {
    return await Promise.race([work(end.signal), late])
  } finally {
    clearTimeout(timer)
  }
}

/** @returns names of modules in `"gatehouse": { "without": [...] }` of the program's package.json */
function withoutOf({ root, entry }: Territory): ReadonlySet<string> {
  const path = join(root, 'package.json')
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat?.isFile() || stat.size > limits.programFileBytesMax) return new Set()
  const said = read(readFileSync(path, 'utf8'))
  if (said === undefined) return new Set()
  if (Array.isArray(said) && said.every((name) => typeof name === 'string'))
    return new Set(said.map((name) => name.replace(/^node:/, '')))
  throw new KernelError(
    'EINVAL',
    `\`gatehouse.without\` in the package.json of \`${entry.slice(dirname(entry).length + 1)}\` is a list of modules of Node.js, such as ["http"]`,
  )
}

function read(text: string): unknown {
  try {
    return JSON.parse(text)?.gatehouse?.without
  } catch (error) {
    // esbuild says what is wrong with it, where it reads it.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function shownInput(input: string, territory: Territory): string {
  if (input.startsWith(disabled)) return `${disabled}${shownInput(input.slice(disabled.length), territory)}`
  return /^[\w-]+:/.test(input) ? input : shownName(territory, resolve(territory.root, input))
}

/** esbuild writes the path of each file from the folder it works in, which for packages elsewhere tells of the host. */
function renamed(text: string, names: ReadonlyMap<string, string>): string {
  return text.replace(
    /^([ \t]*(?:\/\/ |"))([^"\n]{1,4096})((?:"\([a-z, ]{0,20}\) \{)?)$/gm,
    (all, before, name: string, after) => {
      const shown = names.get(name)
      return shown === undefined ? all : `${before}${shown}${after}`
    },
  )
}

function withNames(text: string, territory: Territory): string {
  const map: unknown = JSON.parse(text)
  if (typeof map !== 'object' || map === null || !('sources' in map) || !Array.isArray(map.sources))
    return text
  return JSON.stringify({ ...map, sources: map.sources.map((source) => shownInput(`${source}`, territory)) })
}
