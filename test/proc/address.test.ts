/** Signals find their process by pid or by name, and are known by number or by name. */
import { describe, expect, test } from 'vitest'
import { AgentSignal } from '../../src/index.ts'
import { ask, boot, exitValue, main, policyOf, refusalOf } from '../support/kernel.ts'

const forever = main('await new Promise((resolve) => setTimeout(resolve, 60_000))')

describe('refused', () => {
  test('an unknown pid and an unknown name are ESRCH', () => {
    const kernel = boot()
    for (const target of [999, 'nobody', '999']) {
      expect(() => kernel.signals.signal(target, 'SIGTERM')).toThrow(
        expect.objectContaining({ code: 'ESRCH' }),
      )
    }
  })

  test('what is no signal is EINVAL, with what was meant', () => {
    const proc = boot().spawn({ source: forever })
    for (const signal of ['SIGTREM', 'sigtrem', 99, '99', '', 'toString', -1, 2.5]) {
      expect(() => proc.signal(signal)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
    expect(() => proc.signal('SIGTREM')).toThrow('`SIGTREM` is no signal; did you mean `SIGTERM`?')
    expect(() => proc.signal('HUP')).toThrow('`HUP` is no signal; agents and people send SIGINT, SIGKILL,')
    expect(proc.state).not.toBe('killed')
  })

  test('a name that several have is EINVAL and lists their pids', () => {
    const kernel = boot()
    for (let n = 0; n < 2; n += 1) kernel.spawn({ source: forever }, { name: 'twin' })
    expect(() => kernel.signals.signal('twin', 'SIGTERM')).toThrow(
      '2 live processes are called `twin`: name one by pid (1, 2)',
    )
  })

  test('an agent signals another only where the policy permits it, judged by the other’s name', async () => {
    const rules = [{ id: 'peer', effect: 'permit', action: 'proc.signal', resource: 'peer' }] as const
    const kernel = boot({ policy: policyOf(rules) })
    kernel.spawn({ source: forever }, { name: 'boss' })
    const peer = kernel.spawn({ source: forever }, { name: 'peer' })
    const messages = await ask(
      kernel,
      `return [${refusalOf('proc.signal("boss", "SIGKILL")')}, ${refusalOf('proc.signal(1, "SIGKILL")')},
        ${refusalOf('proc.signal("peer", "SIGTERM")')}]`,
    )
    expect(messages).toEqual([
      expect.stringMatching(/^EPERM: proc\.signal `boss`/),
      expect.stringMatching(/^EPERM: proc\.signal `boss`/),
      'ok',
    ])
    expect(await peer.exit).toMatchObject({ status: 'killed', signal: 'SIGTERM' })
    expect(kernel.ps().map(({ name }) => name)).toEqual(['boss'])
  })
})

test('the numbers are those of POSIX on Linux, and the kernel’s own begin at 32', () => {
  expect(AgentSignal).toEqual({
    ...{ SIGINT: 2, SIGKILL: 9, SIGUSR1: 10, SIGUSR2: 12, SIGTERM: 15, SIGCONT: 18, SIGSTOP: 19 },
    ...{ SIGPOLICY: 32, SIGTRUST: 33, SIGBUDGET: 34, SIGLOOP: 35, SIGDRIFT: 36 },
  })
})

test.each([AgentSignal.SIGTERM, 15, '15', 'SIGTERM', 'sigterm', 'TERM', 'term'])(
  '%s is SIGTERM',
  async (signal) => {
    const proc = boot().spawn({ source: forever })
    proc.signal(signal)
    expect((await proc.exit).signal).toBe('SIGTERM')
  },
)

test('a process is found by pid, by the pid as text, and by name', async () => {
  const kernel = boot()
  const procs = ['a', 'b', 'c'].map((name) => kernel.spawn({ source: forever }, { name }))
  kernel.signals.signal(1, 'SIGTERM')
  kernel.signals.signal('2', 'SIGTERM')
  kernel.signals.signal('c', 'SIGTERM')
  expect((await Promise.all(procs.map(({ exit }) => exit))).map(({ signal }) => signal)).toEqual([
    ...['SIGTERM', 'SIGTERM', 'SIGTERM'],
  ])
})

test('a signal is on record with its sender before it has its effect', async () => {
  const kernel = boot()
  const target = kernel.spawn({ source: forever }, { name: 'target' })
  const sender = kernel.spawn({ source: main(`return proc.signal('target', 'SIGTERM')`) })
  expect(exitValue(await sender.exit)).toEqual({ effect: 'ended the process' })
  await target.exit
  const entries = kernel.evidence.entries({ pid: target.pid })
  const signal = entries.find(({ kind }) => kind === 'signal')
  expect(signal).toMatchObject({ signal: 'SIGTERM', by: 'by process 2' })
  expect(signal?.seq).toBeLessThan(entries.find(({ kind }) => kind === 'exit')?.seq ?? 0)
})
