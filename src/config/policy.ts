/** Policies come from presets, files and objects of the host; what is missing or unsound refuses, nothing is skipped. */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { KernelError, SyscallError } from '../errors.ts'
import { canonicalText } from '../evidence/canonical.ts'
import { asJson } from '../json.ts'
import { limits } from '../limits.ts'
import { anyBase, compilePolicies } from '../policy/compile.ts'
import type { EngineDocument } from '../policy/engines/engine.ts'
import { parsePolicy } from '../policy/parse.ts'
import { didYouMean } from '../policy/suggest.ts'
import type { Policy, PolicyDocument, PolicySet } from '../policy/types.ts'
import { engineOfPath, readEngineDocument, readEngineFile } from './engines.ts'
import { readText } from './read-text.ts'

type OnePolicyRef = string | PolicyDocument | EngineDocument

/**
 * A preset's name, a path, or a policy as an object; or a list of these, all of which must agree.
 * A string with `/` or ending in .yaml, .yml, .json, .cedar or .wasm is a path, any other a preset.
 */
export type PolicyRef = OnePolicyRef | readonly OnePolicyRef[]

/**
 * @param ref what to load; relative paths start at the working directory
 * @returns the policies, compiled; files are read now and never again
 * @throws PolicyError where a document is not sound, KernelError EINVAL where there is none to read
 */
export const loadPolicy = (ref: PolicyRef): PolicySet => compileDistinct(readPolicies(ref))

/**
 * For what is looked at, or joined with another by `narrow`, and never in force by itself: what only narrows loads too.
 * @throws as loadPolicy does
 */
export const loadNarrowing = (ref: PolicyRef): PolicySet =>
  compileDistinct(readPolicies(ref), undefined, false)

/**
 * For agents' own policies, which are never in force by themselves.
 * @param parent what is in force already
 * @param own what a process adds; it can only narrow
 * @returns both; `parent` itself where `own` adds nothing
 * @throws PolicyError, KernelError EINVAL as loadPolicy does
 */
export function combine(parent: PolicySet, own: PolicyRef): PolicySet {
  const both = distinct([...parent.policies, ...readPolicies(own)])
  return both.length === parent.policies.length ? parent : compileDistinct(both, parent, false)
}

/**
 * @param parent what is in force already
 * @param own what is added; it can only narrow
 * @returns both; `parent` itself where `own` adds nothing
 */
export function narrow(parent: PolicySet, own: PolicySet): PolicySet {
  const known = narrowed.get(parent)?.get(own)
  if (known !== undefined) return known
  const both = distinct([...parent.policies, ...own.policies])
  const set = both.length === parent.policies.length ? parent : compileDistinct(both, parent, false)
  const byOwn = narrowed.get(parent) ?? new WeakMap<PolicySet, PolicySet>()
  narrowed.set(parent, byOwn.set(own, set))
  return set
}

/** Sets that were compiled already: an agent is started many times under the same two. */
const narrowed = new WeakMap<PolicySet, WeakMap<PolicySet, PolicySet>>()

/**
 * Reads no file.
 * @returns the files that a reference itself names, also by what its documents extend
 */
export const namedFiles = (ref: PolicyRef): readonly string[] =>
  [ref].flat().flatMap((one) => {
    if (typeof one === 'string') return isPath(one) ? [one] : []
    if (one === null || typeof one !== 'object') return []
    if ('engine' in one) return [one.file, one.data].filter((it) => it !== undefined).map(String)
    return typeof one.extends === 'string' && isPath(one.extends) ? [one.extends] : []
  })

/**
 * @returns the files that a reference names, and those that they extend; they are kept out of every mount
 * @throws as loadPolicy does
 */
export const policyFiles = (ref: PolicyRef): readonly string[] =>
  [ref].flat().flatMap((one) => (namedFiles(one).length === 0 ? [] : readOne(one).files))

/** @returns the names of the presets that come with the package */
export const listPresets = (): readonly string[] =>
  readdirSync(presetFolder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .toSorted()

/** Whether a text names a file, and not a preset. */
export const isPath = (ref: string): boolean => /\/|\.(yaml|yml|json|cedar|wasm|rego)$/.test(ref)

/** Next to src/ and to dist/ alike. */
const presetFolder = new URL('../../policies/', import.meta.url)

function compileDistinct(policies: readonly Policy[], above?: PolicySet, alone = true): PolicySet {
  const each = distinct(policies)
  const hash = createHash('sha256').update(documentsText(each)).digest('hex')
  return compilePolicies(each, hash, above?.signals, alone)
}

/** @returns the documents of policies in canonical form: the text whose SHA-256 is the hash of their set */
export const documentsText = (policies: readonly Policy[]): string =>
  canonicalText(policies.map(({ document }) => document))

/**
 * Reads what `documentsText` wrote, and no file: what a policy extends stands beside it there.
 * @returns the policies; undefined where one is in another language, of which only a digest is on record
 * @throws PolicyError, KernelError EINVAL where the text is none of it
 */
export function readDocuments(text: string): readonly Policy[] | undefined {
  const documents: unknown = JSON.parse(text)
  if (!Array.isArray(documents)) throw invalid('the text of the policies is not a list')
  if (documents.some((each: object) => 'engine' in each)) return undefined
  return documents.map((each: unknown) => parsePolicy(JSON.stringify(each), 'policy on record'))
}

/** @returns policies that were read already, compiled; for what is joined with others, as `loadNarrowing` says */
export const compileNarrowing = (policies: readonly Policy[]): PolicySet =>
  compileDistinct(policies, undefined, false)

/**
 * What was in force beside the kernel's own policies, from a record that anybody may have written: no file is read for it.
 * @param text canonical text of all policies that a process was under
 * @param ceiling the same of its kernel
 * @returns what it had beside; undefined where it had nothing
 * @throws KernelError EINVAL, PolicyError where it is not sound, or in another language, whose files nobody has
 */
export function recordedNarrowing(text: string, ceiling: string): PolicySet | undefined {
  const above = new Set(documentsIn(ceiling).map(canonicalText))
  const own = documentsIn(text).filter((document) => !above.has(canonicalText(document)))
  if (own.length === 0) return undefined
  return compileDistinct(own.map(recordedPolicy), undefined, false)
}

function recordedPolicy(document: unknown): Policy {
  if (typeof document === 'object' && document !== null && 'engine' in document)
    throw invalid('a policy on record is in another language, and its files are not on record')
  return parsePolicy(`${JSON.stringify(document, null, 2)}\n`, 'a policy on record')
}

function documentsIn(text: string): readonly unknown[] {
  try {
    const documents: unknown = JSON.parse(text)
    if (Array.isArray(documents)) return documents
  } catch {}
  throw invalid('what is on record as policies is none')
}

/** A policy that is there twice says nothing more. */
function distinct(policies: readonly Policy[]): readonly Policy[] {
  return [
    ...new Map(policies.toReversed().map((it) => [canonicalText(it.document), it])).values(),
  ].toReversed()
}

function readPolicies(ref: PolicyRef): readonly Policy[] {
  const refs: readonly unknown[] = Array.isArray(ref) ? ref : [ref]
  if (refs.length === 0) throw invalid('the list of policies is empty; the strictest preset is `strict`')
  if (refs.length > limits.policiesMax)
    throw invalid(`${refs.length} policies at once, at most ${limits.policiesMax} are taken`)
  return refs.flatMap((one) => readOne(one).policies)
}

/** A policy, what it extends before it, and the files that they were read from. */
interface Read {
  readonly policies: readonly Policy[]
  readonly files: readonly string[]
}

function readOne(ref: unknown): Read {
  if (typeof ref === 'string') return isPath(ref) ? readPath(ref, 0) : readPreset(ref)
  if (ref === null || typeof ref !== 'object' || Array.isArray(ref))
    throw invalid(`a policy is a preset's name, a path, an object or one list of these, not ${kindOf(ref)}`)
  const source = 'policy object as JSON'
  const text = `${JSON.stringify(asDocument(ref), null, 2)}\n`
  const foreign = readEngineDocument(text, source, '.')
  if (foreign !== undefined) return { policies: [foreign.policy], files: foreign.files }
  const policy = parsePolicy(text, source)
  return withBase({ policies: [policy], files: [] }, source, '.', 0)
}

/** @param namedBy the file that names it, where one does */
function readPath(file: string, depth: number, namedBy?: string): Read {
  if (file.endsWith('.rego'))
    throw invalid(
      `\`${file}\` is Rego as text; compile it: \`opa build -t wasm -e NAME\`, and name the .wasm file`,
    )
  const engine = engineOfPath(file)
  if (engine !== undefined) {
    const { policy, files } = readEngineFile(file, engine, namedBy)
    return { policies: [policy], files }
  }
  const text = readText(file, file, 'policy', namedBy)
  const foreign = readEngineDocument(text, file, dirname(file))
  if (foreign !== undefined) return { policies: [foreign.policy], files: [file, ...foreign.files] }
  return withBase({ policies: [parsePolicy(text, file)], files: [file] }, file, dirname(file), depth)
}

/** @param folder where relative paths of `extends` start */
function withBase(read: Read, source: string, folder: string, depth: number): Read {
  const base = read.policies[0]?.extends
  if (base === undefined || base === anyBase) return read
  if (depth >= limits.policyExtendsMax)
    throw invalid(
      `\`${source}\`: policies extend each other more than ${limits.policyExtendsMax} times, or in a circle`,
    )
  const { policies, files } = isPath(base)
    ? readPath(isAbsolute(base) ? base : join(folder, base), depth + 1, source)
    : readPreset(base, `${source}: `)
  if (policies.at(-1)?.mode === 'observe')
    throw invalid(`\`${source}\` extends \`${base}\`, which only observes; there is nothing to narrow`)
  return { policies: [...policies, ...read.policies], files: [...files, ...read.files] }
}

function kindOf(ref: unknown): string {
  if (Array.isArray(ref)) return 'a list within a list'
  return ref === null || ref === undefined ? String(ref) : `a ${typeof ref}`
}

function asDocument(ref: object): unknown {
  try {
    return asJson(ref, 'policy')
  } catch (error) {
    if (error instanceof SyscallError) throw invalid(error.message)
    throw error
  }
}

function readPreset(name: string, before = ''): Read {
  const presets = listPresets()
  if (!presets.includes(name)) {
    const guess = didYouMean(name, presets)
    throw invalid(
      `${before}no preset is called \`${name}\`${guess === '' ? `; there are ${presets.join(', ')}` : guess} (a file's path has a \`/\` or ends in .yaml, .yml, .json, .cedar or .wasm)`,
    )
  }
  const file = `${name}.yaml`
  return { policies: [parsePolicy(readText(new URL(file, presetFolder), file), file)], files: [] }
}

const invalid = (why: string): KernelError => new KernelError('EINVAL', why)
