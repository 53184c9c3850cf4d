/** Attacks that flood the kernel: calls, replies, output, timers, messages, files. */
import { type Ending, type Family, gives, overBudget, probing, program, usedUp } from '../support/attack.ts'

const flooded: readonly Ending[] = [...usedUp, ...overBudget]

export const floods: Family = {
  name: 'floods',
  property:
    'However much a process asks for, prints, sends or stores, the kernel holds a bounded part of it, and the others go on.',
  attacks: [
    {
      name: 'calls that are never awaited',
      tries: 'Makes calls in a loop that never yields.',
      budget: { syscalls: 1_000, cpu: '300ms' },
      source: program('for (;;) sys("proc.self")'),
      ends: flooded,
    },
    {
      name: 'more calls in flight than fit',
      tries: 'Leaves more sleeps in flight than a process may have.',
      budget: { cpu: '2s' },
      source: probing(`const calls = Array.from({ length: 1_100 }, () => sys('clock.sleep', { ms: 60_000 }))
        const first = await Promise.race(calls.map((call) => call.then(() => 'slept', (error) => error.code)))
        return first`),
      ends: gives('EAGAIN'),
    },
    {
      name: 'calls past a budget of calls',
      tries: 'Goes on calling when its budget of calls is used up.',
      budget: { syscalls: 50, cpu: '2s' },
      source: program('for (;;) await proc.self().catch(() => {})'),
      ends: [{ killed: 'SIGBUDGET', reason: /syscalls/ }],
    },
    {
      name: 'large arguments that are never awaited',
      tries: 'Posts texts of a megabyte faster than anyone can read them.',
      budget: { syscalls: 30, cpu: '300ms' },
      source: program(
        'const text = "x".repeat(1e6); for (;;) sys("fs.write", { path: "/tmp/a", text }).catch(() => {})',
      ),
      notInline: 'What is posted waits in the application’s memory until its event loop gets to it.',
      ends: flooded,
    },
    {
      name: 'large replies that are never read',
      tries: 'Asks for a large file again and again within one turn, so that replies pile up.',
      budget: { cpu: '1s', syscalls: 400, memory: '64MiB' },
      source: probing(`await fs.write('/tmp/a', 'x'.repeat(2e6))
        const codes = await Promise.all(Array.from({ length: 15 }, () => codeOf(fs.stat('/tmp/a').then(() => fs.read('/tmp/a')).then(() => undefined))))
        return codes.every((code) => code === 'ok' || code === 'EAGAIN')`),
      ends: [{ value: true }, ...flooded],
    },
    {
      name: 'output without end',
      tries: 'Prints without awaiting.',
      budget: { syscalls: 300, cpu: '300ms' },
      source: program('for (;;) console.log("x".repeat(1e4))'),
      ends: flooded,
    },
    {
      name: 'output in one piece',
      tries:
        'Prints texts larger than any reply, with characters of terminals, half characters and objects without an end.',
      budget: { cpu: '2s', memory: '96MiB' },
      source: probing(`const loop = []; loop.push(loop, { loop })
        console.log('x'.repeat(2e6)); console.log('\\u001b[2J\\u001b]0;owned\\u0007\\ud800'); console.error(loop, new Map([[loop, loop]]), new Proxy({}, {}), Symbol('s'), 1n, -0, null, undefined, () => {}, Object.create(null))
        await sleep(5)
        return 'printed'`),
      ends: gives('printed'),
    },
    {
      name: 'what is printed, with hooks',
      tries: 'Prints objects whose every look throws.',
      source: probing(`const nasty = new Proxy({}, new Proxy({}, { get() { throw new Error('mine') } }))
        const names = []
        for (const value of [nasty, { get a() { throw new Error('mine') } }, Object.assign(new Error('x'), { stack: nasty }), [nasty], { toString: nasty }, Object.setPrototypeOf(() => {}, null)])
          names.push(await codeOf(() => console.log(value)))
        return names.length`),
      ends: gives(6),
    },
    {
      name: 'timers without end',
      tries: 'Sets timers that set timers, and intervals that are never cleared.',
      budget: { syscalls: 1_000, cpu: '1s' },
      source: program(
        'const go = () => { setTimeout(go, 0); setTimeout(go, 0) }; go(); setInterval(() => {}, 0); await new Promise(() => {})',
      ),
      ends: flooded.concat([{ failed: 'EAGAIN' }, { failed: 'EDQUOT' }]),
    },
    {
      name: 'timers of odd lengths',
      tries:
        'Sets timers for times that are negative, huge, no number, or objects that never end to convert.',
      source: probing(`const ran = []
        for (const ms of [-1, NaN, undefined, null, '5', -Infinity, 0.1, [], {}]) setTimeout(() => ran.push(1), ms)
        const far = [2 ** 31, 2 ** 53, Infinity, 1e300].map((ms) => setTimeout(() => ran.push(2), ms))
        await sleep(40)
        for (const id of far) clearTimeout(id)
        for (const id of [0, -1, NaN, undefined, null, {}, 'x', 1e9, Symbol.iterator]) clearTimeout(id)
        return ran.filter((kind) => kind === 1).length`),
      ends: [{ value: 9 }, { failed: 'EINVAL' }],
    },
    {
      name: 'files until there is no room',
      tries: 'Writes until its part of the memory file system is full, and beyond.',
      budget: { cpu: '5s', memory: '96MiB', syscalls: 300 },
      source: probing(`const text = 'x'.repeat(8e6), codes = new Set()
        for (let n = 0; n < 9; n += 1) codes.add(await codeOf(fs.write('/tmp/f' + n, text)))
        return [[...codes].sort(), await codeOf(proc.self())]`),
      ends: gives([['EDQUOT', 'ok'], 'ok']),
    },
    {
      name: 'one file that grows',
      tries: 'Appends to one file without end.',
      budget: { cpu: '3s', memory: '64MiB', syscalls: 200 },
      source: probing(`const text = 'x'.repeat(3e6)
        for (let n = 0; n < 50; n += 1) { const code = await codeOf(fs.append('/tmp/grows', text)); if (code !== 'ok') return code }
        return 'no end'`),
      ends: [{ value: 'EFBIG' }, { value: 'EDQUOT' }],
    },
    {
      name: 'very many files',
      tries: 'Makes more files and folders than a process may have, and lists them.',
      budget: { cpu: '8s', syscalls: 20_000, memory: '96MiB' },
      source: probing(`const codes = new Set()
        for (let n = 0; n < 11; n += 1) for (const code of await Promise.all(Array.from({ length: 1_000 }, (_, m) => codeOf(fs.write('/tmp/' + n + '-' + m, ''))))) codes.add(code)
        return [[...codes].sort(), (await fs.list('/tmp')).length <= 10_000]`),
      ends: gives([['EDQUOT', 'ok'], true]),
    },
    {
      name: 'very deep folders',
      tries:
        'Makes folders within folders until a path is longer than any may be, and removes them as a whole.',
      budget: { cpu: '3s' },
      source: probing(`let path = '/tmp', code = 'ok', depth = 0
        for (; code === 'ok'; depth += 1) { path += '/d'; code = await codeOf(fs.mkdir(path)) }
        const moved = await codeOf(fs.move('/tmp/d', '/tmp/d/d/d'))
        return [code, depth > 100, moved === 'ok', await codeOf(fs.remove('/tmp/d', { recursive: true }))]`),
      ends: [
        { value: ['ENAMETOOLONG', true, false, 'ok'] },
        { value: ['ENAMETOOLONG', true, false, 'EINVAL'] },
      ],
    },
    {
      name: 'names of every kind',
      tries: 'Makes files whose names are too long, odd, or the same by another spelling.',
      source: probing(`const codes = new Set()
        for (const name of ['x'.repeat(256), 'é'.repeat(128), '\\u0000', '\\n', '\\u202e', '.', '..', '...', ' ', 'con', '__proto__', 'constructor', '*', '💥', 'e\\u0301', '\\u00e9', 'a\\\\b', 'toString', '-rf']) {
          codes.add(await codeOf(() => fs.write('/tmp/' + name, name)))
          codes.add(await codeOf(() => fs.write('/mem/working/' + name, name).then(() => fs.remove('/mem/working/' + name))))
        }
        const odd = [...codes].filter((code) => !['ok', 'EINVAL', 'ENAMETOOLONG', 'EISDIR', 'EPERM', 'EBUSY'].includes(code))
        return [odd, await fs.read('/tmp/__proto__'), await codeOf(fs.read('/tmp/valueOf'))]`),
      ends: gives([[], '__proto__', 'ENOENT']),
    },
    {
      name: 'its own mailbox, filled',
      tries: 'Sends itself messages until no more fit, and then receives them all.',
      budget: { cpu: '5s', memory: '96MiB', syscalls: 5_000 },
      source: probing(`const { name } = await proc.self(), codes = new Set()
        for (let n = 0; n < 1_100; n += 1) codes.add(await codeOf(ipc.send(name, n)))
        let got = 0
        while ((await codeOf(ipc.receive({ timeoutMs: 1 }))) === 'ok') got += 1
        return [[...codes].sort(), got]`),
      ends: gives([['EAGAIN', 'ok'], 1_024]),
    },
    {
      name: 'messages that are too large',
      tries: 'Sends messages of many megabytes, and as many of the largest as fit.',
      budget: { cpu: '5s', memory: '96MiB', syscalls: 200 },
      source:
        probing(`const { name } = await proc.self(), codes = [await codeOf(ipc.send(name, 'x'.repeat(2e6)))]
        const more = new Set()
        for (let n = 0; n < 17; n += 1) more.add(await codeOf(ipc.send(name, 'x'.repeat(1e6))))
        while ((await codeOf(ipc.receive({ timeoutMs: 1 }))) === 'ok');
        return [codes, [...more].sort()]`),
      ends: gives([['EMSGSIZE'], ['EAGAIN', 'ok']]),
    },
    {
      name: 'receivers without end',
      tries: 'Waits for messages that never come, as often as it may.',
      budget: { cpu: '2s' },
      source:
        probing(`const waits = Array.from({ length: 1_000 }, () => codeOf(ipc.receive({ timeoutMs: 30 })))
        return [...new Set(await Promise.all(waits))]`),
      ends: gives(['ETIMEDOUT']),
    },
    {
      name: 'refusals without end',
      tries: 'Has the kernel refuse, describe and record calls without end.',
      budget: { cpu: '2s', syscalls: 400 },
      source: program(
        `for (;;) { await sys('no.such.' + 'x'.repeat(5e4), { a: 'y'.repeat(1e5) }).catch(() => {}); await fs.read('/tmp/closed/x').catch(() => {}) }`,
      ),
      ends: [{ killed: 'SIGBUDGET' }],
    },
  ],
}
