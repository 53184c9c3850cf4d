/** The families of the web runtime: each is one text, which a guest loads when agent code touches a name of it. */

/** What agent code finds among the globals; a family with no names is loaded by others only. */
export const families = {
  events: [
    ...['DOMException', 'Event', 'EventTarget', 'CustomEvent', 'ErrorEvent', 'MessageEvent'],
    ...['PromiseRejectionEvent', 'AbortController', 'AbortSignal'],
  ],
  encoding: ['TextEncoder', 'TextDecoder', 'atob', 'btoa'],
  url: ['URL', 'URLSearchParams'],
  urlpattern: ['URLPattern'],
  streams: [
    ...['ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader'],
    ...['ReadableStreamDefaultController', 'ReadableByteStreamController', 'ReadableStreamBYOBRequest'],
    ...['WritableStream', 'WritableStreamDefaultWriter', 'WritableStreamDefaultController'],
    ...['TransformStream', 'TransformStreamDefaultController'],
    ...['ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'TextEncoderStream', 'TextDecoderStream'],
  ],
  compression: ['CompressionStream', 'DecompressionStream'],
  blobs: ['Blob', 'File', 'FormData'],
  fetch: ['Headers', 'Request', 'Response'],
  clone: ['structuredClone'],
  messages: ['MessageChannel', 'MessagePort'],
  crypto: ['SubtleCrypto', 'CryptoKey'],
  performance: ['PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure'],
  console: [],
  /** Encodings of several bytes a character that are not Unicode: large tables. */
  legacy: [],
  /** Names of hosts beyond ASCII (UTS #46): large tables. */
  idna: [],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type Family = keyof typeof families

export const isFamily = (name: unknown): name is Family =>
  typeof name === 'string' && Object.hasOwn(families, name)
