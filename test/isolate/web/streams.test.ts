/** Streams, text and compression through them, as their standards have them. */
import { claims, thrownBy } from '../../support/claims.ts'

const collect = `const collect = async (stream) => { const all = []; for await (const chunk of stream) all.push(chunk); return all }
`

claims('streams', {
  'are pulled from, no further than is asked for': [
    `let pulled = 0
     const stream = new ReadableStream({ pull: (controller) => controller.enqueue(pulled++) }, { highWaterMark: 0 })
     const reader = stream.getReader()
     return [(await reader.read()).value, (await reader.read()).value, pulled]`,
    [0, 1, 2],
  ],
  'canceling reaches the source, and errors reach the reader': [
    `let why
     const stream = new ReadableStream({ cancel: (reason) => { why = reason } })
     await stream.cancel('enough')
     const broken = new ReadableStream({ start: (controller) => controller.error(new RangeError('x')) })
     return [why, ${thrownBy('broken.getReader().read()')}, ${thrownBy('stream.pipeTo(5)')}]`,
    ['enough', 'RangeError', 'TypeError'],
  ],
  'one is locked by its reader, and can be split in two': [
    `${collect}const [one, other] = ReadableStream.from([1, 2]).tee()
     const reader = one.getReader()
     return [one.locked, ${thrownBy('one.getReader()')}, await collect(other), (await reader.read()).value]`,
    [true, 'TypeError', [1, 2], 1],
  ],
  'bytes are read into a buffer of the reader': [
    `const stream = new ReadableStream({ type: 'bytes', pull: (controller) => { controller.enqueue(new Uint8Array([1, 2, 3])); controller.close() } })
     const reader = stream.getReader({ mode: 'byob' })
     const { value } = await reader.read(new Uint8Array(2))
     return [...value]`,
    [1, 2],
  ],
  'pipes hold back, and an aborted one says so': [
    `const controller = new AbortController(), written = []
     const sink = new WritableStream({ write: (chunk) => { written.push(chunk); controller.abort() } })
     const name = ${thrownBy('ReadableStream.from([1, 2, 3]).pipeTo(sink, { signal: controller.signal })')}
     return [name, written]`,
    ['AbortError', [1]],
  ],
  'what aborts a writer is told the sink': [
    `let signal
     const sink = new WritableStream({ start: (controller) => { signal = controller.signal } })
     await sink.abort('why')
     return [signal.aborted, signal.reason, signal instanceof AbortSignal]`,
    [true, 'why', true],
  ],
  'text becomes bytes and text again, whatever the cuts': [
    `${collect}const cut = new TransformStream({ transform: (bytes, controller) => { for (const byte of bytes) controller.enqueue(new Uint8Array([byte])) } })
     const stream = ReadableStream.from(['\\ud83d', '\\ude00', '\\u00fc', '\\ud800']).pipeThrough(new TextEncoderStream()).pipeThrough(cut)
     const decoder = new TextDecoderStream()
     return [(await collect(stream.pipeThrough(decoder))).join(''), decoder.encoding, decoder.fatal]`,
    ['😀ü\ufffd', 'utf-8', false],
  ],
})

claims('compression', {
  'packs and unpacks each format': [
    `${collect}const text = 'gatehouse '.repeat(5000), sizes = []
     for (const format of ['gzip', 'deflate', 'deflate-raw']) {
       const packed = await collect(new Blob([text]).stream().pipeThrough(new CompressionStream(format)))
       const back = new Blob(packed).stream().pipeThrough(new DecompressionStream(format)).pipeThrough(new TextDecoderStream())
       sizes.push(new Blob(packed).size < 2000 && (await collect(back)).join('') === text)
     }
     return sizes`,
    [true, true, true],
  ],
  'what is not packed so, what is cut off, and what is no format': [
    `${collect}const unpack = (bytes) => collect(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')))
     const packed = new Blob(await collect(new Blob(['abc']).stream().pipeThrough(new CompressionStream('gzip'))))
     return [${thrownBy('unpack(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]))')},
       ${thrownBy('unpack(packed.slice(0, 12))')}, ${thrownBy("new CompressionStream('brotli')")}]`,
    ['TypeError', 'TypeError', 'TypeError'],
  ],
})
