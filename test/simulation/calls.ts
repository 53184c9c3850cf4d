/** Calls as a random program makes them: of every kind, with arguments that are sound and such that are not. */
import { agentSignals } from '../../src/proc/signals.ts'
import type { Random } from '../support/random.ts'

export interface GuestCall {
  readonly name: string
  readonly text: string
}

/** What a program knows of its surroundings. */
export interface Surroundings {
  /** The largest pid that was ever given. */
  readonly lastPid: number
  readonly agents: readonly string[]
  /** The number of its own last call. */
  readonly lastCall: number
  /** A number that no other call of the run carries. */
  readonly nonce: number
}

const paths = [
  ...[
    '/mem/working/a',
    '/mem/working/b',
    '/mem/working/d',
    '/mem/working/d/e',
    '/mem/episodic/log',
    '/tmp/x',
  ],
  ...['/state/s', '/mem/secret/k', '/mem/working/../secret/k', '/policy/hash', '/proc', '/proc/1.json'],
  ...['/audit/log.jsonl', '/tools/ok.json', '/ipc', '/', '/nope/x', '/mem', '/state/checkpoints', 'relative'],
] as const

export const toolNames = [
  ...['ok', 'slow', 'hang', 'throws', 'odd', 'late', 'meddles', 'forbidden', 'asked'],
] as const

const unsound = [
  '',
  '{',
  'null',
  '[]',
  '"text"',
  '{}',
  '{"path":1}',
  '{"__proto__":{}}',
  '{"path":"/mem/\\ud800"}',
  `${'['.repeat(100)}${']'.repeat(100)}`,
  '1e999',
  '{"ms":-1}',
  '{"ms":1,"ms":2,"extra":true}',
]
const unknownNames = [
  '',
  'fs.reed',
  'constructor',
  '__proto__',
  'toString',
  'x'.repeat(200),
  'proc',
  '\u0000',
]

type Maker = (random: Random, around: Surroundings) => readonly [name: string, args: unknown]

const file = (random: Random): unknown => ({
  path: random.pick(paths),
  ...(random.chance(0.8)
    ? { text: 'x'.repeat(random.between(0, 50)) }
    : { base64: random.pick(['', 'AAAA', 'A===']) }),
})
const signal = (random: Random): string =>
  random.chance(0.1) ? random.pick(['SIGPOLICY', 'sigterm', '', 9] as string[]) : random.pick(agentSignals)
const pid = (random: Random, { lastPid }: Surroundings): number => random.between(1, lastPid + 1)
const soon = (random: Random): number => random.pick([0, 0.5, 1, 7, 40, 900, 5_000, 100_000])

const makers: Readonly<Record<string, readonly [weight: number, make: Maker]>> = {
  read: [6, (random) => ['fs.read', { path: random.pick(paths) }]],
  write: [8, (random) => [random.pick(['fs.write', 'fs.append']), file(random)]],
  look: [6, (random) => [random.pick(['fs.list', 'fs.stat', 'fs.mkdir']), { path: random.pick(paths) }]],
  remove: [3, (random) => ['fs.remove', { path: random.pick(paths), recursive: random.chance(0.5) }]],
  move: [3, (random) => ['fs.move', { from: random.pick(paths), to: random.pick(paths) }]],
  sleep: [14, (random) => ['clock.sleep', { ms: soon(random) }]],
  cancel: [3, (random, { lastCall }) => ['clock.cancel', { call: random.between(1, lastCall + 1) }]],
  time: [3, (random) => random.pick([['clock.time', {}] as const, ['clock.random', { bytes: 8 }] as const])],
  tool: [24, (random, { nonce }) => ['tool.call', { name: random.pick(toolNames), args: { nonce } }]],
  toolUnsound: [1, (random) => ['tool.call', { name: random.pick(['ok', 'none']), args: { nonce: 'x' } }]],
  send: [6, (random, { agents, nonce }) => ['ipc.send', { to: random.pick(agents), message: { nonce } }]],
  receive: [
    5,
    (random, { agents }) => [
      'ipc.receive',
      {
        ...(random.chance(0.3) && { from: random.pick(agents) }),
        ...(random.chance(0.7) && { timeoutMs: random.between(1, 3_000) }),
      },
    ],
  ],
  self: [2, () => ['proc.self', {}]],
  spawn: [4, (random) => ['proc.spawn', child(random)]],
  wait: [5, (random, around) => ['proc.wait', { pid: pid(random, around) }]],
  signal: [
    3,
    (random, around) => [
      'proc.signal',
      {
        target: random.chance(0.8) ? pid(random, around) : random.pick(around.agents),
        signal: signal(random),
      },
    ],
  ],
  action: [
    4,
    (random) => [
      'proc.sigaction',
      { signal: signal(random), disposition: random.pick(['default', 'ignore', 'handler']) },
    ],
  ],
  mask: [2, (random) => ['proc.sigmask', { signals: random.chance(0.5) ? [] : [signal(random)] }]],
  returned: [1, (random) => ['proc.sigreturn', { signal: random.pick([2, 15, 10, 99]) }]],
  output: [
    9,
    (random, { nonce }) => ['proc.output', { stream: random.pick(['stdout', 'stderr']), text: `#${nonce}` }],
  ],
  fetch: [2, (random) => ['net.fetch', { url: random.pick(urls) }]],
  exit: [
    0.5,
    (random) => [
      'proc.exit',
      random.chance(0.5) ? { value: [1, null] } : { error: { name: 'E', message: 'm' } },
    ],
  ],
}
const weights = Object.fromEntries(Object.entries(makers).map(([name, [weight]]) => [name, weight]))

/** None of them leaves the machine: addresses that no policy here opens, and texts that are no URL. */
const urls = [
  'http://127.0.0.1:9/',
  'http://[::1]/',
  'http://10.0.0.1/x',
  'ftp://x/',
  'http://u:p@x/',
  'x',
  '',
]

function child(random: Random): unknown {
  return {
    source: 'export default 1',
    ...(random.chance(0.3) && { args: [1, 'x'] }),
    ...(random.chance(0.4) && { name: random.pick(['kid', 'kin', 'root-a', 'bad/name', '']) }),
    ...(random.chance(0.3) && {
      policy: random.pick(['strict', 'permissive', 'none', './file.yaml', 7, { version: 1 }]),
    }),
    ...(random.chance(0.4) && {
      budget: random.pick([{ syscalls: 5 }, { wall: '1s' }, { cpu: '20ms' }, { depth: 1 }, { x: 1 }]),
    }),
  }
}

export function someCall(random: Random, around: Surroundings): GuestCall {
  if (random.chance(0.04))
    return { name: random.pick(['fs.read', 'clock.sleep', 'ipc.send']), text: random.pick(unsound) }
  if (random.chance(0.02)) return { name: random.pick(unknownNames), text: '{}' }
  const [, make] = makers[random.weighted(weights)] as readonly [number, Maker]
  const [name, args] = make(random, around)
  return { name, text: JSON.stringify(args) }
}
