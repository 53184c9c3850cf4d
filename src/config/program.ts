/** Programs of agents, read from the host and bundled into one ES module that imports nothing. */

import { statSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { basename, dirname, extname, resolve } from 'node:path'
import { type BuildFailure, build, type Message } from 'esbuild'
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { discreet, userSpace } from './imports.ts'

export interface ProgramText {
  /** An ES module whose only imports are `gatehouse/guest`. */
  readonly text: string
  /** How stack traces name it; never a path of the host. */
  readonly filename: string
  /** Leads from the bundle back to the author's files (ECMA-426), where it is one. */
  readonly map?: SourceMap
}

/**
 * Bundles an agent's file, with what it imports of its own folder and from npm: TypeScript, JavaScript, JSON.
 * @param file a path on the host; relative ones start at the working directory
 * @throws KernelError ENOENT where there is no such file, EINVAL with file and line of what cannot be bundled
 */
export async function bundleProgram(file: string): Promise<ProgramText> {
  if (!statSync(resolve(file), { throwIfNoEntry: false })?.isFile()) {
    throw new KernelError(
      'ENOENT',
      `no program at \`${file}\`; a relative path starts at the working directory`,
    )
  }
  try {
    const { outputFiles } = await build({
      entryPoints: [resolve(file)],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      target: 'es2024',
      charset: 'utf8',
      sourcemap: 'external',
      sourcesContent: false,
      outfile: resolve(dirname(resolve(file)), 'bundle.js'),
      logLevel: 'silent',
      // A tsconfig.json could name files anywhere.
      tsconfigRaw: {},
      plugins: [userSpace(resolve(file))],
    })
    const [map, bundle] = outputFiles
    const payload = JSON.parse(map?.text ?? 'null')
    const filename = `${basename(file, extname(file))}.js`
    return sized({ text: bundle?.text ?? '', filename, map: new SourceMap(payload) })
  } catch (error) {
    throw isBuildFailure(error) ? new KernelError('EINVAL', describe(file, error.errors)) : error
  }
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

/** @returns where the author wrote what stands at a place of the program; that place itself where nothing leads back */
export function authorsPlace({ filename, map }: ProgramText, line: number, column: number): Place {
  const entry = map?.findEntry(line - 1, column - 1)
  if (entry === undefined || !('originalSource' in entry)) return { file: filename, line, column }
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

function describe(file: string, errors: readonly Message[]): string {
  const [first] = errors
  if (first === undefined) return `\`${file}\` cannot be bundled`
  const { location } = first
  const place = location === null ? file : `${location.file}:${location.line}:${location.column + 1}`
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return `\`${place}\`: ${discreet(first.text)}${more}`
}

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && Array.isArray(Reflect.get(error, 'errors'))
