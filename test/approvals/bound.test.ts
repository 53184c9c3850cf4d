/** An approval holds for exactly what was asked: what has changed since is asked anew, or refused. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeAgent } from '../../src/agents.ts'
import { hashOf } from '../../src/approvals/binding.ts'
import { MemoryStore } from '../../src/evidence/memory-store.ts'
import type { PolicyDocument } from '../../src/index.ts'
import { System } from '../../src/system.ts'
import {
  boot,
  entriesOf,
  exitValue,
  main,
  policyOf,
  refusalOf,
  sleep,
  tempFolder,
  until,
} from '../support/kernel.ts'
import { asked, mailer, mailRules, send } from './support.ts'

const all = { id: 'all', effect: 'permit', action: '*' } as const
const files = (action: string | readonly string[]): PolicyDocument =>
  policyOf([
    { id: 'all', effect: 'permit', action: '*' },
    { id: 'files', effect: 'ask', action: action as string, resource: ['/mem/working/**', '/workspace/**'] },
  ])

describe('what would be replaced', () => {
  test('is shown as a difference, with sizes and hashes', async () => {
    const kernel = boot({ policy: files('fs.write') })
    await kernel.vfs('program').write('/mem/working/a', 'one\ntwo\nthree\n')
    const run = kernel.spawn({ source: main(`return fs.write('/mem/working/a', 'one\\n2\\nthree\\n')`) })
    const { changes, id } = await asked(kernel)
    expect(changes).toEqual([
      {
        path: '/mem/working/a',
        before: { type: 'file', bytes: 14, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        after: { type: 'file', bytes: 12, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
        difference: '--- /mem/working/a\n+++ /mem/working/a\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three',
      },
    ])
    kernel.approvals.approve(id)
    await run.exit
    expect(await kernel.vfs('program').read('/mem/working/a')).toBe('one\n2\nthree\n')
  })

  test('of a new file, an append, a removal and bytes', async () => {
    const kernel = boot({ policy: files(['fs.write', 'fs.append', 'fs.remove']) })
    await kernel.vfs('program').write('/mem/working/old', 'old\n')
    const run = kernel.spawn({
      source: main(`await Promise.all([fs.write('/mem/working/new', 'new\\n'),
        fs.append('/mem/working/old', 'more\\n'), fs.remove('/mem/working/old').catch(() => {}),
        fs.write('/mem/working/bytes', new Uint8Array([0xff, 0xfe]))])`),
    })
    await asked(kernel, 4)
    const shown = kernel.approvals.list().map(({ syscall, changes: [change] }) => ({
      ...{ syscall, before: change?.before.type, after: change?.after?.type },
      lines: change?.difference?.split('\n').slice(3),
    }))
    expect(shown).toEqual([
      { syscall: 'fs.write', before: 'absent', after: 'file', lines: ['+new'] },
      { syscall: 'fs.append', before: 'file', after: 'file', lines: [' old', '+more'] },
      { syscall: 'fs.remove', before: 'file', after: 'absent', lines: ['-old'] },
      { syscall: 'fs.write', before: 'absent', after: 'file', lines: undefined },
    ])
    for (const { id } of kernel.approvals.list()) kernel.approvals.deny(id)
    await run.exit
  })

  test.each(['fs.write', 'fs.append', 'fs.remove'])(
    '%s is asked anew when it has changed',
    async (action) => {
      const kernel = boot({ policy: files(action) })
      const host = kernel.vfs('program')
      await host.write('/mem/working/a', 'before')
      const data = action === 'fs.remove' ? '' : `, 'mine'`
      const run = kernel.spawn({ source: main(`return ${action}('/mem/working/a'${data})`) })
      const first = await asked(kernel)
      await host.write('/mem/working/a', 'other!')
      kernel.approvals.approve(first.id, { by: 'Anna' })
      await until(() => entriesOf(kernel, 'ask').length === 2, 'it is asked anew')
      const second = await asked(kernel)
      expect(second).toMatchObject({ follows: first.id })
      expect(second.digest).not.toBe(first.digest)
      expect(await host.read('/mem/working/a')).toBe('other!')
      kernel.approvals.approve(second.id)
      await run.exit
      const text = await host.read('/mem/working/a').catch(() => 'gone')
      expect(text).toBe({ 'fs.write': 'mine', 'fs.append': 'other!mine', 'fs.remove': 'gone' }[action])
    },
  )

  test('on the host counts too', async () => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'a'), 'before')
    const kernel = boot({
      policy: files('fs.write'),
      mounts: { '/workspace': { host: folder, mode: 'rw' } },
    })
    const run = kernel.spawn({ source: main(`return fs.write('/workspace/a', 'mine')`) })
    const first = await asked(kernel)
    writeFileSync(join(folder, 'a'), 'other')
    kernel.approvals.approve(first.id)
    await until(() => entriesOf(kernel, 'ask').length === 2, 'it is asked anew')
    kernel.approvals.approve((await asked(kernel)).id)
    await run.exit
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('mine')
  })

  test('on the host may take a while to be looked at: a process that is stopped meanwhile stays so', async () => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'a'), 'before')
    const kernel = boot({
      policy: files('fs.write'),
      mounts: { '/workspace': { host: folder, mode: 'rw' } },
    })
    const run = kernel.spawn({ source: main(`return fs.write('/workspace/a', 'mine')`) })
    kernel.approvals.approve((await asked(kernel)).id)
    // The look has begun by then, and the system has not answered yet.
    setImmediate(() => run.signal('SIGSTOP'))
    await until(() => run.state === 'stopped', 'it is stopped')
    await sleep(50)
    expect(entriesOf(kernel, 'intent', 'fs.write')).toEqual([])
    writeFileSync(join(folder, 'a'), 'other')
    run.signal('SIGCONT')
    // What was seen before it was stopped is seen again.
    kernel.approvals.approve((await asked(kernel)).id)
    await run.exit
    expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('mine')
  })

  test('is looked at once more when the record is durable, before the write itself', async () => {
    const folder = tempFolder()
    const path = join(folder, 'a')
    writeFileSync(path, 'before')
    let onSync = (): void => {}
    class SlowDisk extends MemoryStore {
      override async sync(): Promise<void> {
        await sleep(5)
        onSync()
      }
    }
    const system = new System(
      {
        policy: files('fs.write'),
        evidence: { dir: tempFolder(), durability: 'disk' },
        mounts: { '/workspace': { host: folder, mode: 'rw' } },
      },
      () => false,
      { store: new SlowDisk() },
    )
    onTestFinished(() => system.shutdown())
    const source = main(`return ${refusalOf(`fs.write('/workspace/a', 'mine')`)}`)
    const { exit } = system.spawner.spawn(makeAgent({ source }, {}, 'inline'), [])
    const { approvals } = system.gate
    await until(() => approvals.list().length === 1, 'it asks')
    onSync = () => {
      if ([...system.log.entries()].some(({ kind, syscall }) => kind === 'intent' && syscall === 'fs.write'))
        writeFileSync(path, 'raced')
    }
    approvals.approve(approvals.list()[0]?.id ?? '')
    expect(exitValue(await exit)).toMatch(
      /^EAGAIN: fs\.write .*no longer what was approved; nothing was done/,
    )
    expect(readFileSync(path, 'utf8')).toBe('raced')
  })

  test('is not told by the record: two digests of the same differ', async () => {
    const kernel = boot({ policy: files('fs.write') })
    await kernel.vfs('program').write('/mem/working/pin', 'otter')
    const run = kernel.spawn({
      source: main(`await Promise.all([1, 2].map(() => fs.write('/mem/working/pin', 'x').catch(() => {})))
        return fs.read('/audit/log.jsonl')`),
    })
    await asked(kernel, 2)
    for (const { id } of kernel.approvals.list()) kernel.approvals.deny(id)
    const audit = String(exitValue(await run.exit))
    expect(audit).toContain('"kind":"ask"')
    expect(audit).not.toContain('otter')
    expect(audit).not.toContain(hashOf('otter'))
    const digests = entriesOf(kernel, 'ask').map(({ digest }) => digest)
    expect(new Set(digests).size).toBe(2)
  })
})

describe('a move', () => {
  test('is one request for all that is asked about it, bound to both ends', async () => {
    const kernel = boot({ policy: files(['fs.write', 'fs.remove']) })
    const host = kernel.vfs('program')
    await host.write('/mem/working/a', 'a\n')
    await host.write('/mem/working/b', 'b\n')
    const run = kernel.spawn({ source: main(`return fs.move('/mem/working/a', '/mem/working/b')`) })
    const first = await asked(kernel)
    expect(first).toMatchObject({
      resource: '/mem/working/a → /mem/working/b',
      questions: [{ action: 'fs.remove' }, { action: 'fs.read' }, { action: 'fs.write' }],
      rules: [{ id: 'files' }, { id: 'files' }],
      changes: [
        { path: '/mem/working/a', before: { type: 'file' }, after: { type: 'absent' } },
        { path: '/mem/working/b', difference: expect.stringContaining('-b\n+a') },
      ],
    })
    for (const path of ['/mem/working/a', '/mem/working/b']) {
      const { id } = await asked(kernel)
      await host.append(path, 'c\n')
      kernel.approvals.approve(id)
      await until(() => kernel.approvals.list().some((it) => it.follows === id), 'it is asked anew')
    }
    kernel.approvals.approve((await asked(kernel)).id)
    await run.exit
    expect(await host.read('/mem/working/b')).toBe('a\nc\n')
  })

  test('that one rule forbids asks nobody', async () => {
    const kernel = boot({
      policy: policyOf([
        all,
        { id: 'ask', effect: 'ask', action: 'fs.remove', resource: '/tmp/**' },
        { id: 'no', effect: 'forbid', action: 'fs.write', resource: '/tmp/b' },
      ]),
    })
    const run = kernel.spawn({ source: main(`return ${refusalOf(`fs.move('/tmp/a', '/tmp/b')`)}`) })
    expect(exitValue(await run.exit)).toMatch(/forbidden by rule `no`/)
    expect(entriesOf(kernel, 'ask')).toEqual([])
  })

  test('of a folder is refused before anybody is asked: what lies below is not judged one by one', async () => {
    const kernel = boot({ policy: files(['fs.write', 'fs.remove']) })
    await kernel.vfs('program').mkdir('/mem/working/d')
    const run = kernel.spawn({
      source: main(`return [${refusalOf(`fs.move('/mem/working/d', '/mem/working/e')`)},
        ${refusalOf(`fs.remove('/mem/working/d', { recursive: true })`)}]`),
    })
    expect(exitValue(await run.exit)).toEqual([
      expect.stringMatching(/^EPERM: fs\.move .*do it file by file/),
      expect.stringMatching(/^EPERM: fs\.remove.*do it file by file/),
    ])
    expect(entriesOf(kernel, 'ask')).toEqual([])
  })
})

test('a label that the process takes on while a call waits has it asked anew, and shown', async () => {
  const { kernel, mails } = mailer()
  kernel.tool('read_page', {
    description: 'reads what others wrote',
    parameters: { type: 'object' },
    labels: ['untrusted'],
    execute: () => 'a page',
  })
  const run = kernel.spawn({
    source: main(`const sent = ${send('a', '')}; await tools.read_page({}); return sent`),
  })
  const first = await asked(kernel)
  await until(() => kernel.ps()[0]?.labels.includes('untrusted') === true, 'it has read the page')
  expect(first.labels).toEqual([])
  kernel.approvals.approve(first.id)
  await until(() => kernel.approvals.list()[0]?.follows === first.id, 'it is asked anew')
  expect(mails).toEqual([])
  const second = await asked(kernel)
  expect(second.labels).toEqual(['untrusted'])
  kernel.approvals.approve(second.id)
  expect(exitValue(await run.exit)).toBe('sent')
  expect(mails).toEqual(['a'])
})

describe('the policy', () => {
  test('that is replaced while a call waits asks anew, under the new one', async () => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const first = await asked(kernel)
    await kernel.reload(policyOf([...mailRules, { id: 'more', effect: 'forbid', action: 'net.fetch' }]))
    await until(() => kernel.approvals.list()[0]?.follows === first.id, 'it is asked anew')
    expect(() => kernel.approvals.approve(first.id)).toThrow(/it was cancelled, by the kernel/)
    const second = await asked(kernel)
    expect(second.policy).not.toBe(first.policy)
    kernel.approvals.approve(second.id)
    expect(exitValue(await run.exit)).toBe('sent')
    expect(mails).toEqual(['a'])
    expect(entriesOf(kernel, 'answer')).toMatchObject([
      { answer: 'cancelled', reason: 'another policy came into force' },
      { answer: 'approved' },
    ])
  })

  test('that forbids it now refuses it, and one that permits it now lets it pass', async () => {
    for (const [effect, value] of [
      ['forbid', expect.stringMatching(/^EPERM: .*forbidden by rule `mail`/)],
      ['permit', 'sent'],
    ] as const) {
      const { kernel } = mailer()
      const run = kernel.spawn({ source: main(`return ${send('a')}`) })
      await asked(kernel)
      await kernel.reload(policyOf([all, { id: 'mail', effect, action: 'tool.call' }]))
      expect(exitValue(await run.exit)).toEqual(value)
      expect(kernel.approvals.list()).toEqual([])
    }
  })

  test('that is replaced while a host folder is looked at is the one that a person is shown', async () => {
    const folder = tempFolder()
    const kernel = boot({ policy: files('fs.write'), mounts: { '/workspace': { host: folder, mode: 'rw' } } })
    const next = policyOf([{ id: 'newer', effect: 'ask', action: 'fs.write' }], { name: 'next' })
    const run = kernel.spawn({
      source: main(`const told = fs.write('/workspace/a', 'x').catch(({ message }) => message)
        await sys('clock.time', {}); return told`),
    })
    // The call that is not judged is over in the same turn in which the other one begins to be looked at.
    const off = kernel.on('syscall', ({ syscall }) => {
      if (syscall === 'clock.time') void kernel.reload(next)
    })
    expect(await asked(kernel)).toMatchObject({ rules: [{ id: 'newer', policy: 'next' }] })
    off()
    expect(entriesOf(kernel, 'ask')).toHaveLength(1)
    kernel.approvals.deny((await asked(kernel)).id)
    await run.exit
  })

  test('that is replaced after the approval, before the call goes on, is asked again', async () => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    run.signal('SIGSTOP')
    kernel.approvals.approve(id)
    await kernel.reload(policyOf([all, { id: 'mail', effect: 'forbid', action: 'tool.call' }]))
    run.signal('SIGCONT')
    expect(exitValue(await run.exit)).toMatch(/forbidden by rule `mail`/)
    expect(mails).toEqual([])
  })

  test('that asks in another way after the approval, before the call goes on, has it asked anew', async () => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(`return ${send('a')}`) })
    const { id } = await asked(kernel)
    run.signal('SIGSTOP')
    kernel.approvals.approve(id)
    await kernel.reload(policyOf([{ id: 'other', effect: 'ask', action: 'tool.call' }], { name: 'next' }))
    run.signal('SIGCONT')
    const second = await asked(kernel)
    expect(second).toMatchObject({ follows: id, rules: [{ id: 'other' }] })
    expect(mails).toEqual([])
    kernel.approvals.approve(second.id)
    expect(exitValue(await run.exit)).toBe('sent')
  })
})

test('a signal by name is approved for the process that was meant', async () => {
  const kernel = boot({
    policy: policyOf([all, { id: 'stop', effect: 'ask', action: 'proc.signal' }]),
  })
  const target = () =>
    kernel.spawn({ source: main(`console.log('up'); await ipc.receive()`) }, { name: 'worker' })
  const meant = target()
  const run = kernel.spawn({
    source: main(`return proc.signal('worker', 'SIGKILL').then(({ effect }) => effect)`),
  })
  const { id } = await asked(kernel)
  meant.signal('SIGKILL')
  await meant.exit
  const other = target()
  kernel.approvals.approve(id)
  await until(() => kernel.approvals.list().some(({ follows }) => follows === id), 'it is asked anew')
  expect(other.state).not.toBe('killed')
  kernel.approvals.approve((await asked(kernel)).id)
  expect(exitValue(await run.exit)).toBe('ended the process')
  expect(other.state).toBe('killed')
})
