/** Attacks that try to become more than one is: policies, budgets, names, children, tools, secrets. */
import { type Family, gives, probing } from '../support/attack.ts'

export const authority: Family = {
  name: 'authority',
  property:
    'No process gets more than it was given: not by a child, a name, a policy, a budget, a tool or the host’s environment.',
  attacks: [
    {
      name: 'a child with a wider policy',
      tries: 'Starts children under presets and documents that permit what its own policy forbids.',
      source:
        probing(`const ask = "export default () => fs.read('/tmp/closed/x').then(() => 'read', (error) => error.code)"
        const wide = { version: 1, name: 'wide', rules: [{ id: 'all', effect: 'permit', action: '*' }] }
        const values = []
        for (const policy of ['permissive', 'audit', wide, { ...wide, mode: 'observe' }]) values.push((await proc.wait((await proc.spawn(ask, { policy })).pid)).value)
        return values`),
      ends: gives(['EPERM', 'EPERM', 'EPERM', 'EPERM']),
    },
    {
      name: 'a child whose policy is a file of the host',
      tries: 'Names files of the host as the policy of a child, to read them or to have them obeyed.',
      source: probing(`const codes = []
        for (const policy of ['/etc/passwd', './policies/strict.yaml', '../x.yaml', 'x.json', ['permissive', '/etc/passwd'], null, 7, '__proto__', 'constructor', '', { version: 1 }, { include: '/etc/passwd' }, [], true])
          codes.push(await codeOf(() => proc.spawn('export default 1', { policy })))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'a child with a larger budget',
      tries: 'Starts a child with more CPU time, memory and calls than it has itself, and odd amounts.',
      source: probing(`const show = 'export default async () => (await proc.self()).budget'
        const own = (await proc.self()).budget
        const large = (await proc.wait((await proc.spawn(show, { budget: { cpu: '9h', memory: '8GiB', wall: '9h', syscalls: 1e9 } })).pid)).value
        const codes = []
        for (const budget of [{ cpu: -1 }, { cpu: '-1s' }, { memory: '1e99GiB' }, { syscalls: 'NaN' }, { syscalls: -5 }, { depth: 1e9 }, { cost: 'Infinity' }, { none: 1 }, { cpu: '' }, { cpu: '1s; drop' }])
          codes.push(await codeOf(() => proc.spawn(show, { budget })))
        return [large.cpuMs <= own.cpuMs, [...new Set(codes)]]`),
      ends: gives([true, ['EINVAL']]),
    },
    {
      name: 'the name of another agent',
      tries: 'Starts children by names of others, of the kernel and of no one.',
      source: probing(`const codes = []
        for (const name of ['bystander', 'probe']) codes.push(await codeOf(() => proc.spawn('export default 1', { name })))
        for (const name of ['', '../x', 'a/b', '/', '.', '..', '\\u001b[2J', 'a\\nb', '\\u0000', ' ', '😀', 'x'.repeat(65), '\\u202egnp', '-x']) codes.push(await codeOf(() => proc.spawn('export default 1', { name })))
        return [codes.slice(0, 2), [...new Set(codes.slice(2))]]`),
      ends: gives([['EPERM', 'EPERM'], ['EINVAL']]),
    },
    {
      name: 'a child with isolation of its own choice',
      tries: 'Asks for a child in the application’s own process, with labels, mounts and files of the host.',
      source: probing(`const codes = []
        for (const extra of [{ isolation: 'host' }, { isolation: 'inline' }, { labels: [] }, { file: '/etc/passwd' }, { mounts: {} }, { parent: 1 }, { pid: 1 }, { code: 1 }])
          codes.push(await codeOf(() => proc.spawn('export default 1', extra)))
        const parent = await proc.self()
        const child = (await proc.wait((await proc.spawn('export default () => proc.self()')).pid)).value
        return [[...new Set(codes)], child.isolation === parent.isolation, child.ppid === parent.pid]`),
      ends: gives([['EINVAL'], true, true]),
    },
    {
      name: 'tools that are not there',
      tries:
        'Calls tools by names that objects have of themselves, and the one that there is by other spellings.',
      source: probing(`const codes = new Set()
        for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'Echo', 'echo ', 'echo\\u0000', '', '*', 'ech*', '../echo', 'x'.repeat(64)])
          codes.add(await codeOf(sys('tool.call', { name, args: {} })))
        return [[...codes], await codeOf(tools.echo([])), await codeOf(tools.echo('x')), await codeOf(tools.echo(null))]`),
      ends: gives([['ENOENT'], 'EINVAL', 'EINVAL', 'EINVAL']),
    },
    {
      name: 'what a tool failed by',
      tries: 'Makes a tool of the host throw, and looks for its message and stack.',
      source: probing(
        `try { await tools.breaks({ a: 1 }); return 'ok' } catch (error) { return [error.code, /canary|Error:|at /.test(error.message), /\\.ts|node:/.test(String(error.stack))] }`,
      ),
      ends: gives(['EIO', false, false]),
    },
    {
      name: 'the environment of the host',
      tries: 'Looks for environment, arguments, working directory, user, machine and versions of the host.',
      source:
        probing(`const names = ['process', 'env', 'ENV', 'argv', '__dirname', '__filename', 'location', 'os', 'require', 'module', 'exports', 'Deno', 'Bun']
        const text = JSON.stringify([await proc.self(), await fs.list('/'), await fs.list('/proc'), await fs.list('/policy')])
        const words = Object.getOwnPropertyNames(globalThis).filter((name) => /env|path|home|user|host/i.test(name))
        return [names.filter((name) => name in globalThis), /canary|HOME|PATH|gatehouse-corpus|\\/work|\\/root|\\/usr/.test(text), words]`),
      ends: gives([[], false, []]),
    },
    {
      name: 'the time zone of the host',
      tries: 'Reads the time zone and the locale, which are settings of the host.',
      source: probing(`const { timeZone, locale } = Intl.DateTimeFormat().resolvedOptions()
        return [timeZone, locale, new Date(0).getTimezoneOffset(), new Date(0).toString()]`),
      ends: gives(['UTC', 'en-US', 0, 'Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)']),
    },
    {
      name: 'the clock of the host',
      tries:
        'Looks for a clock that goes on within a turn: by which the host’s time, load and neighbours could be measured.',
      source:
        probing(`const now = Date.now(), clocks = [() => Date.now(), () => new Date().getTime(), () => +Reflect.construct(Date, []), () => new (class extends Date {})().getTime(), () => Date.parse(Date()) >= now - 1_000 ? now : 0,
            () => performance.now() + performance.timeOrigin, () => new Date(...[]).getTime(), () => new (new Date().constructor)().getTime(), () => Date.prototype.constructor.now()]
        let n = 0
        const start = clocks.map((read) => read())
        while (n < 3e7) n += 1
        return [clocks.every((read, at) => read() === start[at]), new Intl.DateTimeFormat('en', { fractionalSecondDigits: 3 }).format() === new Intl.DateTimeFormat('en', { fractionalSecondDigits: 3 }).format(now)]`),
      ends: gives([true, true]),
      budget: { cpu: '3s' },
    },
    {
      name: 'the randomness of the host',
      tries:
        'Looks in the globals for the seed of its randomness, and for randomness that is not the kernel’s.',
      source: probing(`const texts = new Set(), seen = new Set(), queue = [globalThis]
        while (queue.length > 0) {
          const at = queue.pop()
          if (typeof at === 'string' && /^[0-9a-f]{32,}$/.test(at)) texts.add(at)
          if (at === null || (typeof at !== 'object' && typeof at !== 'function') || seen.has(at)) continue
          seen.add(at)
          for (const key of Reflect.ownKeys(at)) try { queue.push(at[key]) } catch {}
        }
        return [texts.size, typeof crypto.subtle, Math.random() !== Math.random()]`),
      ends: gives([0, 'object', true]),
    },
    {
      name: 'the limits of the policy, by observing',
      tries: 'Narrows itself by a child’s policy in observe mode, which must not make forbidden calls pass.',
      source:
        probing(`const policy = { version: 1, name: 'watch', mode: 'observe', rules: [{ id: 'none', effect: 'forbid', action: '*' }] }
        const source = "export default async () => [await fs.read('/tmp/closed/x').catch((error) => error.code), await proc.signal(" + world.bystander + ", 'SIGTERM').catch((error) => error.code), await fs.write('/policy/x', '').catch((error) => error.code !== 'ok')]"
        return (await proc.wait((await proc.spawn(source, { policy })).pid)).value`),
      ends: gives(['EPERM', 'EPERM', true]),
    },
    {
      name: 'a policy that would make its parent wait',
      tries: 'Starts children under policies with very many rules, patterns and wildcards.',
      budget: { cpu: '3s', memory: '96MiB' },
      source:
        probing(`const many = (length) => Array.from({ length }, (_, n) => ({ id: 'r' + n, effect: 'permit', action: 'fs.read', resource: '/a*b*c*d*e*f*g*h*/**/x' + n }))
        const rules = many(300)
        const { pid } = await proc.spawn("export default () => fs.read('/a'.repeat(400)).catch((error) => error.code)", { policy: { version: 1, name: 'many', rules } })
        const codes = [(await proc.wait(pid)).value]
        for (const resource of ['*'.repeat(1_000), '/' + '*a'.repeat(400), '(a+)+$', '/' + '**/'.repeat(300), 'x'.repeat(1e5)]) codes.push(await codeOf(() => proc.spawn('', { policy: { version: 1, name: 'p', rules: [{ id: 'a', effect: 'permit', action: 'fs.read', resource }] } })))
        codes.push(await codeOf(() => proc.spawn('', { policy: { version: 1, name: 'p', rules: many(9_000) } })))
        return codes`),
      ends: [{ value: ['EPERM', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL', 'EINVAL'] }],
    },
    {
      name: 'waiting for a process that is not its child',
      tries: 'Waits for itself, its parent, the bystander and pids of no one, to learn how others end.',
      source: probing(`const { pid, ppid } = await proc.self(), codes = []
        for (const other of [pid, world.bystander, 1e6, ppid || 2 ** 40]) codes.push(await codeOf(() => proc.wait(other)))
        return codes`),
      ends: gives(['ECHILD', 'ECHILD', 'ECHILD', 'ECHILD']),
    },
    {
      name: 'the mail of another agent',
      tries: 'Receives and sends by the name of the bystander, and looks for its mailbox.',
      source: probing(
        `return [await codeOf(() => ipc.send('bystander', { x: 1 })), await codeOf(() => ipc.send('nobody', 1)), await codeOf(() => ipc.send('__proto__', 1)), await codeOf(() => ipc.receive({ from: 'bystander', timeoutMs: 5 })), await codeOf(() => sys('ipc.receive', { to: 'bystander', timeoutMs: 5 }))]`,
      ),
      ends: gives(['EPERM', 'ENOENT', 'ENOENT', 'ETIMEDOUT', 'EINVAL']),
    },
  ],
}
