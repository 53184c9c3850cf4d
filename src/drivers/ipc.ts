/** Messages between agents, in mailboxes by name; a mailbox outlives the processes that read it. */
import { type Clock, systemClock } from '../clock.ts'
import { SyscallError } from '../errors.ts'
import { Grant } from '../grant.ts'
import type { Json } from '../json.ts'
import { type Labels, noLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { deadlineOf } from './deadline.ts'

export interface Message {
  readonly from: string
  readonly pid: number
  readonly message: Json
  /** Those of the sender when it sent. */
  readonly labels: Labels
}

/** A message that waits is kept as text: as objects the same message can take twenty times the memory. */
interface Waiting {
  readonly from: string
  readonly pid: number
  readonly text: string
  readonly labels: Labels
  /** Hash of the arguments of the call that sent it, as they are on record. */
  readonly payload: string | undefined
}

/** A message that waits, without its content: that is in the arguments of the call that sent it. */
export interface Kept {
  readonly from: string
  readonly pid: number
  readonly labels: readonly string[]
  readonly payload: string
}

interface Receiver {
  readonly from: string | undefined
  readonly take: (message: Message) => void
}

interface Mailbox {
  readonly waiting: Waiting[]
  readonly receivers: Set<Receiver>
  /** What waits, in UTF-16 units. */
  size: number
}

export class IpcDriver {
  readonly #mailboxes = new Map<string, Mailbox>()
  readonly #isAgent: (name: string) => boolean
  /** What waits in all mailboxes, in UTF-16 units. */
  #size = 0

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

  /**
   * @param labels what the message carries
   * @throws SyscallError ENOENT for an unknown agent, EAGAIN for a full mailbox
   */
  send(grant: Grant, to: string, message: Json, labels: Labels = noLabels): null {
    const { agent, pid, payload } = Grant.demand(grant, 'ipc.send', to)
    if (!this.#isAgent(to)) throw new SyscallError('ENOENT', 'no agent of that name is registered or lives')
    const mailbox = this.#mailbox(to)
    for (const receiver of mailbox.receivers) {
      if (receiver.from !== undefined && receiver.from !== agent) continue
      mailbox.receivers.delete(receiver)
      receiver.take({ from: agent, pid, message, labels })
      return null
    }
    this.#keep(mailbox, { from: agent, pid, text: JSON.stringify(message), labels, payload })
    return null
  }

  /**
   * @param from take only messages of this agent; any where undefined
   * @param timeoutMs how long to wait; for ever where undefined
   * @param clock by which it waits; the receiver's own stands still while it is stopped
   * @throws SyscallError ETIMEDOUT, EINTR
   */
  async receive(
    grant: Grant,
    from: string | undefined,
    timeoutMs: number | undefined,
    clock: Pick<Clock, 'after'> = systemClock,
  ): Promise<Message> {
    const { agent } = Grant.demand(grant, 'ipc.receive', from ?? '*')
    const late = deadlineOf(clock, timeoutMs, grant.signal)
    try {
      return await this.#take(agent, from, late.signal)
    } catch (error) {
      if (late.isOver && !grant.aborted)
        throw new SyscallError('ETIMEDOUT', `no message within ${timeoutMs} ms`)
      throw error
    } finally {
      late.cancel()
      this.#tidy(agent)
    }
  }

  /** Puts a message where it lay before, whoever is there to take it. */
  sendAgain(grant: Grant, to: string, message: Json, labels: Labels): void {
    const { agent, pid, payload } = Grant.demand(grant, 'ipc.send', to)
    this.#keep(this.#mailbox(to), { from: agent, pid, text: JSON.stringify(message), labels, payload })
  }

  /** What waits for whom, each the oldest first; undefined where it is not known of all of it what it came with. */
  kept(): readonly (readonly [agent: string, messages: readonly Kept[]])[] | undefined {
    const all: [string, Kept[]][] = []
    for (const [agent, { waiting }] of this.#mailboxes) {
      const messages = waiting.flatMap(({ from, pid, labels, payload }) =>
        payload === undefined ? [] : [{ from, pid, labels, payload }],
      )
      if (messages.length < waiting.length) return undefined
      if (messages.length > 0) all.push([agent, messages])
    }
    return all
  }

  /** Puts into a mailbox what waited there. @throws SyscallError EAGAIN for more than fits */
  restore(agent: string, { from, pid, labels, payload }: Kept, message: Json): void {
    this.#keep(this.#mailbox(agent), { from, pid, text: JSON.stringify(message), labels, payload })
  }

  /** Takes away what was received before. @returns whether it lay there */
  receiveAgain(grant: Grant, from: string | undefined): boolean {
    const { agent } = Grant.demand(grant, 'ipc.receive', from ?? '*')
    const found = this.#takeKept(this.#mailbox(agent), from) !== undefined
    this.#tidy(agent)
    return found
  }

  #takeKept(mailbox: Mailbox, from: string | undefined): Waiting | undefined {
    const index = mailbox.waiting.findIndex((message) => from === undefined || message.from === from)
    const [kept] = index < 0 ? [] : mailbox.waiting.splice(index, 1)
    if (kept !== undefined) this.#count(mailbox, -sizeOf(kept))
    return kept
  }

  async #take(agent: string, from: string | undefined, signal: AbortSignal): Promise<Message> {
    const mailbox = this.#mailbox(agent)
    const kept = this.#takeKept(mailbox, from)
    if (kept === undefined) return waitFor(mailbox, from, signal)
    return { from: kept.from, pid: kept.pid, message: JSON.parse(kept.text), labels: kept.labels }
  }

  #keep(mailbox: Mailbox, message: Waiting): void {
    const size = sizeOf(message)
    if (mailbox.waiting.length >= limits.messagesPendingMax)
      throw new SyscallError('EAGAIN', `${limits.messagesPendingMax} messages wait there already`)
    if (mailbox.size + size > limits.mailboxBytesMax)
      throw full(`the messages that wait there would pass ${limits.mailboxBytesMax} characters`)
    if (this.#size + size > limits.mailboxesBytesMax)
      throw full(`the messages that wait for all agents would pass ${limits.mailboxesBytesMax} characters`)
    mailbox.waiting.push(message)
    this.#count(mailbox, size)
  }

  #count(mailbox: Mailbox, size: number): void {
    mailbox.size += size
    this.#size += size
  }

  #mailbox(name: string): Mailbox {
    const mailbox = this.#mailboxes.get(name) ?? { waiting: [], receivers: new Set(), size: 0 }
    this.#mailboxes.set(name, mailbox)
    return mailbox
  }

  /** Names come and go: a mailbox that nobody uses is not kept. */
  #tidy(name: string): void {
    const mailbox = this.#mailboxes.get(name)
    if (mailbox?.waiting.length === 0 && mailbox.receivers.size === 0) this.#mailboxes.delete(name)
  }
}

const sizeOf = ({ text }: Waiting): number => text.length + limits.messageOverhead

const full = (why: string): SyscallError =>
  new SyscallError('EAGAIN', `${why}; send it again when some are received, or put the content into a file`)

/** @throws SyscallError EINTR when the signal aborts */
function waitFor(mailbox: Mailbox, from: string | undefined, signal: AbortSignal): Promise<Message> {
  // Its time may have been over before it was its turn.
  if (signal.aborted) return Promise.reject(new SyscallError('EINTR', 'ended by a signal'))
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      mailbox.receivers.delete(receiver)
      reject(new SyscallError('EINTR', 'ended by a signal'))
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
