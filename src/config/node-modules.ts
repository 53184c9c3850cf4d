/** Modules of Node.js as a program sees them: which are served over syscalls, and what to use in place of the others. */

import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'

/** Where the modules lie that are served: text for user space, bundled into a program that imports them. */
export const shimFolder = fileURLToPath(new URL('./shims/', import.meta.url))

/** A module of Node.js → the file of the shim folder that serves it. */
const served: Readonly<Record<string, string>> = {
  assert: 'assert.cjs',
  'assert/strict': 'assert-strict.cjs',
  async_hooks: 'async-hooks.js',
  buffer: 'buffer.js',
  console: 'console.js',
  constants: 'constants.js',
  crypto: 'crypto.js',
  events: 'events.cjs',
  fs: 'fs.js',
  'fs/promises': 'fs-promises.js',
  os: 'os.js',
  path: 'path.js',
  'path/posix': 'path.js',
  perf_hooks: 'perf-hooks.js',
  process: 'process.js',
  querystring: 'querystring.js',
  stream: 'stream.cjs',
  'stream/promises': 'stream-promises.js',
  'stream/web': 'stream-web.js',
  string_decoder: 'string-decoder.js',
  timers: 'timers.js',
  'timers/promises': 'timers-promises.js',
  url: 'url.js',
  util: 'util.js',
  'util/types': 'util-types.js',
}

/** What user space offers in place of a module that is not served. */
const doorFor: Readonly<Record<string, string>> = {
  http: 'the global `fetch`',
  https: 'the global `fetch`',
  http2: 'the global `fetch`',
  child_process: '`proc.spawn` for agent code, or a tool of the application for a command of the host',
  worker_threads: '`proc.spawn`',
  cluster: '`proc.spawn`',
  zlib: 'the global `CompressionStream`, or a package such as `fflate`',
  module: '`import`: a program is bundled when it starts',
  vm: '`proc.spawn`, which gives the code a process and a policy of its own',
}

const host = 'run it with isolation `host`, or offer it as a tool'

/** @returns the module's name without its prefix; undefined where Node.js has none of that name */
export function nodeModule(specifier: string): string | undefined {
  const name = specifier.replace(/^node:/, '')
  return name !== specifier || builtinModules.includes(name) ? name : undefined
}

/** @param name as `nodeModule` gives it @returns the file that serves the module, or undefined */
export const shimOf = (name: string): string | undefined =>
  Object.hasOwn(served, name) ? `${shimFolder}${served[name]}` : undefined

/** @returns what would serve in place of a module that is not there, as an advice */
export function insteadOf(name: string): string {
  const [family = ''] = name.split('/')
  const door = Object.hasOwn(doorFor, family) ? doorFor[family] : undefined
  return door === undefined ? host : `use ${door}`
}

/** @returns names of all modules that are served */
export const servedModules = (): readonly string[] => Object.keys(served).toSorted()
