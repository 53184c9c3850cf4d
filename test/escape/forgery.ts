/** Attacks by calls, replies and numbers that are not the kernel's. */
import { type Family, gives, probing, program } from '../support/attack.ts'

export const forgery: Family = {
  name: 'forged calls and replies',
  property:
    'A reply settles the call it answers, with what the kernel said; nothing else can settle one, and no number reaches another process.',
  attacks: [
    {
      name: 'data that looks like a reply',
      tries:
        'Has the kernel give back JSON that looks like replies, signals and errors, to settle other calls with it.',
      source:
        probing(`const looks = [{ ok: 'mine' }, { error: { code: 'EPERM', message: 'm' } }, { signal: 'SIGTERM' }, [[1, { ok: 1 }]], [1, { ok: 2 }], { number: 1, ok: 3 }, '],[2,{"ok":4}],[', '"}],[1,{"ok":5}]']
        let told = false
        await proc.on('SIGTERM', () => { told = true })
        const slow = sys('clock.sleep', { ms: 30 }).then((value) => ['slept', value])
        const back = []
        for (const look of looks) back.push((await tools.echo({ look })).look)
        return [JSON.stringify(back) === JSON.stringify(looks), await slow, told]`),
      ends: gives([true, ['slept', null], false]),
    },
    {
      name: 'files that look like replies',
      tries: 'Writes texts that would close the JSON of a reply and open another, and reads them back.',
      source:
        probing(`const texts = ['"},"error":{"code":"EPERM"}}]', '\\\\"}]', '\\u2028\\u2029', '\\u0000', '</script>', '\\\\u0022', '__proto__']
        const back = []
        for (const text of texts) { await fs.write('/tmp/a', text); back.push(await fs.read('/tmp/a')) }
        return back.every((text, n) => text === texts[n])`),
      ends: gives(true),
    },
    {
      name: 'settling a call with its own promise functions',
      tries:
        'Replaces Promise before a call, to be given the functions that settle it, and settles it with its own data.',
      source: probing(`const Native = Promise, got = []
        globalThis.Promise = function (run) { return new Native((resolve, reject) => { got.push(resolve, reject); run(resolve, reject) }) }
        Native.prototype.constructor = globalThis.Promise
        const reply = sys('proc.self')
        for (const settle of got) settle('mine')
        globalThis.Promise = Native
        return [got.length, (await reply).name]`),
      ends: gives([0, 'attacker']),
    },
    {
      name: 'canceling sleeps that are not its own',
      tries: 'Cancels sleeps by every number, to wake those of other processes.',
      source: probing(`const codes = []
        for (let call = 1; call < 200; call += 1) codes.push(await codeOf(sys('clock.cancel', { call })))
        return [...new Set(codes)]`),
      ends: gives(['ok']),
    },
    {
      name: 'odd numbers of calls',
      tries: 'Cancels calls whose numbers are no numbers of calls.',
      source: probing(`const codes = []
        for (const call of [0, -1, 1.5, 2 ** 53, 1e300, '1', null, [1], { valueOf: null }, true]) codes.push(await codeOf(() => sys('clock.cancel', { call })))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'a return from a handler that does not run',
      tries: 'Says that handlers of signals have returned which never ran, to get past deadlines.',
      source: probing(`const codes = []
        for (const signal of [1, 2, 9, 10, 15, 19, 34, 0, -1, 99, 'SIGTERM', 1.5]) codes.push(await codeOf(() => sys('proc.sigreturn', { signal })))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'a return from a handler twice',
      tries: 'Says twice that one handler has returned, to make the count of running handlers negative.',
      source: probing(`const codes = []
        await proc.on('SIGUSR1', async () => { codes.push(await codeOf(sys('proc.sigreturn', { signal: 10 }))); codes.push(await codeOf(sys('proc.sigreturn', { signal: 10 }))) })
        await proc.signal((await proc.self()).pid, 'SIGUSR1')
        await sleep(20)
        return codes`),
      ends: [{ value: ['ok', 'EINVAL'] }, { failed: 'EINVAL' }],
    },
    {
      name: 'names of syscalls',
      tries: 'Calls by names that objects have of themselves, that are odd, or that are very long.',
      source:
        probing(`const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', ' ', 'fs', 'fs.', '.read', 'FS.READ', 'fs.read ', 'fs.read\\u0000', 'fs/read', '\\ud800', '💥'.repeat(70), 'x'.repeat(1e6), 'fs.read\\n', 'proc.kill']
        const codes = []
        for (const name of names) codes.push(await codeOf(sys(name, {})))
        return [...new Set(codes)]`),
      ends: gives(['ENOSYS']),
    },
    {
      name: 'replies in its own order',
      tries: 'Makes many calls at once and checks that each reply is that of its own call.',
      source:
        probing(`const calls = Array.from({ length: 300 }, (_, n) => tools.echo({ n }).then((back) => back.n === n))
        const mixed = Array.from({ length: 100 }, (_, n) => n % 2 ? codeOf(fs.read('/none' + n)) : codeOf(tools.echo({})))
        return [(await Promise.all(calls)).every(Boolean), [...new Set(await Promise.all(mixed))].sort()]`),
      ends: gives([true, ['ENOENT', 'ok']]),
    },
    {
      name: 'calls within calls',
      tries:
        'Makes calls from getters and conversions while another call is being made, to mix up their numbers.',
      source: probing(`const inner = []
        const outer = await sys({ toString() { inner.push(fs.read('/none').catch((error) => error.code)); return 'tool.call' } }, { name: 'echo', get args() { inner.push(proc.self().then(({ name }) => name)); return { a: 1 } } })
        const values = await Promise.all(inner)
        return [outer, [...new Set(values)].sort()]`),
      ends: gives([{ a: 1 }, ['ENOENT', 'attacker']]),
    },
    {
      name: 'a process’s own exit, forged',
      tries: 'Exits with fields that only the kernel gives: signals, usage, decisions, labels.',
      source: probing(`const codes = []
        for (const extra of [{ status: 'exited' }, { signal: 'SIGKILL' }, { usage: {} }, { reason: 'x' }, { error: { name: 'x', message: 'y', decision: {} } }, { error: { name: 'x' } }, { error: 'x' }])
          codes.push(await codeOf(() => sys('proc.exit', extra)))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'an error that claims a time limit',
      tries:
        'Fails with the words that V8 uses for a turn that took too long, to have the kernel put that on record.',
      source: program(
        `await null; Promise.reject(new Error('Script execution timed out.')); await new Promise(() => {})`,
      ),
      ends: [{ failed: 'EFAULT', message: /^Error: Script execution timed out\.$/ }],
    },
    {
      name: 'an error that claims a lack of memory',
      tries:
        'Fails with the words that V8 uses for an isolate without memory, to have the kernel put that on record.',
      source: program(`await null
        const error = new Error('Isolate was disposed during execution due to memory limit'); error.stack = ''
        Promise.reject(error); await new Promise(() => {})`),
      ends: [{ failed: 'EFAULT', message: /^Error: Isolate was disposed/ }],
    },
    {
      name: 'an error that claims a failed allocation',
      tries: 'Fails with the words that V8 uses for an array that does not fit, and without a stack.',
      source: program(`await null
        const error = new RangeError('Array buffer allocation failed'); error.stack = ''
        Promise.reject(error); await new Promise(() => {})`),
      ends: [{ failed: 'EFAULT', message: /Array buffer allocation failed/ }, { failed: 'ENOMEM' }],
    },
    {
      name: 'an error that claims an errno',
      tries:
        'Fails with codes of the kernel on an error of its own, which the kernel must not take for its own words.',
      source: program(
        `await null; Promise.reject(Object.assign(new Error('mine'), { code: 'ETIMEDOUT', decision: { effect: 'permit' }, refused: true })); await new Promise(() => {})`,
      ),
      ends: [
        { failed: 'EFAULT', message: /^Error: mine$/ },
        { failed: 'ETIMEDOUT', message: /^Error: mine$/ },
      ],
    },
  ],
}
