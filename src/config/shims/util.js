// The module `node:util`, of the package `util`, with what that one lacks.
import { isDeepStrictEqual as isSame } from 'assert/build/internal/util/comparisons'
import packaged from 'util/'
import { absent } from './absent.js'
import { format, inspect } from './inspect.js'
import * as types from './util-types.js'

export const { callbackify, debuglog, deprecate, inherits, isArray, promisify } = packaged
export { format, inspect }
export const debug = debuglog
export const { TextDecoder, TextEncoder } = globalThis
export const _extend = Object.assign
export const isDeepStrictEqual = (one, other) => isSame(one, other)
export const formatWithOptions = (_options, ...values) => format(...values)
/** Without colours: output goes to a record, not to a terminal. */
export const styleText = (_style, text) => `${text}`
/** What a terminal obeys: CSI sequences, and OSC ones such as links. */
const [ESC, BEL] = [String.fromCharCode(27), String.fromCharCode(7)]
const controls = new RegExp(`${ESC}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\))`, 'g')
export const stripVTControlCharacters = (text) => text.replace(controls, '')
export const toUSVString = (text) => `${text}`.toWellFormed()
export const aborted = (signal) =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
export const getSystemErrorName = absent('util.getSystemErrorName')
export const getSystemErrorMap = absent('util.getSystemErrorMap')
export const parseArgs = absent(
  'util.parseArgs',
  'a program has its arguments as those of its default export',
)
export const parseEnv = absent('util.parseEnv')
export const getCallSites = absent('util.getCallSites')
export const MIMEType = absent('util.MIMEType')
export const MIMEParams = absent('util.MIMEParams')
export const transferableAbortController = absent('util.transferableAbortController')
export const transferableAbortSignal = absent('util.transferableAbortSignal')
export { types }

export default {
  _extend,
  aborted,
  callbackify,
  debug,
  debuglog,
  deprecate,
  format,
  formatWithOptions,
  getCallSites,
  getSystemErrorMap,
  getSystemErrorName,
  inherits,
  inspect,
  isArray,
  isDeepStrictEqual,
  MIMEParams,
  MIMEType,
  parseArgs,
  parseEnv,
  promisify,
  stripVTControlCharacters,
  styleText,
  TextDecoder,
  TextEncoder,
  toUSVString,
  transferableAbortController,
  transferableAbortSignal,
  types,
}
