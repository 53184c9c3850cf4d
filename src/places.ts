/** Where an author wrote what stands at a place of a program, by the program's source map. */
import { SourceMap } from 'node:module'
import { limits } from './limits.ts'

/** A program as far as its places go. */
export interface Mapped {
  /** How stack traces name it. */
  readonly filename: string
  /** A source map (ECMA-426) as JSON; one that is none leads nowhere. */
  readonly map?: string | undefined
}

/** A place in an author's file, named from the program's own folder; lines and columns from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Maps that were needed lately, read: reading a large one takes long, and holding it much memory. */
const read = new Map<string, SourceMap | undefined>()

function mapOf(text: string): SourceMap | undefined {
  const map = read.has(text) ? read.get(text) : readMap(text)
  read.delete(text)
  read.set(text, map)
  for (const oldest of read.keys()) if (read.size > limits.sourceMapsReadMax) read.delete(oldest)
  return map
}

/** A map may come with a record that anybody wrote. */
function readMap(text: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** @returns where the author wrote what stands at a place of the program; that place itself where nothing leads back */
export function authorsPlace({ filename, map }: Mapped, line: number, column: number): Place {
  const known = map === undefined ? undefined : mapOf(map)
  const found = known?.findEntry(line - 1, column - 1)
  if (found === undefined || !('originalSource' in found)) return { file: filename, line, column }
  const { originalSource: file, originalLine, originalColumn } = found
  return { file: `${file}`, line: originalLine + 1, column: originalColumn + 1 }
}

/** @returns the place that a frame of a stack names, such as `main (agent.js:3:14)`; undefined where it is not in the program */
export function placeInFrame(program: Mapped, frame: string): Place | undefined {
  const [, before = '', line = '', column = ''] = /^(.*?)(\d+):(\d+)\)?$/.exec(frame) ?? []
  return before.endsWith(`${program.filename}:`)
    ? authorsPlace(program, Number(line), Number(column))
    : undefined
}

/**
 * @param stack a stack trace of the program
 * @returns the same with the author's files and lines, named from the program's own folder
 */
export function authorsTrace(program: Mapped, stack: string): string {
  return program.map === undefined
    ? stack
    : stack
        .split('\n')
        .map((line) => (/^\s+at /.test(line) ? authorsFrame(program, line) : line))
        .join('\n')
}

/** @param frame one frame of a stack @returns the same with the author's file and line */
export function authorsFrame(program: Mapped, frame: string): string {
  const place = placeInFrame(program, frame)
  if (place === undefined) return frame
  const [, before = '', after = ''] = /^(.*?)\d+:\d+(\)?)$/.exec(frame) ?? []
  const { file, line, column } = place
  return `${before.slice(0, -program.filename.length - 1)}${file}:${line}:${column}${after}`
}
