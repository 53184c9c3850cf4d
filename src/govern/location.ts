/** Where a function stands in its author's file: the engine knows the script, a source map the file. */
import { basename, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readHostLine, readSourceMap, type SourceMap } from '../config/source-map.ts'
import { methodAt } from './enclosing-class.ts'
import type { Position } from './free-names.ts'
import { type Import, importsOf } from './imports.ts'
import { type Script, scriptOf } from './inspect.ts'
import type { AnyFunction } from './refusal.ts'
import { parseScript } from './tree.ts'

export interface Place {
  /** `desk.ts:14`, relative to the working directory; or `line 3 of the function` where that is all one can know. */
  readonly where: string
  /** The module that the name comes from, if it was imported; with what was taken from it, `*` for all. */
  readonly module?: string
  readonly imported?: string
  /** The method's class and name, where the function is one. */
  readonly method?: string
}

export interface Asked {
  readonly name: string
  readonly at: Position
  readonly members: readonly string[]
}

/**
 * Asks the engine; slow (some ms), so only a refusal does it. Never pauses, and goes unseen by an attached debugger.
 * @param fn the function
 * @param text its own source
 * @param asked names used in it
 * @returns one place for each, in the same order
 */
export function placesOf(fn: AnyFunction, text: string, asked: readonly Asked[]): readonly Place[] {
  const script = scriptOf(fn)
  // The engine points somewhere into the head of the function; its text begins at or before that.
  const start = script === undefined ? -1 : script.source.lastIndexOf(text, script.offset)
  if (script === undefined || start < 0)
    return asked.map(({ at }) => ({ where: `line ${at.line} of the function` }))
  const map = readSourceMap(script.sourceMapUrl, script.url)
  const tree = parseScript(script.source)
  const imports = tree === undefined ? undefined : importsOf(tree)
  const method = tree === undefined ? undefined : methodAt(tree, start)
  return asked.map(({ name, at }) => {
    const where = authorsPlace(script, map, positionInScript(script, start, at), name)
    return {
      where: where ?? `line ${at.line} of the function`,
      ...describeImport(imports?.get(name)),
      ...(method === undefined ? {} : { method }),
    }
  })
}

const describeImport = (found: Import | undefined): { module?: string; imported?: string } =>
  found === undefined ? {} : { module: found.module, imported: found.name }

/** Both from 0. */
interface ScriptPosition {
  readonly line: number
  readonly column: number
}

function positionInScript({ source }: Script, start: number, at: Position): ScriptPosition {
  const before = source.slice(0, start).split(lineEnd)
  const line = before.length - 1 + at.line - 1
  const column = at.line === 1 ? (before.at(-1)?.length ?? 0) + at.column : at.column
  return { line, column }
}

/** As ECMA-262 counts lines, and the parser with it. */
const lineEnd = /\r\n|[\n\r\u2028\u2029]/

function authorsPlace(
  script: Script,
  map: SourceMap | undefined,
  at: ScriptPosition,
  name: string,
): string | undefined {
  // A loader that wraps a module says so by a line and column at which the script begins.
  const line = at.line + script.startLine
  const column = at.line === 0 ? at.column + script.startColumn : at.column
  if (map !== undefined) {
    const original = map.find(line, column)
    return original === undefined ? undefined : `${shortName(original.url)}:${original.line + 1}`
  }
  // Without a map the script is the file, unless a loader changed it and kept that to itself.
  if (script.sourceMapUrl !== '' || readHostLine(script.url, line)?.includes(name) !== true) return undefined
  return `${shortName(script.url)}:${line + 1}`
}

/** Relative to the working directory if the file is in it, or else its name alone. */
function shortName(url: string): string {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url
  const fromHere = relative(process.cwd(), path)
  return fromHere.startsWith('..') ? basename(path) : fromHere.split(sep).join('/')
}
