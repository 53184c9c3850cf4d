/** Text as bytes and base64, as the Encoding and HTML standards have them. */
import { claims, thrownBy } from '../../support/claims.ts'

claims('TextEncoder and TextDecoder', {
  'text goes to UTF-8 and back, half a surrogate pair to U+FFFD': [
    `const bytes = new TextEncoder().encode('a\\u00fc\\u20ac\\u{1f600}\\ud800')
     return [[...bytes], new TextDecoder().decode(bytes)]`,
    [[97, 195, 188, 226, 130, 172, 240, 159, 152, 128, 239, 191, 189], 'aü€😀\ufffd'],
  ],
  'bytes that are none are replaced, or refused': [
    `const bytes = new Uint8Array([0x61, 0xf0, 0x9f, 0x98, 0x62])
     return [new TextDecoder().decode(bytes), ${thrownBy("new TextDecoder('utf-8', { fatal: true }).decode(bytes)")}]`,
    ['a\ufffdb', 'TypeError'],
  ],
  'a byte order mark goes, unless it is to stay': [
    `const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0x61])
     return [new TextDecoder().decode(bytes).length, new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).length]`,
    [1, 2],
  ],
  'characters cut in pieces are put together': [
    `const decoder = new TextDecoder(), bytes = new TextEncoder().encode('\\u{1f600}')
     return [...bytes].map((byte) => decoder.decode(new Uint8Array([byte]), { stream: true })).join('|') + decoder.decode()`,
    '|||😀',
  ],
  'encodeInto stops at whole characters': [
    `const target = new Uint8Array(4), { read, written } = new TextEncoder().encodeInto('a\\u20ac\\u20ac', target)
     return [read, written]`,
    [2, 4],
  ],
  'older encodings, by any of their labels': [
    `const decode = (label, ...bytes) => new TextDecoder(label).decode(new Uint8Array(bytes))
     return [new TextDecoder('latin1').encoding, decode(' ISO-8859-2 ', 0xb1), decode('utf-16', 0xac, 0x20),
       decode('sjis', 0x82, 0xa0), decode('gb18030', 0xc4, 0xe3), decode('big5', 0xa7, 0x41), decode('euc-kr', 0xb0, 0xa1)]`,
    ['windows-1252', 'ą', '€', 'あ', '你', '你', '가'],
  ],
  'no such encoding is a RangeError': [`return ${thrownBy("new TextDecoder('utf-9')")}`, 'RangeError'],
})

claims('atob and btoa', {
  'bytes as characters, both ways': [
    `const all = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code))
     return [btoa('a'), btoa('ab'), btoa('abc'), btoa(''), atob(btoa(all)) === all, atob(' YQ = = '), atob('YQ')]`,
    ['YQ==', 'YWI=', 'YWJj', '', true, 'a', 'a'],
  ],
  'what is no base64, and what is no byte': [
    `return [${["atob('a')", "atob('YQ=')", "atob('Y*==')", "atob('====')", "btoa('\\u0100')", 'atob()'].map(thrownBy).join(', ')}]`,
    [...Array(5).fill('InvalidCharacterError'), 'TypeError'],
  ],
})
