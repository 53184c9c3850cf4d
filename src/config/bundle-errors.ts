/** Why a program cannot be bundled, as one text: the place, the line, and which imports led there. */

import { basename, resolve } from 'node:path'
import type { BuildFailure, Location, Message } from 'esbuild'
import { limits } from '../limits.ts'
import { shownName } from './bundle-names.ts'
import { type BundleParts, discreet } from './imports.ts'
import { nodeModule, servedModules } from './node-modules.ts'
import type { Territory } from './territory.ts'

export const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && Array.isArray(Reflect.get(error, 'errors'))

/**
 * @param file the program's file
 * @param errors what esbuild says
 * @returns what a person reads; no path of the host is in it but those that the program's own text names
 */
export function describeFailure(file: string, errors: readonly Message[], parts: BundleParts): string {
  const [first] = errors.toSorted(byUse)
  if (first === undefined) return `\`${file}\` cannot be bundled`
  const { location } = first
  const path = location === null ? parts.territory.entry : resolve(parts.territory.root, location.file)
  const place = location === null ? basename(file) : placeOf(location, shownName(parts.territory, path))
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const text = `\`${place}\`: ${whatIsWrong(first, path, parts)}${more}${advice(errors)}`
  return text.slice(0, limits.errorTextMax).toWellFormed()
}

/** What the author can change comes first: errors in the program's own files, in the order of their lines. */
const byUse = (one: Message, other: Message): number => weight(one) - weight(other)
const weight = ({ location }: Message): number => (location?.file.includes('node_modules/') ? 1 : 0)

const placeOf = ({ line, column }: Location, shown: string): string => `${shown}:${line}:${column + 1}`

function whatIsWrong(error: Message, path: string, { graph, territory }: BundleParts): string {
  const text = discreet(withoutPaths(error.text, territory))
  const specifier = importOf(error)
  // What cannot be read is shown; what cannot be found is named.
  const isText = error.pluginName === '' && !error.text.startsWith('Could not resolve')
  if (specifier === undefined) return isText ? `${text}${lineOf(error.location)}` : text
  const chain = graph.chain(path, specifier)
  return path === territory.entry ? text : `${text} (${chain})`
}

/** @returns what an error is about, where that is an import */
function importOf({ text, detail }: Message): string | undefined {
  const path = typeof detail === 'object' && detail !== null ? Reflect.get(detail, 'path') : undefined
  return typeof path === 'string' ? path : /^Could not resolve "(.*)"$/.exec(text)?.[1]
}

/** esbuild names files from the folder that it works in. */
const withoutPaths = (text: string, territory: Territory): string =>
  text.replace(
    /^(No matching export in )"(.*?)"/,
    (_all, before: string, path: string) =>
      `${before}"${shownName(territory, resolve(territory.root, path))}"`,
  )

function lineOf(location: Location | null): string {
  const line = location?.lineText.trim() ?? ''
  return line === '' ? '' : `: \`${line.slice(0, limits.sourceLineShownMax)}\``
}

/** Where a package imports what is not there, its author has to do without, or the program says that it does. */
function advice(errors: readonly Message[]): string {
  const names = errors
    .filter(({ location }) => location?.file.includes('node_modules/'))
    .flatMap((error) => nodeModule(importOf(error) ?? '') ?? [])
    .filter((name) => !servedModules().includes(name))
  if (names.length === 0) return ''
  const list = JSON.stringify([...new Set(names)].toSorted())
  return `; if the program never uses that part of the package, say so in the program's package.json: "gatehouse": { "without": ${list} }`
}
