/** Headers, Request, Response, Blob, File and FormData, as the Fetch and File standards have them. */
import { claims, thrownBy } from '../../support/claims.ts'

claims('Headers', {
  'have names in small letters, in order, and cookies each alone': [
    `const headers = new Headers([['B', ' 1 '], ['a', '2'], ['b', '3'], ['Set-Cookie', 'x=1'], ['set-cookie', 'y=2']])
     return [[...headers], headers.get('B'), headers.get('none'), headers.getSetCookie()]`,
    [
      [
        ['a', '2'],
        ['b', '1, 3'],
        ['set-cookie', 'x=1'],
        ['set-cookie', 'y=2'],
      ],
      '1, 3',
      null,
      ['x=1', 'y=2'],
    ],
  ],
  'are set, deleted and gone through while they change': [
    `const headers = new Headers({ c: '1', a: '1' }), seen = []
     headers.set('C', '2'); headers.append('a', '3'); headers.delete('x')
     headers.forEach((value, name) => { seen.push(name + value); headers.delete('c') })
     return [seen, headers.has('c')]`,
    [['a1, 3'], false],
  ],
  'names and values that no header can have': [
    `return [${["new Headers({ 'a b': '1' })", "new Headers({ a: 'x\\ny' })", "new Headers({ a: '\\u0100' })", 'new Headers([[1]])', 'new Headers(5)'].map(thrownBy).join(', ')}]`,
    Array(5).fill('TypeError'),
  ],
})

claims('Request', {
  'is made of a URL and options, and of another': [
    `const one = new Request('https://a.b/c?d', { method: 'post', headers: { x: '1' }, body: 'text' })
     const other = new Request(one, { headers: { y: '2' } })
     return [one.method, one.url, other.method, [...other.headers], await other.text(), one.bodyUsed, one.credentials]`,
    [...['POST', 'https://a.b/c?d', 'POST', [['y', '2']], 'text', true, 'same-origin']],
  ],
  'says what its body is': [
    `const typeOf = (body) => new Request('https://a.b', { method: 'POST', body, duplex: 'half' }).headers.get('content-type')
     return [typeOf('a'), typeOf(new URLSearchParams('a=1')), typeOf(new Blob(['a'], { type: 'x/y' })), typeOf(new Uint8Array(1)),
       typeOf(ReadableStream.from([])), typeOf(new FormData()).startsWith('multipart/form-data; boundary=')]`,
    [
      ...['text/plain;charset=UTF-8', 'application/x-www-form-urlencoded;charset=UTF-8', 'x/y'],
      ...[null, null, true],
    ],
  ],
  'what no request can be': [
    `const body = ReadableStream.from([])
     return [${["new Request('/a')", "new Request('https://u:p@a.b')", "new Request('https://a.b', { body: 'x' })", "new Request('https://a.b', { method: 'TRACE' })", "new Request('https://a.b', { method: 'POST', body })", "new Request('https://a.b', { redirect: 'away' })", "new Request('https://a.b', { signal: {} })"].map(thrownBy).join(', ')}]`,
    Array(7).fill('TypeError'),
  ],
  'its signal follows the one it was given': [
    `const controller = new AbortController(), request = new Request('https://a.b', { signal: controller.signal })
     const copy = request.clone()
     controller.abort('why')
     return [request.signal.aborted, request.signal.reason, copy.signal.aborted, request.signal === controller.signal]`,
    [true, 'why', true, false],
  ],
})

claims('Response', {
  'is made, and its body read once': [
    `const response = new Response('{"a":[1]}', { status: 201, statusText: 'Made', headers: { x: 'y' } })
     const again = response.clone(), value = await response.json()
     return [value, response.ok, response.status, response.statusText, response.bodyUsed, ${thrownBy('response.text()')},
       (await again.bytes()).length, again.headers.get('content-type'), response.type, response.url]`,
    [{ a: [1] }, true, 201, 'Made', true, 'TypeError', 9, 'text/plain;charset=UTF-8', 'default', ''],
  ],
  'its body is a stream of bytes, of whatever it was made': [
    `const read = async (body) => { let text = ''; for await (const chunk of new Response(body).body.pipeThrough(new TextDecoderStream())) text += chunk; return text }
     return [await read('a\\u00fc'), await read(new Uint8Array([98])), await read(new Blob(['c'])),
       await read(ReadableStream.from([new Uint8Array([100])])), new Response().body]`,
    ['aü', 'b', 'c', 'd', null],
  ],
  'a stream that is cut between is split for a clone': [
    `const response = new Response(ReadableStream.from([new Uint8Array([97]), new Uint8Array([98])])), clone = response.clone()
     return [await response.text(), await clone.text()]`,
    ['ab', 'ab'],
  ],
  'a byte order mark is no text, and bytes that are no UTF-8 are replaced': [
    `return [await new Response('\\ufeffa').text(), await new Response(new Uint8Array([0x61, 0xff])).text()]`,
    ['a', 'a\ufffd'],
  ],
  'error, redirect and json': [
    `const { status, headers } = Response.redirect('https://a.b/c', 301), data = Response.json({ a: 1 }, { status: 202 })
     return [Response.error().type, status, headers.get('location'), data.status, await data.json(), data.headers.get('content-type')]`,
    ['error', 301, 'https://a.b/c', 202, { a: 1 }, 'application/json'],
  ],
  'what no response can be': [
    `return [${["new Response('a', { status: 204 })", "new Response('', { status: 99 })", 'Response.json(undefined)', "Response.redirect('https://a.b', 200)", "Response.error().headers.set('a', 'b')", "new Response(ReadableStream.from(['text'])).text()"].map(thrownBy).join(', ')}]`,
    ['TypeError', 'RangeError', 'TypeError', 'RangeError', 'TypeError', 'TypeError'],
  ],
})

claims('Blob, File and FormData', {
  'parts become bytes, and slices of them': [
    `const blob = new Blob(['a\\u00fc', new Uint8Array([98, 99]).subarray(1), new Blob(['d'])], { type: 'Text/Plain' })
     const part = blob.slice(-2, undefined, 'x/y')
     return [blob.size, blob.type, await blob.text(), await part.text(), part.type, (await blob.arrayBuffer()).byteLength]`,
    [5, 'text/plain', 'aücd', 'cd', 'x/y', 5],
  ],
  'a file has a name and the kernel’s time': [
    `const file = new File(['x'], 'a.txt', { type: 'text/plain' })
     return [file.name, file.lastModified === Date.now(), file instanceof Blob, new File([], 'b', { lastModified: 5 }).lastModified, ${thrownBy('new File([])')}]`,
    ['a.txt', true, true, 5, 'TypeError'],
  ],
  'bytes are copied when a blob is made, and when it is read': [
    `const bytes = new Uint8Array([97]), blob = new Blob([bytes])
     bytes[0] = 98; (await blob.bytes())[0] = 99
     return blob.text()`,
    'a',
  ],
  'a form keeps its order, and files their names': [
    `const form = new FormData()
     form.append('a', 1); form.append('f', new Blob(['x'])); form.append('a', '2'); form.set('f', new Blob(['y']), 'y.txt'); form.delete('none')
     return [[...form].map(([name, value]) => [name, typeof value === 'string' ? value : value.name]), form.getAll('a'), form.get('x')]`,
    [
      [
        ['a', '1'],
        ['f', 'y.txt'],
        ['a', '2'],
      ],
      ['1', '2'],
      null,
    ],
  ],
  'a form goes through a body and back': [
    `const form = new FormData()
     form.append('na"me', 'line\\nbreak'); form.append('f', new File([new Uint8Array([0, 255, 13, 10, 45, 45])], 'b.bin'))
     const back = await new Response(form).formData(), file = back.get('f')
     const simple = await new Response(new URLSearchParams('a=1&a=2')).formData()
     return [back.get('na"me'), file.name, file.type, [...(await file.bytes())], simple.getAll('a'), ${thrownBy("new Response('a').formData()")}]`,
    ['line\r\nbreak', 'b.bin', 'application/octet-stream', [0, 255, 13, 10, 45, 45], ['1', '2'], 'TypeError'],
  ],
})
