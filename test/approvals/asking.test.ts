/** A call that a person has to approve: it waits, passes once, and never otherwise. */
import { describe, expect, test } from 'vitest'
import { KernelError, type KernelSpace } from '../../src/index.ts'
import { boot, entriesOf, exitValue, main, policyOf, refusalOf, sleep, until } from '../support/kernel.ts'
import { asked, mailer, sent } from './support.ts'

describe('an approved call', () => {
  test('waits inside running code, while the rest goes on, and then is done once', async () => {
    const { kernel, mails } = mailer()
    const run = kernel.spawn({ source: main(sent('anna@example.org')) })
    const request = await asked(kernel)
    expect(request).toMatchObject({
      syscall: 'tool.call',
      resource: 'send_email',
      agent: 'program',
      args: { text: '{"name":"send_email","args":{"to":"anna@example.org"}}', cut: false },
      rules: [{ id: 'mail', policy: 'test' }],
      expiresAt: request.askedAt + 600_000,
    })
    expect(mails).toEqual([])
    kernel.approvals.approve(request.id, { by: 'Anna', reason: 'she asked for it' })
    expect(exitValue(await run.exit)).toBe('sent')
    expect(mails).toEqual(['anna@example.org'])
    expect(kernel.approvals.list()).toEqual([])
  })
})
