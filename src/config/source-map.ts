/** Source maps and lines of the application's own files, for messages to the application's developer. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { SourceMap as NodeSourceMap } from 'node:module'
import { isAbsolute } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { limits } from '../limits.ts'

export interface SourceMap {
  /** Takes a place in the compiled script and gives the one in the author's file; lines and columns from 0. */
  find(line: number, column: number): { readonly url: string; readonly line: number } | undefined
}

/**
 * Reads the map of a script: out of a `data:` URL, or from a file on this host.
 * @param mapUrl what the script says after `//# sourceMappingURL=`
 * @param scriptUrl the script's own URL or path, to which the map's is relative
 * @returns nothing where there is none, it is elsewhere, too large or not a source map
 */
export function readSourceMap(mapUrl: string, scriptUrl: string): SourceMap | undefined {
  const script = toUrl(scriptUrl)
  const url = mapUrl === '' ? undefined : toUrl(mapUrl, script)
  if (url === undefined) return undefined
  const text = url.startsWith('data:') ? readDataUrl(url) : readFile(url)
  const payload = text === undefined ? undefined : parseMap(text)
  if (payload === undefined) return undefined
  const map = new NodeSourceMap(payload)
  // Sources are relative to the map (ECMA-426), which for an inline one is the script.
  const base = url.startsWith('data:') ? script : url
  return {
    find(line, column) {
      const entry = map.findEntry(line, column)
      if (!('originalSource' in entry)) return undefined
      const source = toUrl(`${sourceRoot(payload)}${entry.originalSource}`, base)
      return source === undefined ? undefined : { url: source, line: entry.originalLine }
    },
  }
}

/**
 * @param url a file's URL or path
 * @param line from 0
 * @returns the line's text, or nothing where there is no such line that one can read
 */
export const readHostLine = (url: string, line: number): string | undefined =>
  readFile(toUrl(url))?.split(/\r\n|\n|\r/)[line]

type Payload = ConstructorParameters<typeof NodeSourceMap>[0]

function parseMap(text: string): Payload | undefined {
  try {
    const payload: unknown = JSON.parse(text)
    return isPayload(payload) ? payload : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const isPayload = (value: unknown): value is Payload =>
  typeof value === 'object' &&
  value !== null &&
  'mappings' in value &&
  typeof value.mappings === 'string' &&
  'sources' in value &&
  Array.isArray(value.sources)

const sourceRoot = ({ sourceRoot: root }: Payload): string =>
  typeof root !== 'string' || root === '' || root.endsWith('/') ? (root ?? '') : `${root}/`

function readDataUrl(url: string): string | undefined {
  const [, base64, data] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url) ?? []
  if (data === undefined || data.length > limits.sourceMapBytesMax) return undefined
  if (base64 !== undefined) return Buffer.from(data, 'base64').toString()
  try {
    return decodeURIComponent(data)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** A file that cannot be read leaves a message with less detail; that is no reason to fail. */
function readFile(url: string | undefined): string | undefined {
  if (url === undefined || !url.startsWith('file:')) return undefined
  try {
    const file = openSync(fileURLToPath(url), 'r')
    try {
      const { size } = fstatSync(file)
      return size > limits.sourceMapBytesMax ? undefined : readFileSync(file, 'utf8')
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

function toUrl(text: string, base?: string): string | undefined {
  if (isAbsolute(text)) return pathToFileURL(text).href
  return URL.canParse(text, base) ? new URL(text, base).href : undefined
}
