/** Attacks by signals, and by code that a debugger would heed. */
import { type Family, gives, probing, program } from '../support/attack.ts'

export const signals: Family = {
  name: 'signals',
  property:
    'Signals reach only whom the policy permits, end what they must end, and no handler keeps a process alive or holds up another.',
  attacks: [
    {
      name: 'signals to another agent',
      tries: 'Sends the bystander each signal, by pid, by name and as text.',
      source: probing(`const codes = []
        for (const signal of ['SIGKILL', 'SIGSTOP', 'SIGTERM', 'SIGINT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'])
          for (const target of [world.bystander, 'bystander']) codes.push(await codeOf(() => proc.signal(target, signal)))
        return [...new Set(codes)]`),
      ends: gives(['EPERM']),
    },
    {
      name: 'signals to everyone and to no one',
      tries: 'Uses the pids by which kill reaches groups and all, and pids that are none.',
      source: probing(`const codes = []
        for (const target of [0, -1, -2, 1.5, 2 ** 53, 1e300, '', '*', 'x'.repeat(65), null, [], true, {}]) codes.push(await codeOf(() => proc.signal(target, 'SIGUSR1')))
        codes.push(...(await Promise.all([2 ** 31, 1e9].map((pid) => codeOf(proc.signal(pid, 'SIGUSR1'))))))
        return [...new Set(codes)].sort()`),
      ends: gives(['EINVAL', 'ESRCH']),
    },
    {
      name: 'signals of the kernel',
      tries: 'Sends, handles and masks signals that belong to the kernel, and such as there are not.',
      source: probing(`const { pid } = await proc.self(), codes = []
        for (const signal of ['SIGPOLICY', 'SIGBUDGET', 'SIGTRUST', 'SIGLOOP', 'SIGDRIFT', 'SIGSEGV', 'SIGHUP', 'sigterm', 'TERM', 9, 0, -9, '', null, '__proto__'])
          codes.push(await codeOf(() => proc.signal(pid, signal)), await codeOf(() => proc.on(signal, () => {})), await codeOf(() => proc.sigmask([signal])))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'signals that cannot be caught',
      tries: 'Handles, ignores and masks KILL, STOP and CONT.',
      source: probing(`const codes = []
        for (const signal of ['SIGKILL', 'SIGSTOP', 'SIGCONT'])
          for (const call of [() => proc.on(signal, () => {}), () => proc.on(signal, 'ignore'), () => proc.on(signal, 'default'), () => proc.sigmask([signal])]) codes.push(await codeOf(call))
        return [...new Set(codes)]`),
      ends: gives(['EINVAL']),
    },
    {
      name: 'KILL to itself',
      tries: 'Kills itself with every other signal handled and masked.',
      source:
        program(`for (const signal of ['SIGTERM', 'SIGINT', 'SIGUSR1', 'SIGUSR2']) await proc.on(signal, () => {})
        await proc.sigmask(['SIGTERM', 'SIGINT', 'SIGUSR1', 'SIGUSR2'])
        await proc.signal((await proc.self()).pid, 'SIGKILL')
        return 'lived'`),
      ends: [{ killed: 'SIGKILL' }],
    },
    {
      name: 'STOP to itself',
      tries: 'Stops itself for ever; its wall time goes on.',
      budget: { wall: '400ms' },
      source: program(
        `await proc.signal((await proc.self()).pid, 'SIGSTOP')\nawait proc.self()\nreturn 'went on'`,
      ),
      ends: [{ killed: 'SIGBUDGET', reason: /wall/ }],
    },
    {
      name: 'a handler of TERM that never returns',
      tries: 'Handles TERM by waiting for ever, which the deadline ends.',
      source: program(`await proc.on('SIGTERM', () => new Promise(() => {}))
        await proc.signal((await proc.self()).pid, 'SIGTERM')
        await new Promise((resolve) => setTimeout(resolve, 60_000))`),
      ends: [{ killed: 'SIGKILL' }],
    },
    {
      name: 'a handler that spins',
      tries: 'Handles TERM by a loop.',
      budget: { cpu: '200ms' },
      source: program(`await proc.on('SIGTERM', () => { for (;;); })
        await proc.signal((await proc.self()).pid, 'SIGTERM')
        await new Promise((resolve) => setTimeout(resolve, 60_000))`),
      ends: [{ killed: 'SIGBUDGET', reason: /CPU/ }, { killed: 'SIGKILL' }],
    },
    {
      name: 'a handler that throws',
      tries: 'Handles signals by throwing, rejecting and throwing what hangs to look at.',
      budget: { cpu: '200ms' },
      source: program(`await proc.on('SIGUSR1', () => { throw { get message() { for (;;); } } })
        await proc.signal((await proc.self()).pid, 'SIGUSR1')
        await new Promise((resolve) => setTimeout(resolve, 60_000))`),
      ends: [{ failed: 'EFAULT' }, { killed: 'SIGBUDGET', reason: /CPU/ }],
    },
    {
      name: 'a handler that arms itself again',
      tries: 'Sends itself the signal from its own handler, without end.',
      budget: { syscalls: 400, cpu: '1s' },
      source: program(`const { pid } = await proc.self()
        const go = async () => { await proc.on('SIGUSR1', go); await proc.signal(pid, 'SIGUSR1') }
        await go()
        await new Promise(() => {})`),
      ends: [{ killed: 'SIGBUDGET' }, { failed: 'EDQUOT' }],
    },
    {
      name: 'a handler that is taken away while it runs',
      tries: 'Ignores, resets and masks a signal within its own handler, and returns from it by hand.',
      source: probing(`const seen = []
        await proc.on('SIGUSR1', async () => { seen.push(1); await proc.on('SIGUSR1', 'ignore'); await proc.sigmask(['SIGUSR1']); await proc.sigmask([]); await proc.on('SIGUSR1', 'ignore') })
        const { pid } = await proc.self()
        for (let n = 0; n < 5; n += 1) await proc.signal(pid, 'SIGUSR1')
        await sleep(20)
        return seen.length > 0`),
      ends: gives(true),
    },
    {
      name: 'a deadline put off by stops',
      tries:
        'Has a child stop and continue it while its handler of TERM runs, to have the deadline begin anew.',
      budget: { wall: '15s', cpu: '2s' },
      source: program(`const { pid } = await proc.self()
        await proc.on('SIGTERM', () => new Promise(() => {}))
        await proc.spawn("export default async (pid) => { for (;;) { await proc.signal(pid, 'SIGSTOP'); await new Promise((resolve) => setTimeout(resolve, 20)); await proc.signal(pid, 'SIGCONT'); await new Promise((resolve) => setTimeout(resolve, 60)) } }", { args: [pid] })
        await proc.signal(pid, 'SIGTERM')
        await new Promise((resolve) => setTimeout(resolve, 60_000))`),
      ends: [{ killed: 'SIGKILL' }],
    },
    {
      name: 'a flood of signals to itself',
      tries: 'Sends itself more signals than can wait, masked and then unmasked.',
      budget: { cpu: '2s' },
      source: probing(`let got = 0
        await proc.on('SIGUSR1', () => { got += 1 })
        await proc.sigmask(['SIGUSR1'])
        const { pid } = await proc.self()
        const effects = await Promise.all(Array.from({ length: 200 }, () => proc.signal(pid, 'SIGUSR1')))
        await proc.sigmask([])
        await sleep(30)
        return [got, effects.filter(({ effect }) => effect === 'queued').length]`),
      ends: gives([64, 64]),
    },
    {
      name: 'a flood of signals to a child',
      tries: 'Floods a child with signals that it handles slowly.',
      budget: { cpu: '2s' },
      source:
        probing(`const { pid } = await proc.spawn("export default async () => { await proc.on('SIGUSR1', () => new Promise((resolve) => setTimeout(resolve, 5))); await fs.write('/mem/working/ready', '1'); await new Promise((resolve) => setTimeout(resolve, 60_000)) }")
        while ((await codeOf(fs.read('/mem/working/ready'))) !== 'ok') await sleep(2)
        await fs.remove('/mem/working/ready')
        const codes = new Set(await Promise.all(Array.from({ length: 500 }, () => codeOf(proc.signal(pid, 'SIGUSR1')))))
        await proc.signal(pid, 'SIGKILL')
        return [[...codes], (await proc.wait(pid)).signal]`),
      ends: gives([['ok'], 'SIGKILL']),
    },
    {
      name: 'stop and continue, a hundred times',
      tries: 'Stops and continues a child in every order while it works.',
      budget: { cpu: '2s' },
      source:
        probing(`const { pid } = await proc.spawn("export default async () => { for (let n = 0; n < 20; n += 1) { await fs.write('/tmp/n', String(n)); await new Promise((resolve) => setTimeout(resolve, 1)) } return 'done' }")
        const wait = proc.wait(pid)
        await Promise.all(Array.from({ length: 100 }, (_, n) => codeOf(proc.signal(pid, n % 3 === 0 ? 'SIGCONT' : 'SIGSTOP'))))
        await codeOf(proc.signal(pid, 'SIGCONT'))
        return (await wait).value`),
      ends: gives('done'),
    },
    {
      name: 'calls while it is stopped',
      tries: 'Goes on calling in the turn in which it was stopped; what it asked for must wait.',
      budget: { wall: '500ms', cpu: '2s' },
      source: program(`const { pid } = await proc.self()
        proc.signal(pid, 'SIGSTOP')
        for (let n = 0; n < 300; n += 1) sys('fs.write', { path: '/scratch/stopped', text: 'x' }).catch(() => {})
        await new Promise(() => {})`),
      ends: [{ killed: 'SIGBUDGET', reason: /wall/ }],
    },
    {
      name: 'debugger statements',
      tries: 'Stops itself where a debugger listens, in code, eval, Function, timers and handlers.',
      source: probing(`debugger
        eval('debugger'); new Function('debugger')()
        await new Promise((resolve) => setTimeout(() => { debugger; resolve() }, 1))
        await proc.on('SIGUSR1', () => { debugger })
        await proc.signal((await proc.self()).pid, 'SIGUSR1')
        const kept = { get a() { debugger; return 1 } }
        await tools.echo(kept)
        return 'went on'`),
      ends: gives('went on'),
    },
    {
      name: 'debugger statements in a loop',
      tries: 'Spins through debugger statements.',
      budget: { cpu: '200ms' },
      source: program('for (;;) debugger'),
      ends: [{ killed: 'SIGBUDGET', reason: /CPU/ }],
    },
    {
      name: 'debugger statements around a stop',
      tries: 'Has itself stopped and continued while it spins through debugger statements.',
      budget: { cpu: '600ms', wall: '8s' },
      source:
        program(`await proc.spawn("export default async (pid) => { for (let n = 0; n < 10; n += 1) { await proc.signal(pid, 'SIGSTOP'); await proc.signal(pid, 'SIGCONT') } }", { args: [(await proc.self()).pid] })
        for (;;) { debugger; if (Date.now() % 7 === 0) await null }`),
      ends: [{ killed: 'SIGBUDGET' }],
    },
    {
      name: 'what an inspector would offer',
      tries: 'Looks for console methods, source URLs and getters that an inspector would run.',
      source:
        probing(`const names = ['inspect', 'debug', 'undebug', 'monitor', 'getEventListeners', 'queryObjects', 'copy', '$_', '$0', 'dir', 'profile', 'timeStamp', 'context', 'memory']
        return [names.filter((name) => name in globalThis), names.filter((name) => name in console), typeof console.context, typeof console.memory]`),
      ends: gives([[], ['debug', 'dir'], 'undefined', 'undefined']),
    },
  ],
}
