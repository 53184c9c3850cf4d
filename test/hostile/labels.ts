/** Attacks on labels: to be told what was labelled, and to carry on without the label. */
import type { PolicyDocument } from '../../src/index.ts'
import { type Attack, type Family, gives, probing } from '../support/attack.ts'

/** What lies in /workspace is secret; who has read it may call no tool. */
const policy: PolicyDocument = {
  version: 1,
  name: 'secret-workspace',
  rules: [
    { id: 'all', effect: 'permit', action: '*' },
    {
      id: 'secret',
      effect: 'permit',
      action: ['fs.read', 'fs.stat', 'fs.list'],
      resource: '/workspace/**',
      label: ['secret'],
    },
    { id: 'no-tools', effect: 'forbid', action: 'tool.call', when: '"secret" in labels' },
  ],
}

/** In each program: `secret` reads it; `loose(text)` is what the policy says when somebody who may not does tell a tool. */
const doors = `
const secret = () => fs.read('/workspace/a.txt')
const loose = (text) => codeOf(tools.echo({ text: String(text) }))
const within = async (text, ...args) => (await proc.wait((await proc.spawn(text, { args })).pid)).value
`

const attack = (
  name: string,
  tries: string,
  body: string,
  ends: Attack['ends'],
  more: Partial<Attack> = {},
): Attack => ({
  name,
  tries,
  policy,
  source: probing(`${doors}\n${body}`),
  ends,
  ...more,
})

const kept = gives('EPERM')

export const labels: Family = {
  name: 'labels',
  property:
    'Whoever has learnt what is labelled carries the label, and nothing that a guest does takes it off.',
  attacks: [
    attack('a copy', 'Has the secret in a variable and tells it.', 'return loose(await secret())', kept),
    attack(
      'a file between',
      'Writes the secret to a file, renames it, moves its folder, and has a fresh child read it.',
      `const child = "export default async (path) => [await fs.read(path), await tools.echo({}).then(() => 'ok', (error) => error.code)]"
        const writer = "export default async () => { await fs.mkdir('/state/in'); await fs.write('/state/in/a', await fs.read('/workspace/a.txt')); await fs.move('/state/in/a', '/state/in/b'); await fs.move('/state/in', '/state/out') }"
        const { pid } = await proc.spawn(writer)
        let text = ''
        while (text === '') { await sleep(5); text = await fs.read('/proc/' + pid + '.json').then(() => '', () => 'ended') }
        const value = await within(child, '/state/out/b')
        await fs.remove('/state/out', { recursive: true })
        return [value, await loose('told')]`,
      gives([['mounted', 'EPERM'], 'EPERM']),
    ),
    attack(
      'appended',
      'Appends the secret to a file that others read.',
      `await fs.write('/state/log', 'clean')
        const other = "export default async () => { await fs.append('/state/log', await fs.read('/workspace/a.txt')) }"
        await proc.spawn(other)
        while ((await fs.read('/state/log')) === 'clean') await sleep(5)
        const code = await loose(await fs.read('/state/log'))
        await fs.remove('/state/log')
        return code`,
      kept,
    ),
    attack(
      'names of files',
      'Spells the secret in the names of empty files, and lists them.',
      `const writer = "export default async () => { const text = await fs.read('/workspace/a.txt'); await fs.mkdir('/state/' + text); return 1 }"
        const { pid } = await proc.spawn(writer)
        while (!(await fs.list('/state')).some(({ name }) => name === 'mounted')) await sleep(5)
        await fs.remove('/state/mounted')
        return loose('it is there')`,
      kept,
    ),
    attack(
      'that it is there',
      'Has a child remove a file for one bit of the secret, and only sees that it is gone.',
      `await fs.write('/state/bit', '')
        await proc.spawn("export default async () => { if ((await fs.read('/workspace/a.txt')).length > 3) await fs.remove('/state/bit') }")
        while ((await codeOf(fs.stat('/state/bit'))) === 'ok') await sleep(5)
        return loose(1)`,
      kept,
    ),
    attack(
      'a message',
      'Has a child send the secret to a mailbox.',
      `await proc.spawn("export default async () => { await ipc.send('attacker', await fs.read('/workspace/a.txt')) }")
        return loose((await ipc.receive()).message)`,
      kept,
    ),
    attack(
      'signals',
      'Has a child spell a bit by which signal it sends.',
      `const { promise, resolve } = Promise.withResolvers()
        await proc.on('SIGUSR1', () => resolve(1)); await proc.on('SIGUSR2', () => resolve(2))
        const { pid } = await proc.self()
        await proc.spawn("export default async (pid) => { const text = await fs.read('/workspace/a.txt'); await proc.signal(pid, text[0] === 'm' ? 'SIGUSR1' : 'SIGUSR2') }", { args: [pid] })
        return [await promise, await loose('told')]`,
      gives([1, 'EPERM']),
    ),
    attack(
      'the text of an error',
      'Has a child fail with the secret in its error.',
      `const { pid } = await proc.spawn("export default async () => { throw new Error(await fs.read('/workspace/a.txt')) }")
        const { error } = await proc.wait(pid)
        return [error.message, await loose(error.message)]`,
      gives(['Error: mounted', 'EPERM']),
    ),
    attack(
      'errors of files',
      'Asks only what fails: for parts, folders and bytes that are none.',
      `const codes = []
        for (const call of [() => fs.read('/workspace/none'), () => fs.list('/workspace/a.txt'), () => fs.stat('/workspace/a.txt/x')]) codes.push(await codeOf(call))
        return [codes, await loose('told')]`,
      gives([['ENOENT', 'ENOTDIR', 'ENOTDIR'], 'EPERM']),
    ),
    attack(
      'the table of processes',
      'Has a child print the secret as the number of its calls, and reads its row.',
      `const { pid } = await proc.spawn("export default async () => { const text = await fs.read('/workspace/a.txt'); for (let n = 0; n < text.length; n += 1) await proc.self(); await new Promise(() => setTimeout(() => {}, 5_000)) }")
        while (JSON.parse(await fs.read('/proc/' + pid + '.json')).syscalls < 9) await sleep(5)
        return loose('told')`,
      kept,
    ),
    attack(
      'the record',
      'Counts in the numbers of its own record how many calls a child makes.',
      `await proc.wait((await proc.spawn('export default 1')).pid)
        const child = await proc.spawn("export default async () => { await fs.read('/workspace/a.txt'); await new Promise(() => setTimeout(() => {}, 5_000)) }")
        while (!JSON.parse(await fs.read('/proc/' + child.pid + '.json')).labels.includes('secret')) await sleep(5)
        await fs.read('/audit/log.jsonl')
        return loose('told')`,
      kept,
    ),
    attack(
      'labels of its own',
      'Gives labels, none, and others to whatever takes arguments.',
      `await secret()
        const codes = []
        for (const [name, args] of [['proc.spawn', { source: '', labels: [] }], ['fs.write', { path: '/tmp/a', text: '', labels: [] }], ['ipc.send', { to: 'attacker', message: 1, labels: [] }], ['proc.exit', { value: 1, labels: [] }], ['proc.self', { labels: [] }]]) codes.push(await codeOf(sys(name, args)))
        codes.push(await codeOf(proc.spawn('', { policy: { version: 1, name: 'mine', rules: [{ id: 'a', effect: 'permit', action: '*', label: ['x'] }] } })))
        const self = await proc.self()
        self.labels.length = 0
        return [[...new Set(codes)], await loose('told')]`,
      gives([['EINVAL'], 'EPERM']),
    ),
    attack(
      'more than an extraction may tell',
      'Extracts the secret letter by letter until its bits are used up, in its errors, and through all that its process could touch.',
      `const told = [], schema = { enum: ['m', 'o', 'u', 'n', 't', 'e', 'd'] }
        for (let n = 0; n < 7; n += 1) {
          const letter = await proc.extract(async (n) => (await fs.read('/workspace/a.txt'))[n], { schema, args: [n] }).catch((error) => error.code)
          told.push(letter)
        }
        const { pid } = await proc.self()
        const errors = await messageOf(proc.extract(async () => { throw new Error(await fs.read('/workspace/a.txt')) }, { schema: { type: 'boolean' } }))
        return [told, errors.includes('mounted'), await loose('told')]`,
      gives([['m', 'o', 'u', 'EDQUOT', 'EDQUOT', 'EDQUOT', 'EDQUOT'], false, 'ok']),
      { budget: { bits: 11 } },
    ),
    attack(
      'an extraction that acts',
      'Has an extraction write, send, signal and start whatever its parent could read it by.',
      `await fs.write('/mem/procedural/seen', 'before')
        const { pid } = await proc.self()
        const value = await proc.extract(async (pid) => {
          const text = await fs.read('/workspace/a.txt'), codes = []
          const tries = [() => fs.write('/mem/procedural/seen', text), () => fs.write('/scratch/seen', text), () => fs.mkdir('/mem/' + text), () => fs.remove('/mem/procedural/seen'), () => fs.move('/mem/procedural/seen', '/mem/procedural/told'),
            () => ipc.send('attacker', text), () => ipc.receive({ timeoutMs: 1 }), () => proc.signal(pid, 'SIGUSR1'), () => proc.signal('attacker', 'SIGKILL'), () => proc.spawn('export default 1'),
            () => proc.extract('export default true', { schema: { type: 'boolean' } }), () => sys('clock.random', { bytes: 1 })]
          for (const attempt of tries) codes.push(await attempt().then(() => 'ok', (error) => error.code))
          return [...new Set(codes)].join()
        }, { args: [pid], schema: { enum: ['EPERM'] } })
        const seen = await fs.read('/mem/procedural/seen')
        await fs.remove('/mem/procedural/seen')
        return [value, seen, await loose('told')]`,
      gives(['EPERM', 'before', 'ok']),
      { budget: { bits: 8 } },
    ),
  ],
}
