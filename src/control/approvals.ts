/** Requests for approval as other terminals see and answer them. */
import type { Desk } from '../approvals/desk.ts'
import type { Clock } from '../clock.ts'
import type { Controlled } from './routes.ts'

/** @returns what the socket offers of the kernel's requests */
export const controlledApprovals = (desk: Desk, clock: Clock): Pick<Controlled, 'approvals' | 'answer'> => ({
  approvals: () => ({ now: clock.now(), requests: desk.list() }),
  answer: ({ id, answer, reason, args }, who) => {
    const request = desk.list().find((each) => each.id === id)
    const options = { by: who, ...(reason !== undefined && { reason }) }
    if (answer === 'deny') desk.deny(id, options)
    else desk.approve(id, { ...options, ...(args !== undefined && { args }) })
    const { agent = '', pid = 0, syscall = '', resource = '' } = request ?? {}
    return { id, answer, agent, pid, syscall, resource }
  },
})
