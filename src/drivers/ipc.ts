/** Messages between agents, in mailboxes by name; a mailbox outlives the processes that read it. */
import { SyscallError } from '../errors.ts'
import { Grant } from '../grant.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'

export interface Message {
  readonly from: string
  readonly pid: number
  readonly message: Json
}

interface Receiver {
  readonly from: string | undefined
  readonly take: (message: Message) => void
}

interface Mailbox {
  readonly waiting: Message[]
  readonly receivers: Set<Receiver>
}

export class IpcDriver {
  readonly #mailboxes = new Map<string, Mailbox>()
  readonly #isAgent: (name: string) => boolean

  /** @param isAgent whether an agent of that name is registered or lives */
  constructor(isAgent: (name: string) => boolean) {
    this.#isAgent = isAgent
  }

  /** Names with messages that wait, for /ipc. */
  waiting(): readonly { readonly agent: string; readonly messages: number }[] {
    return [...this.#mailboxes]
      .map(([agent, { waiting }]) => ({ agent, messages: waiting.length }))
      .filter((row) => row.messages > 0)
  }

  /** @throws SyscallError ENOENT for an unknown agent, EAGAIN for a full mailbox */
  send(grant: Grant, to: string, message: Json): null {
    const { agent, pid } = Grant.demand(grant, 'ipc.send', to)
    if (!this.#isAgent(to)) throw new SyscallError('ENOENT', 'no agent of that name is registered or lives')
    const mailbox = this.#mailbox(to)
    const sent: Message = { from: agent, pid, message }
    for (const receiver of mailbox.receivers) {
      if (receiver.from !== undefined && receiver.from !== agent) continue
      mailbox.receivers.delete(receiver)
      receiver.take(sent)
      return null
    }
    if (mailbox.waiting.length >= limits.messagesPendingMax) {
      throw new SyscallError('EAGAIN', `${limits.messagesPendingMax} messages wait there already`)
    }
    mailbox.waiting.push(sent)
    return null
  }

  /**
   * @param from take only messages of this agent; any where undefined
   * @param timeoutMs how long to wait; for ever where undefined
   * @throws SyscallError ETIMEDOUT, EINTR
   */
  async receive(grant: Grant, from: string | undefined, timeoutMs: number | undefined): Promise<Message> {
    const { agent } = Grant.demand(grant, 'ipc.receive', from ?? '*')
    const mailbox = this.#mailbox(agent)
    const index = mailbox.waiting.findIndex((message) => from === undefined || message.from === from)
    const [message] = index < 0 ? [] : mailbox.waiting.splice(index, 1)
    if (message !== undefined) return message
    return waitFor(mailbox, from, grant.signal, timeoutMs)
  }

  #mailbox(name: string): Mailbox {
    const mailbox = this.#mailboxes.get(name) ?? { waiting: [], receivers: new Set() }
    this.#mailboxes.set(name, mailbox)
    return mailbox
  }
}

function waitFor(
  mailbox: Mailbox,
  from: string | undefined,
  killed: AbortSignal,
  timeoutMs: number | undefined,
): Promise<Message> {
  const late = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)
  const signal = late === undefined ? killed : AbortSignal.any([killed, late])
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      mailbox.receivers.delete(receiver)
      reject(
        killed.aborted
          ? new SyscallError('EINTR', 'ended by a signal')
          : new SyscallError('ETIMEDOUT', `no message within ${timeoutMs} ms`),
      )
    }
    const receiver: Receiver = {
      from,
      take: (message) => {
        signal.removeEventListener('abort', giveUp)
        resolve(message)
      },
    }
    signal.addEventListener('abort', giveUp, { once: true })
    mailbox.receivers.add(receiver)
  })
}
