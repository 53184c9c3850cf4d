/** YAML read as plain data with positions: what a reviewer sees is all there is, so no aliases, tags or merges. */
import {
  type CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  LineCounter,
  type Node,
  Parser,
  parseDocument,
  visit,
} from 'yaml'
import { limits } from '../limits.ts'
import type { PolicyProblem } from './problem.ts'

/** Keys and indexes from the root. */
export type Path = readonly (string | number)[]

export interface YamlData {
  readonly value: unknown
  /** Where the value at a path begins, or the nearest parent that is there. */
  positionOf(path: Path): Position
  /** Where a place within the text at a path stands; where the text begins, if it is written in another way than it reads. */
  positionWithin(path: Path, offset: number): Position
  /** Where a key of the map at a path stands. */
  positionOfKey(path: Path, key: string): Position
}

export type Position = Omit<PolicyProblem, 'message'>

/**
 * @param text one YAML 1.2 document, which JSON is too
 * @returns its data, or all that is wrong with it
 */
export function readYaml(text: string): YamlData | readonly PolicyProblem[] {
  const counter = new LineCounter()
  const position = (offset: number): Position => {
    const { line, col } = counter.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const tokens = [...new Parser(counter.addNewLine).parse(text)]
  const tooDeep = findTooDeep(tokens)
  if (tooDeep !== undefined)
    return [
      { ...position(tooDeep), message: `nested deeper than ${limits.policyDepthMax}; no policy needs it` },
    ]
  const options = {
    strict: true,
    stringKeys: true,
    uniqueKeys: true,
    merge: false,
    prettyErrors: false,
  } as const
  const document = parseDocument(text, { ...options, schema: 'core', version: '1.2' })
  const problems = [...findErrors(document), ...findForbidden(document)]
  if (problems.length > 0) return problems.map(([offset, message]) => ({ ...position(offset), message }))
  return {
    value: document.toJS({ maxAliasCount: 0 }),
    positionOf: (path) => position(nodeAt(document, path)?.range?.[0] ?? 0),
    positionWithin: (path, offset) => position(offsetWithin(text, nodeAt(document, path), offset)),
    positionOfKey: (path, key) => position(keyAt(document, path, key)),
  }
}

type Found = readonly [offset: number, message: string]

/** Walks the tokens without recursion, since what composes them recurses. */
function findTooDeep(tokens: readonly CST.Token[]): number | undefined {
  const waiting: (readonly [CST.Token, number])[] = tokens.map((token) => [token, 0])
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [token, depth] = next
    if (depth > limits.policyDepthMax) return token.offset
    if (token.type === 'document' && token.value) waiting.push([token.value, depth])
    if (!('items' in token)) continue
    for (const { key, value } of token.items) {
      if (key) waiting.push([key, depth + 1])
      if (value) waiting.push([value, depth + 1])
    }
  }
  return undefined
}

function findErrors(document: Document.Parsed): readonly Found[] {
  return [...document.errors, ...document.warnings].map(({ code, message, pos }) => {
    if (code === 'DUPLICATE_KEY') return [pos[0], 'the same key stands here twice; keep one']
    if (code === 'MULTIPLE_DOCS') return [pos[0], 'a second document begins here; one file holds one policy']
    if (code === 'NON_STRING_KEY') return [pos[0], 'a key has to be text']
    return [pos[0], `not sound YAML: ${sentence(message)}`]
  })
}

/** The first sentence of a message, the way ours are written. */
function sentence(message: string): string {
  const [first = ''] = message.split('\n')
  return `${first.slice(0, 1).toLowerCase()}${first.slice(1)}`.replace(/[.:]$/, '')
}

function findForbidden(document: Document.Parsed): readonly Found[] {
  const found: Found[] = []
  if (document.directives.yaml.explicit) found.push([0, 'a `%YAML` line is not taken; policies are YAML 1.2'])
  visit(document, (_, node) => {
    if (isPair(node)) {
      const key = isScalar(node.key) ? node.key : undefined
      const message = keyProblem(key?.value)
      if (message !== undefined) found.push([key?.range?.[0] ?? 0, message])
      return undefined
    }
    if (!isNode(node)) return undefined
    const offset = node.range?.[0] ?? 0
    if (isAlias(node)) found.push([offset, `the alias \`*${node.source}\`; write out what it stands for`])
    else if (node.anchor !== undefined)
      found.push([offset, `the anchor \`&${node.anchor}\`; aliases are not taken`])
    if (node.tag !== undefined && !isAlias(node))
      found.push([offset, `the tag \`${node.tag}\`; tags are not taken`])
    return undefined
  })
  return found
}

function keyProblem(key: unknown): string | undefined {
  if (key === '<<') return 'the merge key `<<`; write out what it brings in'
  if (key === '__proto__' || key === 'constructor' || key === 'prototype')
    return `the key \`${key}\` is never accepted`
  return undefined
}

function nodeAt(document: Document.Parsed, path: Path): Node | undefined {
  let node: Node | undefined = document.contents ?? undefined
  for (const step of path) {
    const next: unknown = isCollection(node) ? node.get(step, true) : undefined
    if (!isNode(next)) break
    node = next
  }
  return node
}

function keyAt(document: Document.Parsed, path: Path, key: string): number {
  const map = nodeAt(document, path)
  const pair = isMap(map) ? map.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined
  return (isScalar(pair?.key) ? pair.key.range?.[0] : undefined) ?? map?.range?.[0] ?? 0
}

/** Plain and quoted text stands there as it reads, a block line by line. */
function offsetWithin(text: string, node: Node | undefined, offset: number): number {
  const [start = 0, end = 0] = node?.range ?? []
  const value = isScalar(node) ? String(node.value) : ''
  const written = text.slice(start, end)
  const at = written.indexOf(value)
  if (at >= 0) return start + at + offset
  const before = value.slice(0, offset).split('\n')
  const line = value.split('\n')[before.length - 1] ?? ''
  const place = lineStart(written, before.length) + start
  const within = text.slice(place, end).indexOf(line)
  return line === '' || within < 0 ? start : place + within + (before.at(-1) ?? '').length
}

/** @param number from 0; the first line of a block is the one with its mark */
function lineStart(text: string, number: number): number {
  let at = 0
  for (let line = 0; line < number; line += 1) at = text.indexOf('\n', at) + 1
  return at
}
