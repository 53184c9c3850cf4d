/** The logs of a process as lines of JSON: what is kept of it, and for a follower what comes, until it ends. */
import type { ServerResponse } from 'node:http'
import { limits } from '../limits.ts'
import type { ProcessState } from '../proc/exit.ts'
import type { Journal } from './journal.ts'
import { ControlError, type LogLine, type LogRecord, type RequestOf } from './protocol.ts'
import type { Controlled } from './routes.ts'

export class LogStreams {
  readonly #kernel: Pick<Controlled, 'inspect' | 'whenEnded'>
  readonly #journal: Journal
  readonly #followers = new Set<ServerResponse>()

  constructor(kernel: Pick<Controlled, 'inspect' | 'whenEnded'>, journal: Journal) {
    this.#kernel = kernel
    this.#journal = journal
  }

  /** @throws KernelError ESRCH, EINVAL for the target; ControlError EAGAIN when too many follow already */
  send({ target, calls, follow }: RequestOf<'/logs'>, response: ServerResponse): void {
    const { pid, name, state } = this.#kernel.inspect(target).process
    const ended = follow === '1' ? this.#kernel.whenEnded(pid) : undefined
    if (ended !== undefined && this.#followers.size >= limits.controlFollowersMax)
      throw new ControlError('EAGAIN', `${limits.controlFollowersMax} followers read logs already`)
    const all = calls === '1'
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const history = [{ kind: 'process', pid, name } as const, ...this.#journal.of(pid, all)]
    response.write(history.map(lineOf).join(''))
    if (ended === undefined) response.end(lineOf({ kind: 'end', state }))
    else this.#follow(response, pid, all, ended)
  }

  /** Ends what is followed still, without the last line. */
  close(): void {
    for (const response of this.#followers) response.end()
  }

  #follow(response: ServerResponse, pid: number, all: boolean, ended: Promise<ProcessState>): void {
    // A follower that waits for output is not idle.
    response.setTimeout(0)
    const waitingMax = response.writableLength + limits.controlBacklogBytes
    const leave = this.#journal.follow(pid, (record) => {
      if (record.kind !== 'output' && !all) return
      // Who does not read is cut off: what waits for it is the kernel's memory.
      if (response.writableLength > waitingMax) response.destroy()
      else response.write(lineOf(record))
    })
    this.#followers.add(response)
    response.once('close', () => {
      leave()
      this.#followers.delete(response)
    })
    void ended.then((state) => {
      leave()
      if (this.#followers.has(response)) response.end(lineOf({ kind: 'end', state }))
    })
  }
}

const lineOf = (line: LogLine | LogRecord): string => `${JSON.stringify(line)}\n`
