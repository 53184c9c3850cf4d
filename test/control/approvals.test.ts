/** Requests for approval over the socket: an id and an answer are all that the kernel takes from a client. */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ControlClient } from '../../src/control/client.ts'
import { limits } from '../../src/limits.ts'
import { asked, mailer, send } from '../approvals/support.ts'
import { entriesOf, exitValue, main, tempFolder } from '../support/kernel.ts'

function listening() {
  const dir = join(tempFolder(), '.gatehouse')
  const { kernel, mails } = mailer({ evidence: { dir } })
  const client = new ControlClient(dir)
  onTestFinished(() => client.close())
  return { kernel, mails, client, dir }
}

const sender = `from a terminal (uid ${process.geteuid?.()})`

test('a client sees what the kernel holds, and answers it', async () => {
  const { kernel, mails, client } = listening()
  const run = kernel.spawn({ source: main(`return [${send('a')}, ${send('b')}]`) })
  const first = await asked(kernel)
  const { requests, now } = await client.approvals()
  expect(requests).toEqual([first])
  expect(now).toBeGreaterThanOrEqual(first.askedAt)
  expect(await client.answer({ id: first.id, answer: 'approve', by: 'mia' })).toEqual({
    ...{ id: first.id, answer: 'approve', agent: 'program', pid: run.pid },
    ...{ syscall: 'tool.call', resource: 'send_email' },
  })
  const second = await asked(kernel)
  await client.answer({ id: second.id, answer: 'deny', reason: 'no' })
  expect(exitValue(await run.exit)).toEqual(['sent', expect.stringMatching(/denied: no/)])
  expect(mails).toEqual(['a'])
  expect(entriesOf(kernel, 'answer')).toMatchObject([
    { answer: 'approved', by: `mia, ${sender}` },
    { answer: 'denied', by: sender, reason: 'no' },
  ])
})

test('nothing that a client says of a request counts, and an old answer finds nothing', async () => {
  const { kernel, mails, client } = listening()
  const run = kernel.spawn({ source: main(`return ${send('a')}`) })
  const request = await asked(kernel)
  const { id, digest, args } = request
  const told = async (answer: object): Promise<string> =>
    client.answer(answer as never).then(
      () => 'done',
      ({ code }) => code,
    )
  for (const more of [{ digest }, { request }, { expiresAt: 1e15 }, { labels: [] }, { tool: 'send_email' }])
    expect(await told({ id, answer: 'approve', ...more }), JSON.stringify(more).slice(0, 40)).toBe('EINVAL')
  for (const answer of ['approved', 'yes', true, null, 'always'])
    expect(await told({ id, answer })).toBe('EINVAL')
  for (const name of ['send_email', 'tool.call', '1', digest, `${request.call}`, '*', '__proto__'])
    expect(await told({ id: name, answer: 'approve' })).toMatch(/^(ENOENT|EINVAL)$/)
  expect(await told({ id, answer: 'approve', args: { ...JSON.parse(args.text), name: 'none' } })).toBe(
    'ENOENT',
  )
  expect(await told({ id, answer: 'approve', by: 'x'.repeat(limits.agentNameMax + 1) })).toBe('EINVAL')
  expect([mails, kernel.approvals.list()]).toEqual([[], [request]])
  expect(await told({ id, answer: 'deny' })).toBe('done')
  expect(await told({ id, answer: 'approve' })).toBe('ENOENT')
  expect(exitValue(await run.exit)).toMatch(/^EPERM/)
  expect(mails).toEqual([])
})

test('a kernel that ended, and began again in the same directory, knows none of the old ids', async () => {
  const { kernel, dir } = listening()
  kernel.spawn({ source: main(`return ${send('a')}`) })
  const { id } = await asked(kernel)
  await kernel.shutdown()
  const next = mailer({ evidence: { dir }, seed: 7 })
  next.kernel.spawn({ source: main(`return ${send('a')}`) })
  const fresh = await asked(next.kernel)
  const again = new ControlClient(dir)
  onTestFinished(() => again.close())
  expect(fresh.id).not.toBe(id)
  await expect(again.answer({ id, answer: 'approve' })).rejects.toMatchObject({ code: 'ENOENT' })
  expect(next.mails).toEqual([])
})
