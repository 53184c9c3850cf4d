/** Files of other languages, read and given to the engine of theirs: an optional package, loaded when the first is named. */
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { basename, extname, isAbsolute, join } from 'node:path'
import { type Clock, systemClock } from '../clock.ts'
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { type CedarModule, hasCrashed, loadCedar } from '../policy/engines/cedar.ts'
import { type EngineFile, parseEngineDocument, policyOf } from '../policy/engines/document.ts'
import { type Engine, type EngineName, engineFacts, engineNames } from '../policy/engines/engine.ts'
import { Unjudged } from '../policy/engines/judge.ts'
import { askRego, type RegoModule } from '../policy/engines/rego.ts'
import { identifierPattern } from '../policy/schema.ts'
import type { Policy } from '../policy/types.ts'
import { decodeText, readBytes, readText } from './read-text.ts'

/** What each needs, and how it is installed. */
const packages: Readonly<Record<EngineName, { readonly module: string; readonly install: string }>> = {
  cedar: { module: '@cedar-policy/cedar-wasm/nodejs', install: '@cedar-policy/cedar-wasm@^4.13.0' },
  rego: { module: '@open-policy-agent/opa-wasm', install: '@open-policy-agent/opa-wasm@^1.10.0' },
}

export interface ReadEngine {
  readonly policy: Policy
  /** What was read for it. */
  readonly files: readonly string[]
}

/** @returns the engine whose file a path names by its ending; undefined for a document */
export const engineOfPath = (file: string): EngineName | undefined =>
  engineNames.find((name) => file.endsWith(engineFacts[name].ending))

/**
 * @param file a path that ends as one of an engine's, loaded as it is
 * @throws KernelError EINVAL, PolicyError
 */
export function readEngineFile(file: string, engine: EngineName): ReadEngine {
  const name = basename(file, extname(file))
  if (!new RegExp(identifierPattern).test(name))
    throw invalid(
      `\`${file}\`: a policy is called as its file, and \`${name}\` is no name; name it in a document with \`engine: ${engine}\``,
    )
  return load({ document: { version: 1, name, engine, file: basename(file) }, line: 1 }, file, [])
}

/**
 * @param text of a document
 * @param source how messages call it
 * @param folder where its relative paths start
 * @returns undefined where it is a policy of ours
 * @throws KernelError EINVAL, PolicyError
 */
export function readEngineDocument(text: string, source: string, folder: string): ReadEngine | undefined {
  const read = parseEngineDocument(text, source)
  if (read === undefined) return undefined
  const place = (path: string): string => (isAbsolute(path) ? path : join(folder, path))
  const { file, data } = read.document
  return load(read, place(file), data === undefined ? [] : [place(data)])
}

function load(
  { document: given, line }: EngineFile,
  file: string,
  [dataFile]: readonly string[],
): ReadEngine {
  const { engine } = given
  const max = engine === 'rego' ? limits.regoModuleBytesMax : limits.policyBytesMax
  const bytes = readBytes(file, file, 'policy', max)
  const data = dataFile === undefined ? undefined : readText(dataFile, dataFile, 'data of a policy')
  // Where its files lie is not what a policy says, and agents read it.
  const document = {
    ...given,
    file: basename(file),
    ...(dataFile !== undefined && { data: basename(dataFile) }),
    sha256: { file: digest(bytes), ...(data !== undefined && { data: digest(data) }) },
  }
  const files = dataFile === undefined ? [file] : [file, dataFile]
  if (engine === 'cedar') {
    const cedar = requireCedar(file)
    const { rules, ...judge } = loadCedar(cedar, decodeText(bytes, file, 'policy'), file)
    return { policy: policyOf(document, inTime(judge), rules), files }
  }
  const opa = requireEngine('rego', file) as OpaWasm
  const module = instantiate(opa, bytes, file)
  if (data !== undefined) give(module, data, document.data ?? '')
  const entrypoint = chooseEntrypoint(module.entrypoints, given.entrypoint, file)
  const judge: Engine = {
    name: 'rego',
    ask: (request, reading) => askRego(module, entrypoint, line, request, reading),
  }
  return { policy: policyOf({ ...document, entrypoint }, inTime(judge), []), files }
}

/** A crashed one is left behind. */
function requireCedar(file: string): CedarModule {
  const cedar = requireEngine('cedar', file) as CedarModule
  if (!hasCrashed(cedar)) return cedar
  const { cache, resolve } = createRequire(import.meta.url)
  delete cache[resolve(packages.cedar.module)]
  return requireEngine('cedar', file) as CedarModule
}

interface OpaWasm {
  loadPolicySync(module: Uint8Array, memory: object): RegoModule & { setData(data: unknown): void }
}

/** Memory that every module begins with, in pages: the library's own figure. */
const regoPages = 5

function instantiate(opa: OpaWasm, bytes: Uint8Array, file: string): ReturnType<OpaWasm['loadPolicySync']> {
  try {
    // Of that the library only complains on the terminal.
    if (!Buffer.from(bytes).includes('opa_wasm_abi_version'))
      throw new TypeError('it does not say the version of its interface')
    return opa.loadPolicySync(bytes, { initial: regoPages, maximum: limits.regoPagesMax })
  } catch (error) {
    throw invalid(`\`${file}\` is no module that \`opa build -t wasm\` makes: ${messageOf(error)}`)
  }
}

function give(module: ReturnType<OpaWasm['loadPolicySync']>, text: string, shown: string): void {
  try {
    module.setData(JSON.parse(text))
  } catch (error) {
    throw invalid(`\`${shown}\` cannot be the data of a Rego policy: ${messageOf(error)}`)
  }
}

function chooseEntrypoint(given: unknown, wanted: string | undefined, file: string): string {
  const names = given !== null && typeof given === 'object' ? Object.keys(given) : []
  const [first] = names
  if (first === undefined)
    throw invalid(`\`${file}\` has no entrypoint; build it with \`opa build -t wasm -e NAME\``)
  const there = names.slice(0, limits.policyProblemsMax).join(', ')
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted
    throw invalid(`\`${file}\` has no entrypoint \`${wanted}\`; there are ${there}`)
  }
  if (names.length === 1) return first
  throw invalid(
    `\`${file}\` has several entrypoints (${there}); say which in a document with \`engine: rego\` and \`entrypoint\``,
  )
}

/**
 * @param from where packages are looked for; beside the kernel's own, unless a test says otherwise
 * @throws KernelError EINVAL that says what to install
 */
export function requireEngine(engine: EngineName, file: string, from: string = import.meta.url): unknown {
  const { module, install } = packages[engine]
  try {
    return createRequire(from)(module)
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND'
    const why = missing ? 'which is not installed' : `which does not load (${messageOf(error)})`
    throw invalid(
      `\`${file}\` is written in ${engineFacts[engine].title}, for which there is the package \`${install}\`, ${why}; nothing runs without it: \`npm install ${install}\``,
    )
  }
}

/** A decision that came too late is none: nothing can stop an engine, but nobody has to follow it. */
function inTime(engine: Engine, clock: Clock = systemClock): Engine {
  return {
    ...engine,
    ask(request, reading) {
      const start = clock.monotonic()
      const answer = engine.ask(request, reading)
      const took = clock.monotonic() - start
      if (took > limits.engineDecisionMs)
        throw new Unjudged(`it took ${Math.round(took)} ms, and at most ${limits.engineDecisionMs} are given`)
      return answer
    },
  }
}

const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** Engines throw errors, texts and plain objects. Of a failure to load only the first line: the rest has paths of the host. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return (text.split('\n')[0] ?? '').slice(0, limits.engineReasonMax).toWellFormed()
}

const invalid = (why: string): KernelError => new KernelError('EINVAL', why)
