/** structuredClone and what is sent through a MessageChannel, as the HTML standard has them. */
import { claims, thrownBy } from '../../support/claims.ts'

claims('structuredClone', {
  'copies what JSON cannot': [
    `const value = { date: new Date(5), map: new Map([[{ k: 1 }, new Set([1, NaN])]]), big: 5n, regex: /a/gi, nothing: undefined,
       minus: -0, holes: [1, , 3], box: Object('s'), bytes: new Uint16Array([1, 2]), view: new DataView(new ArrayBuffer(4), 1) }
     const copy = structuredClone(value), [key, set] = [...copy.map][0]
     return [copy.date.getTime(), key.k, set.has(NaN), copy.big === 5n, String(copy.regex), 'nothing' in copy, Object.is(copy.minus, -0),
       1 in copy.holes, copy.box instanceof String, [...copy.bytes], copy.view.byteOffset, copy.map !== value.map]`,
    [5, 1, true, true, '/a/gi', true, true, false, true, [1, 2], 1, true],
  ],
  'keeps cycles and shared parts': [
    `const shared = { n: 1 }, value = { one: shared, other: shared, bytes: new Uint8Array(4) }
     value.self = value; value.tail = value.bytes.subarray(2)
     const copy = structuredClone(value)
     return [copy.self === copy, copy.one === copy.other, copy.one !== shared, copy.tail.buffer === copy.bytes.buffer]`,
    [true, true, true, true],
  ],
  'errors keep their kind, message and cause; classes of the program are plain objects': [
    `class Mine { a = 1; get b() { return 2 } }
     const error = structuredClone(new RangeError('why', { cause: { c: 1 } })), abort = structuredClone(new DOMException('x', 'AbortError'))
     const mine = structuredClone(new Mine())
     return [error instanceof RangeError, error.message, error.cause.c, abort instanceof DOMException, abort.name, mine instanceof Mine, mine]`,
    [true, 'why', 1, true, 'AbortError', false, { a: 1 }],
  ],
  'blobs and files': [
    `const file = structuredClone(new File(['abc'], 'n', { type: 'x/y', lastModified: 7 }))
     return [await file.text(), file.name, file.type, file.lastModified, file instanceof File]`,
    ['abc', 'n', 'x/y', 7, true],
  ],
  'moves an ArrayBuffer where asked to': [
    `const buffer = new ArrayBuffer(8), view = new Uint8Array(buffer)
     const copy = structuredClone({ view }, { transfer: [buffer] })
     return [buffer.detached, copy.view.length, view.length]`,
    [true, 8, 0],
  ],
  'what cannot be cloned or moved is a DataCloneError, and nothing is moved': [
    `const buffer = new ArrayBuffer(1)
     return [${['structuredClone(() => {})', 'structuredClone({ a: [Symbol()] })', 'structuredClone(Promise.resolve())', 'structuredClone(new WeakMap())', 'structuredClone(new Response())', 'structuredClone(buffer, { transfer: [buffer, buffer] })', 'structuredClone({ buffer, f() {} }, { transfer: [buffer] })', 'structuredClone({}, { transfer: [{}] })'].map(thrownBy).join(', ')}, buffer.detached]`,
    [...Array(8).fill('DataCloneError'), false],
  ],
  'a key named __proto__ is a key': [
    `const copy = structuredClone(JSON.parse('{"__proto__": {"polluted": 1}}'))
     return [Object.keys(copy), copy.polluted === undefined, {}.polluted === undefined]`,
    [['__proto__'], true, true],
  ],
})

claims('MessageChannel', {
  'what is sent arrives later, copied, in order': [
    `const { port1, port2 } = new MessageChannel(), sent = { n: 1 }, got = []
     port1.postMessage(sent); sent.n = 2; port1.postMessage(sent)
     const both = new Promise((resolve) => { port2.onmessage = ({ data }) => { got.push(data.n); if (got.length === 2) resolve() } })
     await Promise.resolve()
     const early = got.length
     await both
     return [early, got, ${thrownBy('port1.postMessage(() => {})')}]`,
    [0, [1, 2], 'DataCloneError'],
  ],
  'a port that is closed hears nothing': [
    `const { port1, port2 } = new MessageChannel(); let heard = 0
     port2.addEventListener('message', () => { heard += 1 }); port2.start(); port2.close()
     port1.postMessage(1)
     await new Promise((resolve) => setTimeout(resolve, 3))
     return heard`,
    0,
  ],
})
