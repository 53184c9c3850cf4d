/** Every global name that agent code has: the language's own, and the kernel's doors. */

/** ES2025 without what the bootstrap takes away (WebAssembly, SharedArrayBuffer, Atomics, WeakRef, FinalizationRegistry, Temporal). */
const language = [
  ...['undefined', 'NaN', 'Infinity', 'globalThis', 'eval'],
  ...['parseFloat', 'parseInt', 'isFinite', 'isNaN', 'escape', 'unescape'],
  ...['decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent'],
  ...['Object', 'Function', 'Array', 'Boolean', 'Number', 'String', 'Symbol', 'BigInt', 'RegExp', 'Promise'],
  ...['Error', 'AggregateError', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError'],
  ...['URIError', 'JSON', 'Math', 'Date', 'Intl', 'Map', 'Set', 'WeakMap', 'WeakSet', 'Proxy', 'Reflect'],
  ...['ArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array'],
  ...['Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array', 'Float32Array', 'Float64Array'],
  'Iterator',
] as const

/** What only newer engines have. User space runs on the engine of this process. */
const languageOfThisEngine = [
  'Float16Array',
  'SuppressedError',
  'DisposableStack',
  'AsyncDisposableStack',
].filter((name) => name in globalThis)

/** Thin stubs over `sys`, and web-standard globals that need no authority. */
const doors = [
  ...['sys', 'fs', 'fetch', 'tools', 'llm', 'ipc', 'proc', 'console'],
  ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'queueMicrotask'],
  ...['crypto', 'Crypto', 'performance', 'Performance', 'self', 'navigator', 'reportError'],
] as const

/** Web-standard globals that are loaded when they are touched; src/isolate/web/families.ts says with what. */
const web = [
  ...['DOMException', 'Event', 'EventTarget', 'CustomEvent', 'ErrorEvent', 'MessageEvent'],
  ...[
    'PromiseRejectionEvent',
    'AbortController',
    'AbortSignal',
    'TextEncoder',
    'TextDecoder',
    'atob',
    'btoa',
  ],
  ...['URL', 'URLSearchParams', 'URLPattern', 'ReadableStream', 'ReadableStreamDefaultReader'],
  ...['ReadableStreamBYOBReader', 'ReadableStreamDefaultController', 'ReadableByteStreamController'],
  ...['ReadableStreamBYOBRequest', 'WritableStream', 'WritableStreamDefaultWriter'],
  ...['WritableStreamDefaultController', 'TransformStream', 'TransformStreamDefaultController'],
  ...['ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'TextEncoderStream', 'TextDecoderStream'],
  ...[
    'CompressionStream',
    'DecompressionStream',
    'Blob',
    'File',
    'FormData',
    'Headers',
    'Request',
    'Response',
  ],
  ...['structuredClone', 'MessageChannel', 'MessagePort', 'SubtleCrypto', 'CryptoKey'],
  ...['PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure'],
] as const

/** The names, each once. The bootstrap offers exactly these. */
export const guestGlobalNames: readonly string[] = Object.freeze([
  ...language,
  ...languageOfThisEngine,
  ...doors,
  ...web,
])

export const guestGlobals: ReadonlySet<string> = new Set(guestGlobalNames)
