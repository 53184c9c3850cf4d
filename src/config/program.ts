/** Programs of agents: read from the host and bundled into one ES module, or given as text; and where their author wrote what. */

import { statSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { basename, extname, resolve } from 'node:path'
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { BundleCache } from './bundle-cache.ts'

export interface ProgramText {
  /** An ES module whose only imports are `gatehouse/guest`. */
  readonly text: string
  /** How stack traces name it; never a path of the host. */
  readonly filename: string
  /** Leads from the bundle back to the author's files: a source map (ECMA-426) as JSON, where it is one. */
  readonly map?: string
}

const bundles = new BundleCache()

/**
 * Bundles an agent's file, with what it imports of its own folder and from npm: TypeScript, JavaScript, JSON. What was
 * bundled before is taken as it is while nothing has changed of what it was made of.
 * @param file a path on the host; relative ones start at the working directory
 * @throws KernelError ENOENT where there is no such file, EINVAL with file and line of what cannot be bundled, E2BIG, ETIMEDOUT
 */
export async function bundleProgram(file: string): Promise<ProgramText> {
  const path = resolve(file)
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new KernelError(
      'ENOENT',
      `no program at \`${file}\`; a relative path starts at the working directory`,
    )
  }
  const { text, map } = await bundles.get(path)
  return sized({ text, filename: `${basename(file, extname(file))}.js`, map })
}

/**
 * @param text an ES module in JavaScript
 * @throws KernelError E2BIG
 */
export const textProgram = (text: string): ProgramText => sized({ text, filename: 'program.js' })

/** A place in an author's file, named from the program's own folder; lines and columns from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Maps that were needed lately, read: reading one takes long, and holding it much memory. */
const read = new Map<string, SourceMap>()

function mapOf(text: string): SourceMap {
  const map = read.get(text) ?? new SourceMap(JSON.parse(text))
  read.delete(text)
  read.set(text, map)
  for (const oldest of read.keys()) if (read.size > limits.sourceMapsReadMax) read.delete(oldest)
  return map
}

/** @returns where the author wrote what stands at a place of the program; that place itself where nothing leads back */
export function authorsPlace({ filename, map }: ProgramText, line: number, column: number): Place {
  if (map === undefined) return { file: filename, line, column }
  const entry = mapOf(map).findEntry(line - 1, column - 1)
  if (!('originalSource' in entry)) return { file: filename, line, column }
  return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 }
}

/**
 * @param stack a stack trace of the program
 * @returns the same with the author's files and lines, named from the program's own folder
 */
export function authorsTrace(program: ProgramText, stack: string): string {
  const { filename, map } = program
  if (map === undefined) return stack
  return stack
    .split('\n')
    .map((text) => {
      const [, before = '', at = '', across = '', after = ''] =
        text.match(/^(\s+at .*?)(\d+):(\d+)(\)?)$/) ?? []
      if (!before.endsWith(`${filename}:`)) return text
      const { file, line, column } = authorsPlace(program, Number(at), Number(across))
      return `${before.slice(0, -filename.length - 1)}${file}:${line}:${column}${after}`
    })
    .join('\n')
}

function sized(program: ProgramText): ProgramText {
  if (program.text.length > limits.programBytesMax) {
    throw new KernelError(
      'E2BIG',
      `the program has ${program.text.length} characters, at most ${limits.programBytesMax} fit`,
    )
  }
  return program
}
