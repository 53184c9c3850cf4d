/** Bundles the web runtime: each family of src/isolate/web, with the packages that it is made of, into one text. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile, type Plugin } from 'esbuild'
import { type Family, families } from '../src/isolate/web/families.ts'

const root = resolve(import.meta.dirname, '..')
const sources = join(root, 'src/isolate/web')
const built = join(sources, 'built')
const licensesFile = 'LICENSES.txt'

/** What user space does not have, is loaded apart, or is there already: import → the file that stands for it. */
const replaced: Readonly<Record<string, string>> = {
  tr46: 'lib/lazy-idna.js',
  'webidl-conversions': 'lib/conversions.js',
  '@exodus/bytes/encoding.js': 'lib/nothing.js',
  '@exodus/bytes/whatwg.js': 'lib/percent-utf8.js',
}

/** Of whatwg-url, which would make a TextEncoder of its own. */
const replacedWithin: Readonly<Record<string, string>> = { './encoding': 'lib/utf8.js' }

/** For families themselves, which bundle what is replaced for others. */
const real = 'real:'

const plugin: Plugin = {
  name: 'web runtime',
  setup({ onResolve, resolve: find }) {
    onResolve({ filter: /.*/ }, ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === real) return undefined
      if (path.startsWith(real)) return find(path.slice(real.length), { kind, resolveDir, pluginData: real })
      // Files of a package that its exports do not name.
      const inside = /^(@exodus\/bytes\/fallback\/.+)$/.exec(path)
      if (inside !== null) return { path: join(root, 'node_modules', path) }
      const by = /node_modules\/whatwg-url\//.test(importer) ? { ...replaced, ...replacedWithin } : replaced
      return Object.hasOwn(by, path) ? { path: join(sources, by[path] ?? '') } : undefined
    })
  },
}

/** @returns name of the file → its text */
async function bundle(): Promise<ReadonlyMap<string, string>> {
  const names = Object.keys(families) as Family[]
  const files = new Map<string, string>()
  const used = new Set<string>()
  for (const name of names) {
    const { outputFiles, metafile } = await build({
      entryPoints: [join(sources, `${name}.js`)],
      absWorkingDir: root,
      bundle: true,
      write: false,
      minify: true,
      metafile: true,
      format: 'iife',
      globalName: 'exported',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['import', 'default'],
      target: 'es2024',
      legalComments: 'none',
      logLevel: 'warning',
      // Packages look there for what a browser or Node.js would have.
      define: {
        ...{ globalThis: 'scope', self: 'scope', window: 'scope', global: 'scope', process: 'undefined' },
        // There is none; whatwg-url asks how one would be told from others, and never does.
        SharedArrayBuffer: 'ArrayBuffer',
      },
      // Names of files within are relative to the root.
      preserveSymlinks: true,
      banner: { js: `(function (web) {\n'use strict'\nconst { scope } = web` },
      footer: { js: `${naming(families[name])}return exported\n})\n//# sourceURL=gatehouse:web/${name}` },
      plugins: [plugin],
    })
    files.set(`${name}.txt`, outputFiles[0]?.text ?? '')
    for (const folder of packagesOf(metafile)) used.add(folder)
  }
  return files.set(licensesFile, licensesOf([...used].toSorted()))
}

/** Agent code sees the names of what it is given; in the bundle they are short ones. */
const naming = (names: readonly string[]): string =>
  names.length === 0
    ? ''
    : `for (const name of ${JSON.stringify(names)})
  Object.defineProperty(exported[name], 'name', { value: name, configurable: true })\n`

/** Folders of the packages that a bundle is made of. */
const packagesOf = ({ inputs }: Metafile): readonly string[] =>
  Object.keys(inputs).flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])

function licensesOf(folders: readonly string[]): string {
  const parts = folders.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry))
    if (file === undefined) throw new Error(`${name} has no licence file`)
    return `${name} ${version} (${license})\n\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`
  })
  return `The web runtime of user space is made of these packages, among others of its own.\n\n${parts.join('\n---\n\n')}`
}

const newest = (files: readonly string[]): number => Math.max(...files.map((file) => statSync(file).mtimeMs))

function isFresh(): boolean {
  const made = [...Object.keys(families).map((name) => `${name}.txt`), licensesFile].map((name) =>
    join(built, name),
  )
  if (!made.every((file) => existsSync(file))) return false
  const own = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(js|ts)$/.test(name),
  )
  const from = [...own.map((name) => join(sources, name)), fileURLToPath(import.meta.url)]
  const oldest = Math.min(...made.map((file) => statSync(file).mtimeMs))
  return newest([...from, join(root, 'package-lock.json')]) < oldest
}

/** Makes src/isolate/web/built, where it is not newer than all it is made of. Others may read it meanwhile. */
export async function buildWeb(): Promise<string> {
  if (isFresh()) return built
  const files = await bundle()
  mkdirSync(built, { recursive: true })
  for (const name of readdirSync(built)) if (!files.has(name)) rmSync(join(built, name))
  for (const [name, text] of files) {
    const part = join(built, `.${name}.${process.pid}`)
    mkdirSync(dirname(part), { recursive: true })
    writeFileSync(part, text)
    renameSync(part, join(built, name))
  }
  return built
}
