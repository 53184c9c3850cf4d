/** Files as a bundle takes them in: read once, within bounds, and remembered so that one knows when it is out of date. */

import { realpathSync } from 'node:fs'
import { dirname, extname, join, resolve } from 'node:path'
import type { Loader, OnLoadResult } from 'esbuild'
import { systemClock } from '../clock.ts'
import { limits } from '../limits.ts'
import { shownName } from './bundle-names.ts'
import { type FilePrint, type Fingerprint, filePrint, folderPrint, stampOf } from './fingerprint.ts'
import { shimFolder } from './node-modules.ts'
import { foldersAbove, readSource, type Territory } from './territory.ts'

const loaders: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.jsx': 'jsx',
  '.json': 'json',
}

/** A name of Node.js that a program asks for before it uses it: that asks for Node.js itself, which is not there. */
const asksFor = /\btypeof([ (])(process|Buffer)\b(?!\s*[.([])(?!\?\.)/g

const nodeNames = /\b(process|Buffer|setImmediate|clearImmediate)\b/

export class SourceReader {
  readonly #territory: Territory
  readonly #files = new Map<string, FilePrint>()
  readonly #folders = new Map<string, string>()
  readonly #leftOut = new Set<string>()
  #bytes = 0
  readonly #naming = new Set<string>()

  constructor(territory: Territory) {
    this.#territory = territory
    for (const folder of foldersAbove(territory.entry)) this.#look(folder)
  }

  /** What the bundle was made of. */
  get fingerprint(): Fingerprint {
    return { files: this.#files, folders: this.#folders }
  }

  /** @returns whether a file may use a name that only Node.js has, without asking for it */
  usesNames(path: string): boolean {
    return this.#naming.has(path)
  }

  /** @param inputs what packages leave out, from the program's folder */
  leaveOut(inputs: readonly string[]): void {
    for (const input of inputs) this.#leftOut.add(resolve(this.#territory.root, input))
  }

  /** @param path a file that is the program's, or the kernel's own for user space */
  load(path: string): OnLoadResult | undefined {
    if (this.#leftOut.has(path)) return undefined
    const shown = shownName(this.#territory, path)
    const stamp = stampOf(path) ?? ''
    const read = readSource(path)
    if (typeof read === 'string') return { errors: [{ text: `\`${shown}\` ${read}` }] }
    if (!this.#files.has(path)) this.#bytes += read.length
    // What the kernel brings changes with the kernel.
    if (!path.startsWith(shimFolder)) {
      this.#files.set(path, filePrint(path, read, stamp, systemClock.now()))
      for (const folder of foldersAbove(realpathSync(path))) {
        if (this.#folders.has(folder) || !this.#territory.isInside(folder)) break
        this.#look(folder)
      }
    }
    const problem = this.#problem()
    if (problem !== undefined) return { errors: [{ text: `\`${shown}\` ${problem}` }] }
    const loader = loaders[extname(path)] ?? 'js'
    if (loader === 'json') return { contents: read, loader }
    const contents = withoutNode(read)
    if (!path.startsWith(shimFolder) && nodeNames.test(contents.toString())) this.#naming.add(path)
    return { contents, loader }
  }

  /** Where something was looked for and may be found later. */
  missed(specifier: string, folder: string, isMissing: boolean): void {
    if (!isMissing) return
    if (specifier.startsWith('.')) return this.#look(dirname(resolve(folder, specifier)))
    const [scope = ''] = specifier.split('/')
    if (!scope.startsWith('@')) return
    for (const above of [folder, ...foldersAbove(folder)]) this.#look(join(above, 'node_modules', scope))
  }

  #look(folder: string): void {
    if (!this.#folders.has(folder)) this.#folders.set(folder, folderPrint(folder, this.#territory))
  }

  #problem(): string | undefined {
    if (this.#files.size > limits.programFilesMax)
      return `is one file more than the ${limits.programFilesMax} that a program can be made of`
    if (this.#bytes > limits.programSourcesMax)
      return `does not fit: the program's sources have more than ${limits.programSourcesMax} bytes together`
    return undefined
  }
}

/** Each answer has the length of the question, so that lines and columns stay what they are. */
function withoutNode(read: Buffer): Buffer | string {
  if (!read.includes('typeof')) return read
  const text = read.toString()
  const rest = text.replace(asksFor, '')
  const own = new Set(['process', 'Buffer'].filter((name) => declares(rest, name)))
  return text.replace(asksFor, (question, between: string, name: string) =>
    own.has(name) ? question : `typeof${between}void ${' '.repeat(name.length - 6)}0`,
  )
}

/** Whether a file may have a name of its own that is called so: then it asks for that. Linear in the text. */
const declares = (text: string, name: string): boolean =>
  new RegExp(
    `\\b(?:function\\*?|const|let|var|class|import|as)\\s+${name}\\b|[{,]\\s*${name}\\s*[,}=]|\\(${name}\\)\\s*(?:=>|\\{)|[(,]\\s*${name}\\s*(?:,[^()]{0,200})?\\)\\s*(?:=>|\\{)`,
  ).test(text)
