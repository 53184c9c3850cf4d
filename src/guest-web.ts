/** Types of the web standards of user space: `fetch`, and the globals; as far as they come from outside, by their names. */
/**
 * A web standard's type by its name, as the types of Node.js or of a browser that the agent is checked with have it.
 * User space has the class whatever they say.
 */
type Standard<Name extends string, Otherwise> = typeof globalThis extends {
  readonly [Key in Name]: { readonly prototype: infer Instance }
}
  ? Instance
  : Otherwise

type StandardBody =
  | Standard<'Blob', never>
  | Standard<'FormData', never>
  | Standard<'URLSearchParams', never>
  | Standard<'ReadableStream', never>

export interface FetchOptions {
  /** GET by default. */
  readonly method?: string | undefined
  readonly headers?:
    | { readonly [name: string]: string }
    | readonly (readonly [string, string])[]
    | Standard<'Headers', never>
    | undefined
  readonly body?: string | ArrayBuffer | ArrayBufferView | StandardBody | null | undefined
  /** What to do with a redirect: `follow` (at most ten, each judged as a call of its own), `manual` or `error`. */
  readonly redirect?: 'follow' | 'manual' | 'error' | undefined
  /** Ends the request early, in the kernel too. */
  readonly signal?: Standard<'AbortSignal', unknown> | null | undefined
  /** `half`, where the body is a stream. */
  readonly duplex?: 'half' | undefined
}

/** A response where neither the types of Node.js nor of a browser say what one is. */
interface BareResponse {
  readonly status: number
  readonly statusText: string
  /** Whether the status is 200 to 299. */
  readonly ok: boolean
  readonly redirected: boolean
  /** The URL that answered, after redirects. */
  readonly url: string
  readonly headers: {
    /** Several values of one name are joined by a comma. */
    get(name: string): string | null
    has(name: string): boolean
    entries(): IterableIterator<[name: string, value: string]>
  }
  readonly body: AsyncIterable<Uint8Array> | null
  readonly bodyUsed: boolean
  text(): Promise<string>
  /** @throws SyntaxError where the body is not JSON */
  json(): Promise<unknown>
  bytes(): Promise<Uint8Array>
  arrayBuffer(): Promise<ArrayBuffer>
}

/** What a server answered: the web's Response. */
export type FetchResponse = Standard<'Response', BareResponse>

/**
 * One HTTP request; each hop of a redirect is judged as a call of its own.
 * @param input http or https, absolute
 * @throws SyscallError EPERM, EINVAL, ETIMEDOUT, EIO, …; TypeError for what no request can be, and for a redirect that
 * is not followed; the reason of the signal
 */
export type Fetch = (
  input: string | Standard<'URL', never> | Standard<'Request', never>,
  options?: FetchOptions,
) => Promise<FetchResponse>

type IntegerArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

type Print = (...values: readonly unknown[]) => void

/** A timer: whole milliseconds, at least one, on the kernel's clock. */
type SetTimer = <Args extends readonly unknown[]>(
  handler: (...args: Args) => void,
  ms?: number,
  ...args: Args
) => number

/** Classes and functions of web standards that are loaded when they are touched. */
type StandardName =
  | 'AbortController'
  | 'AbortSignal'
  | 'Blob'
  | 'ByteLengthQueuingStrategy'
  | 'CompressionStream'
  | 'CountQueuingStrategy'
  | 'CryptoKey'
  | 'CustomEvent'
  | 'DOMException'
  | 'DecompressionStream'
  | 'ErrorEvent'
  | 'Event'
  | 'EventTarget'
  | 'File'
  | 'FormData'
  | 'Headers'
  | 'MessageChannel'
  | 'MessageEvent'
  | 'MessagePort'
  | 'PerformanceEntry'
  | 'PerformanceMark'
  | 'PerformanceMeasure'
  | 'PromiseRejectionEvent'
  | 'ReadableByteStreamController'
  | 'ReadableStream'
  | 'ReadableStreamBYOBReader'
  | 'ReadableStreamBYOBRequest'
  | 'ReadableStreamDefaultController'
  | 'ReadableStreamDefaultReader'
  | 'Request'
  | 'Response'
  | 'SubtleCrypto'
  | 'TextDecoder'
  | 'TextDecoderStream'
  | 'TextEncoder'
  | 'TextEncoderStream'
  | 'TransformStream'
  | 'TransformStreamDefaultController'
  | 'URL'
  | 'URLPattern'
  | 'URLSearchParams'
  | 'WritableStream'
  | 'WritableStreamDefaultController'
  | 'WritableStreamDefaultWriter'
  | 'atob'
  | 'btoa'
  | 'structuredClone'

/** As the types of Node.js or of a browser have them; unknown where there are neither. */
type StandardGlobals = {
  readonly [Name in StandardName]: typeof globalThis extends { readonly [Key in Name]: infer Value }
    ? Value
    : unknown
}

/**
 * The web-standard globals of user space. They are globals only, not exports.
 * Without the types of a browser or of Node.js: `declare global { const console: WebGlobals['console'] }`
 */
export interface WebGlobals extends StandardGlobals {
  /** The process's output: `log`, `info` and `debug` print to stdout, `warn` and `error` to stderr. */
  readonly console: {
    readonly log: Print
    readonly info: Print
    readonly debug: Print
    readonly warn: Print
    readonly error: Print
    /** Prints to stderr where the condition does not hold. */
    assert(condition?: unknown, ...values: readonly unknown[]): void
    /** Does nothing: what was printed is on record. */
    clear(): void
    count(label?: string): void
    countReset(label?: string): void
    dir(value: unknown): void
    readonly dirxml: Print
    /** What is printed by these methods is indented until `groupEnd`. */
    readonly group: Print
    readonly groupCollapsed: Print
    groupEnd(): void
    table(rows: unknown, columns?: readonly string[]): void
    time(label?: string): void
    timeEnd(label?: string): void
    timeLog(label?: string, ...values: readonly unknown[]): void
    readonly trace: Print
  }
  readonly Crypto: unknown
  /** Randomness from the seed on record. */
  readonly crypto: {
    /** Fills at most 65,536 bytes. */
    getRandomValues<Values extends IntegerArray>(array: Values): Values
    randomUUID(): string
    /** SHA-1, SHA-256, SHA-384 and SHA-512, and HMAC with them. */
    readonly subtle: Standard<'SubtleCrypto', unknown>
  }
  readonly Performance: unknown
  readonly performance: {
    /** Milliseconds since the process began; stands still within a turn. */
    now(): number
    /** When the process began, in milliseconds since 1970. */
    readonly timeOrigin: number
    mark(name: string, options?: { readonly startTime?: number; readonly detail?: unknown }): unknown
    measure(name: string, start?: string | object, end?: string): unknown
    clearMarks(name?: string): void
    clearMeasures(name?: string): void
    getEntries(): readonly unknown[]
    getEntriesByName(name: string, type?: string): readonly unknown[]
    getEntriesByType(type: string): readonly unknown[]
    toJSON(): unknown
  }
  readonly setTimeout: SetTimer
  readonly setInterval: SetTimer
  clearTimeout(timer: number | undefined): void
  clearInterval(timer: number | undefined): void
  queueMicrotask(task: () => void): void
  /** Prints an error as one that nobody caught, and goes on. */
  reportError(error: unknown): void
  readonly navigator: { readonly userAgent: string }
  /** The global object. */
  readonly self: unknown
}
