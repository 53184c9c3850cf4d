/** Kernels whose policy asks before a mail leaves. */
import type { ApprovalRequest, KernelOptions, KernelSpace, PolicyDocument } from '../../src/index.ts'
import { boot, policyOf, until } from '../support/kernel.ts'

export const mailRules: PolicyDocument['rules'] = [
  { id: 'all', effect: 'permit', action: '*' },
  { id: 'mail', effect: 'ask', action: 'tool.call', resource: 'send_email' },
]

/** @returns a kernel with a tool `send_email`, and to whom it has sent */
export function mailer(options: KernelOptions = {}): { kernel: KernelSpace; mails: string[] } {
  const mails: string[] = []
  const kernel = boot({
    policy: policyOf(mailRules),
    tools: {
      send_email: {
        description: 'sends a mail',
        parameters: {
          type: 'object',
          properties: { to: { type: 'string' } },
          required: ['to'],
          additionalProperties: false,
        },
        execute: ({ to }: { to: string }) => {
          mails.push(to)
          return 'sent'
        },
      } as never,
    },
    ...options,
  })
  return { kernel, mails }
}

/** In a program: sends one mail; the value is what it was told. */
export const send = (to: string, wait = 'await '): string =>
  `${wait}tools.send_email({ to: ${JSON.stringify(to)} }).catch((error) => error.message)`

/** @returns the only request, as soon as it waits */
export async function asked(kernel: KernelSpace, count = 1): Promise<ApprovalRequest> {
  await until(() => kernel.approvals.list().length === count, `${count} calls wait for approval`)
  const request = kernel.approvals.list().at(-1)
  if (request === undefined) throw new Error('nothing waits')
  return request
}
