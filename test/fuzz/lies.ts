/** What a cell that was taken over may send to the kernel, one lie at a time. */
import { encodeFrame, type Frame, frameKinds } from '../../src/isolate/frames.ts'
import { limits } from '../../src/limits.ts'
import type { Random } from '../support/random.ts'

/** What a lie has to bring about. */
export type Demand =
  /** The kernel kills the cell, and its processes end with a reason. */
  | 'cell dies'
  /** The process ends with a reason: a fault that it may report, or more than its budget. */
  | 'process ends'
  /** It is harmless; the process goes on, or ends with a reason. */
  | 'none'

export interface Lie {
  readonly demand: Demand
  readonly bytes: (guest: number, random: Random) => readonly Buffer[]
}

const frame = (kind: Frame['kind'], guest: number, text = '', number = 0, name = ''): Buffer =>
  encodeFrame({ kind, guest, number, name, text })

/** A frame whose head is not what its bytes are. */
function forged(bytes: Buffer, alter: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes)
  alter(copy)
  return copy
}

const lie = (demand: Demand, bytes: Lie['bytes']): Lie => ({ demand, bytes })
const one =
  (make: (guest: number, random: Random) => Buffer): Lie['bytes'] =>
  (guest, random) => [make(guest, random)]

const noUsage = [
  ...['', 'null', '[]', '{}', '{"cpuMs":1}', '{"cpuMs":-1,"heapBytes":1}', '{"cpuMs":1e999,"heapBytes":1}'],
  ...['{"cpuMs":NaN,"heapBytes":1}', '{"cpuMs":"1","heapBytes":1}', '{"cpuMs":1,"heapBytes":1,"more":1}'],
  ...['{"cpuMs":281474976710657,"heapBytes":1}', '{"cpuMs":1,"heapBytes":null}', `${'['.repeat(50_000)}`],
]
const noFault = [
  ...['', '{}', '{"code":"ENOSUCH","reason":"x"}', '{"code":"constructor","reason":"x"}', '{"code":"EIO"}'],
  ...[
    '{"code":"EIO","reason":1}',
    '{"code":"EIO","reason":"x","decision":{}}',
    '{"code":"EIO","reason":"x","error":{}}',
  ],
  JSON.stringify({ code: 'EIO', reason: 'x'.repeat(2 * limits.errorTextMax + 1) }),
]
const usage = '{"cpuMs":1,"heapBytes":1}'

export const lies: Readonly<Record<string, Lie>> = {
  'unknown kind': lie(
    'cell dies',
    one((guest, random) =>
      forged(frame('turn', guest, usage), (it) => it.writeUInt8(random.between(frameKinds.length, 255), 4)),
    ),
  ),
  'huge length': lie(
    'cell dies',
    one((_guest, random) =>
      forged(Buffer.alloc(4), (it) =>
        it.writeUInt32LE(random.pick([limits.frameBytesMax + 1, 0x8000_0000, 0xffff_ffff])),
      ),
    ),
  ),
  'short frame': lie(
    'cell dies',
    one((_guest, random) => forged(Buffer.alloc(15), (it) => it.writeUInt32LE(random.between(0, 10)))),
  ),
  'name beyond the frame': lie(
    'cell dies',
    one((guest) => forged(frame('call', guest, '{}', 1, 'fs.read'), (it) => it.writeUInt16LE(0xffff, 13))),
  ),
  'kind of the kernel': lie(
    'cell dies',
    one((guest, random) => frame(random.pick(['start', 'deliver', 'end']), guest, '{}')),
  ),
  'no usage': lie(
    'cell dies',
    one((guest, random) => frame('turn', guest, random.pick(noUsage))),
  ),
  'no fault': lie(
    'cell dies',
    one((guest, random) => frame('fault', guest, random.pick(noFault))),
  ),
  'ended without end': lie(
    'cell dies',
    one((guest) => frame('ended', guest)),
  ),
  'any bytes': lie(
    'none',
    one((_guest, random) => random.bytes(random.between(1, 60))),
  ),
  'ready again': lie(
    'none',
    one((guest) => frame('ready', guest)),
  ),
  'ready with a text': lie(
    'none',
    one((guest) => frame('ready', guest, '{"x":1}', 7, 'name')),
  ),
  'another guest': lie('none', (_guest, random) =>
    ['call', 'turn', 'fault', 'ended'].map((kind) =>
      frame(kind as Frame['kind'], random.pick([0, 900, 0xffff_ffff]), usage, 1, 'clock.time'),
    ),
  ),
  'turn without deliver': lie('none', (guest, random) =>
    Array.from({ length: random.between(2, 40) }, () => frame('turn', guest, usage)),
  ),
  'usage backwards': lie('none', (guest) => [
    frame('turn', guest, '{"cpuMs":500,"heapBytes":9}'),
    frame('turn', guest, '{"cpuMs":0,"heapBytes":0}'),
  ]),
  'usage beyond the budget': lie(
    'process ends',
    one((guest) => frame('turn', guest, '{"cpuMs":281474976710656,"heapBytes":281474976710656}')),
  ),
  fault: lie(
    'process ends',
    one((guest) => frame('fault', guest, '{"code":"EFAULT","reason":"uncaught Error: x\\ud800"}')),
  ),
  'fault twice': lie('process ends', (guest) => [
    frame('fault', guest, '{"code":"EIO","reason":"x"}'),
    frame('fault', guest, '{"code":"EIO","reason":"y"}'),
    frame('ended', guest),
  ]),
  'after its fault': lie('process ends', (guest) => [
    frame('fault', guest, '{"code":"EIO","reason":"x"}'),
    frame('call', guest, '{}', 5, 'clock.time'),
    frame('turn', guest, usage),
    frame('ended', guest),
    frame('call', guest, '{}', 6, 'clock.time'),
    frame('ended', guest),
  ]),
  'numbers of calls': lie('none', (guest, random) =>
    Array.from({ length: 12 }, () =>
      frame('call', guest, '{}', random.pick([0, 1, 1, 2, 10, 15, 0x7fff_ffff, 0xffff_ffff]), 'clock.time'),
    ),
  ),
  'names of calls': lie('none', (guest, random) =>
    Array.from({ length: 8 }, (_, at) =>
      frame(
        'call',
        guest,
        '{}',
        at,
        random.pick([
          '',
          '__proto__',
          'constructor',
          '\u0000',
          'x'.repeat(60_000),
          'fs.read',
          'toString',
          '\ud83d',
        ]),
      ),
    ),
  ),
  'no UTF-8': lie(
    'none',
    one((guest, random) =>
      forged(frame('call', guest, 'x'.repeat(20), 1, 'fs.read'), (it) => random.bytes(20).copy(it, 22)),
    ),
  ),
  'no JSON': lie('none', (guest, random) =>
    Array.from({ length: 8 }, (_, at) =>
      frame(
        'call',
        guest,
        random.pick(['', '{', '\ud800', '"\\ud800"', '[1,', 'undefined', `${'['.repeat(5_000)}`]),
        at,
        'fs.read',
      ),
    ),
  ),
  'a long text': lie(
    'none',
    one((guest) => frame('call', guest, 'x'.repeat(2_000_000), 1, 'proc.output')),
  ),
  torn: lie('none', (guest) =>
    [...frame('call', guest, '{"ms":1}', 3, 'clock.sleep')].map((byte) => Buffer.from([byte])),
  ),
  'never whole': lie(
    'none',
    one((guest) => frame('turn', guest, usage).subarray(0, -1)),
  ),
  silence: lie('none', () => []),
  flood: lie('none', (guest, random) => {
    const call = frame(
      'call',
      guest,
      '{"ms":1000}',
      random.between(1, 9),
      random.pick(['clock.sleep', 'fs.write', 'nothing']),
    )
    return [Buffer.concat(Array.from({ length: 3_000 }, () => call))]
  }),
}
export const lieNames = Object.keys(lies)
