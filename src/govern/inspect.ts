/** The script that a function was compiled from, as the engine's own debugger knows it. */
import type { Debugger, Session } from 'node:inspector'
import type { AnyFunction } from './refusal.ts'

export interface Script {
  /** A file URL or path, as the loader named it. */
  readonly url: string
  /** What was compiled, which may differ from the file. */
  readonly source: string
  /** The comment `//# sourceMappingURL=`, or nothing. */
  readonly sourceMapUrl: string
  /** The position, both from 0, that its loader gave the first character of `source`. */
  readonly startLine: number
  readonly startColumn: number
  /** An offset into `source` within the head of the function. */
  readonly offset: number
}

/**
 * Attaches to this thread, asks, and detaches. No code of the application runs meanwhile.
 * @returns nothing where the engine cannot say: no inspector in this build, another realm, code from `eval`
 */
export function scriptOf(fn: AnyFunction): Script | undefined {
  if (!process.features.inspector) return undefined
  const session = new (process.getBuiltinModule('node:inspector').Session)()
  const scripts = new Map<string, Debugger.ScriptParsedEventDataType>()
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params))
  try {
    session.connect()
    return askScript(session, scripts, fn)
  } finally {
    session.disconnect()
  }
}

/** The way in: the debugger takes expressions, and an expression reaches what is global. */
const handle = Symbol.for('gatehouse.located')

function askScript(
  session: Session,
  scripts: ReadonlyMap<string, Debugger.ScriptParsedEventDataType>,
  fn: AnyFunction,
): Script | undefined {
  const ask = asker(session)
  ask('Debugger.enable')
  ask('Debugger.setSkipAllPauses', { skip: true })
  const at = locate(ask, fn)
  const script = scripts.get(at?.scriptId ?? '')
  if (at === undefined || script === undefined) return undefined
  const source = ask('Debugger.getScriptSource', { scriptId: script.scriptId })
  if (!isRecord(source) || typeof source.scriptSource !== 'string') return undefined
  const line = at.lineNumber - script.startLine
  const column = line === 0 ? at.columnNumber - script.startColumn : at.columnNumber
  return {
    url: script.url,
    source: source.scriptSource,
    sourceMapUrl: script.sourceMapURL ?? '',
    startLine: script.startLine,
    startColumn: script.startColumn,
    offset: offsetOf(source.scriptSource, line, column),
  }
}

type Ask = (method: string, params?: object) => unknown

/** On the thread of the session itself a request is answered before `post` returns. */
function asker(session: Session): Ask {
  return (method, params = {}) => {
    let answer: unknown
    session.post(method, params, (error: Error | null, result?: object) => {
      answer = error === null ? result : undefined
    })
    return answer
  }
}

interface FunctionLocation {
  readonly scriptId: string
  readonly lineNumber: number
  readonly columnNumber: number
}

function locate(ask: Ask, fn: AnyFunction): FunctionLocation | undefined {
  const objectId = objectIdOf(ask, fn)
  if (objectId === undefined) return undefined
  const properties = ask('Runtime.getProperties', { objectId, ownProperties: true })
  if (!isRecord(properties) || !Array.isArray(properties.internalProperties)) return undefined
  const found: unknown = properties.internalProperties.find(({ name }) => name === '[[FunctionLocation]]')
    ?.value?.value
  return isLocation(found) ? found : undefined
}

function objectIdOf(ask: Ask, fn: AnyFunction): string | undefined {
  Object.defineProperty(globalThis, handle, { value: fn, configurable: true, enumerable: false })
  try {
    const found = ask('Runtime.evaluate', {
      expression: `globalThis[Symbol.for('${handle.description}')]`,
      silent: true,
    })
    if (!isRecord(found) || !isRecord(found.result)) return undefined
    return typeof found.result.objectId === 'string' ? found.result.objectId : undefined
  } finally {
    Reflect.deleteProperty(globalThis, handle)
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const isLocation = (value: unknown): value is FunctionLocation =>
  isRecord(value) &&
  typeof value.scriptId === 'string' &&
  typeof value.lineNumber === 'number' &&
  typeof value.columnNumber === 'number'

/** As the debugger counts lines: CR, LF or both end one. */
function offsetOf(source: string, line: number, column: number): number {
  let start = 0
  const lineEnds = source.matchAll(/\r\n|\n|\r/g)
  for (let passed = 0; passed < line; passed += 1) {
    const end = lineEnds.next().value
    if (end === undefined) break
    start = end.index + end[0].length
  }
  return start + column
}
