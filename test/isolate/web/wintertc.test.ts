/** The table of docs/user-space.md: each name that the Minimum common web API asks for, there or not as the table says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exitValue, main, runIn } from '../../support/kernel.ts'

/** Interfaces, methods and properties of ECMA-429, first edition. */
const asked = [
  ...['AbortController', 'AbortSignal', 'Blob', 'ByteLengthQueuingStrategy', 'CompressionStream'],
  ...['CountQueuingStrategy', 'Crypto', 'CryptoKey', 'CustomEvent', 'DecompressionStream', 'DOMException'],
  ...['ErrorEvent', 'Event', 'EventTarget', 'File', 'FormData', 'Headers', 'MessageChannel', 'MessageEvent'],
  ...[
    'MessagePort',
    'Performance',
    'PromiseRejectionEvent',
    'ReadableByteStreamController',
    'ReadableStream',
  ],
  ...['ReadableStreamBYOBReader', 'ReadableStreamBYOBRequest', 'ReadableStreamDefaultController'],
  ...[
    'ReadableStreamDefaultReader',
    'Request',
    'Response',
    'SubtleCrypto',
    'TextDecoder',
    'TextDecoderStream',
  ],
  ...['TextEncoder', 'TextEncoderStream', 'TransformStream', 'TransformStreamDefaultController', 'URL'],
  ...['URLPattern', 'URLSearchParams', 'WritableStream', 'WritableStreamDefaultController'],
  ...[
    'WritableStreamDefaultWriter',
    'globalThis',
    'atob',
    'btoa',
    'clearInterval',
    'clearTimeout',
    'console',
  ],
  ...['crypto', 'fetch', 'navigator.userAgent', 'onerror', 'onunhandledrejection', 'onrejectionhandled'],
  ...['performance', 'queueMicrotask', 'reportError', 'self', 'setInterval', 'setTimeout', 'structuredClone'],
  ...['Global', 'Instance', 'Memory', 'Module', 'Table', 'Tag', 'Exception', 'CompileError', 'LinkError']
    .concat([
      'RuntimeError',
      'compile',
      'compileStreaming',
      'instantiate',
      'instantiateStreaming',
      'JSTag',
      'validate',
    ])
    .map((name) => `WebAssembly.${name}`),
]

interface Row {
  readonly name: string
  readonly there: boolean
  readonly why: string
}

function table(): readonly Row[] {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/user-space.md'), 'utf8')
  const [, section = ''] = /^## WinterTC$(.*?)^## /ms.exec(page) ?? []
  return [...section.matchAll(/^\| `([\w.]+)` \| (yes|no) \| ?(.*?) ?\|$/gm)].map(
    ([, name = '', there, why = '']) => ({ name, there: there === 'yes', why }),
  )
}

describe('the table of WinterTC', () => {
  test('has each name that is asked for, and a reason for each that is not there', () => {
    expect(
      table()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(asked.toSorted())
    expect(table().filter(({ there, why }) => there === (why !== ''))).toEqual([])
  })

  test.each(['inline', 'cell'] as const)('%s, each is there as it says', async (isolation) => {
    const names = table().map(({ name }) => name)
    const source = main(`const at = (name) => name.split('.').reduce((owner, key) => owner?.[key], globalThis)
      return args[0].map((name) => at(name) !== undefined)`)
    const found = exitValue(await runIn(isolation, source, { args: [names] })) as boolean[]
    expect(names.filter((_name, index) => found[index])).toEqual(
      table()
        .filter(({ there }) => there)
        .map(({ name }) => name),
    )
  })

  test('the name in navigator is the one that requests carry', async () => {
    const exit = await runIn('inline', main(`return [navigator.userAgent, self === globalThis]`))
    expect(exitValue(exit)).toEqual(['gatehouse', true])
  })
})
