/** Attacks by processes: bombs, waits, ends. */
import { type Ending, type Family, gives, overBudget, probing, program } from '../support/attack.ts'

const spent: readonly Ending[] = overBudget

export const processes: Family = {
  name: 'processes',
  property:
    'Children end with their parents, share their budgets, and cannot crowd out the processes of others.',
  attacks: [
    {
      name: 'a bomb of spawns',
      tries: 'Has each child start children, each from the same text.',
      budget: { cpu: '500ms', wall: '1s' },
      source: `const bomb = "const text = TEXT; export default async () => { for (;;) await proc.spawn(text.replace('TEXT', JSON.stringify(text))).catch(() => new Promise((resolve) => setTimeout(resolve, 20))) }"
        export default async () => { for (;;) await proc.spawn(bomb.replace('TEXT', JSON.stringify(bomb))).catch(() => new Promise((resolve) => setTimeout(resolve, 20))) }`,
      ends: spent,
    },
    {
      name: 'wide children',
      tries: 'Starts children that sleep until no more may be started.',
      budget: { cpu: '3s', memory: '16MiB' },
      source: probing(`const codes = []
        for (let n = 0; n < 70; n += 1) codes.push(await codeOf(proc.spawn('export default () => new Promise((resolve) => setTimeout(resolve, 60_000))')))
        return [codes.filter((code) => code === 'ok').length, [...new Set(codes)].sort()]`),
      ends: gives([64, ['EAGAIN', 'ok']]),
    },
    {
      name: 'deep children',
      tries: 'Starts a child of a child of a child, as deep as it goes.',
      budget: { cpu: '3s' },
      source: `const text = "const text = TEXT; export default async (n) => { try { const { pid } = await proc.spawn(text.replace('TEXT', JSON.stringify(text)), { args: [n + 1] }); return (await proc.wait(pid)).value } catch (error) { return [n, error.code] } }"
        export default async () => { const { pid } = await proc.spawn(text.replace('TEXT', JSON.stringify(text)), { args: [1] }); return (await proc.wait(pid)).value }`,
      ends: gives([8, 'EDQUOT']),
    },
    {
      name: 'children by many names',
      tries: 'Starts children that each have a name of their own, so that each would take a cell of its own.',
      budget: { cpu: '3s', wall: '20s', memory: '16MiB' },
      source:
        probing(`const text = 'export default () => new Promise((resolve) => setTimeout(resolve, 8_000))'
        const codes = await Promise.all(Array.from({ length: 60 }, (_, n) => codeOf(proc.spawn(text, { name: 'child' + n }))))
        await sleep(3_500)
        return codes.every((code) => code === 'ok' || code === 'EAGAIN')`),
      ends: gives(true),
    },
    {
      name: 'children that outlive it',
      tries: 'Starts children that spin, and exits at once.',
      source: program(`const pids = []
        for (let n = 0; n < 4; n += 1) pids.push((await proc.spawn('export default () => { for (;;); }')).pid)
        return pids.length`),
      ends: gives(4),
    },
    {
      name: 'children that break V8',
      tries: 'Starts children that break V8 in the cell that they share with their parent.',
      notInline: 'What breaks V8 ends the application’s own process.',
      budget: { cpu: '1s' },
      source:
        probing(`const { pid } = await proc.spawn('export default () => { const map = new Map(); for (let n = 0; ; n += 1) map.set(n, n) }')
        return (await proc.wait(pid)).status`),
      ends: [{ value: 'failed' }, { value: 'killed' }, { failed: 'EIO' }, { failed: 'ENOMEM' }],
    },
    {
      name: 'waiting for itself and in a circle',
      tries: 'Waits for itself, for its parent, and lets a child wait for it.',
      source: probing(`const { pid } = await proc.self()
        const child = (await proc.spawn('export default async (parent) => { try { await proc.wait(parent); return "waited" } catch (error) { return error.code } }', { args: [pid] })).pid
        return [await codeOf(proc.wait(pid)), (await proc.wait(child)).value]`),
      ends: gives(['ECHILD', 'ECHILD']),
    },
    {
      name: 'waiting for one child very often',
      tries: 'Waits for the same child a thousand times at once, and again after its end.',
      budget: { cpu: '2s' },
      source:
        probing(`const { pid } = await proc.spawn('export default () => new Promise((resolve) => setTimeout(() => resolve("x".repeat(1_000)), 20))')
        const exits = await Promise.all(Array.from({ length: 900 }, () => proc.wait(pid)))
        return [new Set(exits.map(({ value }) => value)).size, await codeOf(proc.wait(pid))]`),
      ends: [{ value: [1, 'ok'] }, { value: [1, 'ECHILD'] }],
    },
    {
      name: 'programs that are none',
      tries: 'Starts children from texts that are empty, broken, huge, binary or all comment.',
      budget: { cpu: '3s', memory: '96MiB' },
      source: probing(`const ends = []
        for (const source of ['', ' ', '\\u0000', '{', 'export default', '#!/bin/sh', '/*', '//' + 'x'.repeat(1e6), '\\u2028', 'export default ' + '('.repeat(5_000), 'import "x"', 'await 0; export default await 1', '<script>', 'with ({}) {}', '\\ufeff export default 1'])
          ends.push(await proc.spawn(source).then(({ pid }) => proc.wait(pid)).then(({ status }) => status, (error) => error.code))
        return [...new Set(ends)].filter((end) => !['exited', 'failed', 'EINVAL'].includes(end))`),
      ends: gives([]),
    },
    {
      name: 'functions that are no programs',
      tries: 'Starts children from functions that are native, bound, classes, methods or proxies.',
      source: probing(`const ends = []
        for (const make of [Math.max, (() => 1).bind(null), class A {}, { m() { return 1 } }.m, new Proxy(() => 1, {}), async () => 'ran', function* () {}, Object.assign(() => 1, { toString: () => 'export default 2' })])
          ends.push(await codeOf(() => proc.spawn(make).then(({ pid }) => proc.wait(pid))))
        return [...new Set(ends)].filter((end) => end !== 'ok' && end !== 'EINVAL' && end !== 'TypeError')`),
      ends: gives([]),
    },
    {
      name: 'an end before the start',
      tries: 'Starts and kills children at once, so that they end while they begin.',
      budget: { cpu: '2s' },
      source: probing(`const ends = []
        for (let n = 0; n < 30; n += 1) {
          const { pid } = await proc.spawn('export default () => 1')
          const wait = proc.wait(pid)
          await codeOf(proc.signal(pid, ['SIGKILL', 'SIGSTOP', 'SIGTERM'][n % 3]))
          await codeOf(proc.signal(pid, 'SIGKILL'))
          ends.push((await wait).status)
        }
        return [...new Set(ends)].filter((end) => end !== 'killed' && end !== 'exited')`),
      ends: gives([]),
    },
    {
      name: 'exits in a loop',
      tries: 'Exits again and again with other values.',
      source: program(`for (let n = 1; n < 5_000; n += 1) sys('proc.exit', { value: n }).catch(() => {})
        return 'later'`),
      ends: gives(1),
    },
    {
      name: 'an exit that races calls',
      tries: 'Exits while files, timers, tools and children are in flight.',
      source:
        program(`for (let n = 0; n < 50; n += 1) { fs.write('/tmp/' + n, 'x'); tools.echo({ n }); setTimeout(() => { throw new Error('late') }, 1); proc.spawn('export default 1'); fs.write('/scratch/race' + (n % 3), 'x') }
        sys('proc.exit', { value: 'ended' })
        await fs.read('/tmp/1')
        return 'later'`),
      ends: gives('ended'),
    },
    {
      name: 'an exit and an error',
      tries: 'Exits and throws at once, in every order.',
      source: program(
        `Promise.reject(new Error('first')); sys('proc.exit', { value: 'exit' }); throw new Error('second')`,
      ),
      ends: [{ value: 'exit' }, { failed: 'EFAULT' }],
    },
    {
      name: 'an exit with too much',
      tries: 'Exits with a value that is larger than any may be.',
      budget: { cpu: '3s', memory: '128MiB' },
      source: program(`return 'x'.repeat(25 * 1024 * 1024)`),
      ends: [{ failed: 'E2BIG' }, { failed: 'EFAULT', message: /E2BIG/ }],
    },
    {
      name: 'the end of its parent',
      tries: 'Has a child kill its parent, and then act on its own.',
      source: program(`const { pid } = await proc.self()
        await proc.spawn("export default async (parent) => { await proc.signal(parent, 'SIGKILL'); for (;;) await fs.write('/scratch/orphan', 'x') }", { args: [pid] })
        await new Promise((resolve) => setTimeout(resolve, 10_000))`),
      ends: [{ killed: 'SIGKILL' }],
    },
  ],
}
