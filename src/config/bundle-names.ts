/** How files of a program are called in messages, stack traces and evidence: never by a path of the host. */

import { dirname, relative, sep } from 'node:path'
import { limits } from '../limits.ts'
import { shimFolder } from './node-modules.ts'
import type { Territory } from './territory.ts'

const packages = `${sep}node_modules${sep}`
const slashes = (path: string): string => path.split(sep).join('/')

/**
 * @param path a real path
 * @returns from the program's own file: `agent.ts`, `../lib/a.ts`; `node_modules/zod/index.js` for a package wherever it
 * lies, and `node:fs` for a module of Node.js that is served
 */
export function shownName({ entry, isInside }: Territory, path: string): string {
  const at = path.lastIndexOf(packages)
  if (path.startsWith(shimFolder)) return `node:${path.slice(shimFolder.length).replace(/\.c?js$/, '')}`
  if (at >= 0) return slashes(path.slice(at + 1))
  return isInside(path) ? slashes(relative(dirname(entry), path)) : 'a file outside the program'
}

/** @returns `@langchain/core` for a file of that package; undefined for a file of the program itself */
export function packageOf(path: string): string | undefined {
  const at = path.lastIndexOf(packages)
  if (at < 0) return undefined
  const [first = '', second = ''] = path.slice(at + packages.length).split(sep)
  return first.startsWith('@') ? `${first}/${second}` : first
}

/** Which file imported which, as far as a bundle got. */
export class ImportGraph {
  readonly #importers = new Map<string, Set<string>>()
  readonly #territory: Territory

  constructor(territory: Territory) {
    this.#territory = territory
  }

  add(path: string, importer: string): void {
    const known = this.#importers.get(path)
    if (known === undefined) this.#importers.set(path, new Set([importer]))
    else known.add(importer)
  }

  /**
   * @param importer the file whose import something is about, and what it imports
   * @returns the shortest way from the program's file, packages as one step each: `agent.ts → lib/a.ts → pg → node:net`
   */
  chain(importer: string, specifier: string): string {
    const steps: string[] = []
    for (const path of this.#wayTo(importer)) {
      const step = packageOf(path) ?? shownName(this.#territory, path)
      if (steps.at(-1) !== step) steps.push(step)
    }
    const far = limits.importStepsShownMax
    const shown = steps.length > 2 * far ? [...steps.slice(0, far), '…', ...steps.slice(-far)] : steps
    return [...shown, specifier].join(' → ')
  }

  #wayTo(path: string): readonly string[] {
    const { entry } = this.#territory
    // From the far end back, so that each step knows the next.
    const next = new Map<string, string>()
    const queue = [path]
    for (const file of queue) {
      if (file === entry) break
      for (const importer of [...(this.#importers.get(file) ?? [])].toSorted()) {
        if (next.has(importer) || importer === path) continue
        next.set(importer, file)
        queue.push(importer)
      }
    }
    const way = [entry]
    for (let at = next.get(entry); at !== undefined; at = next.get(at)) way.push(at)
    return way.at(-1) === path ? way : [...way, path]
  }
}
