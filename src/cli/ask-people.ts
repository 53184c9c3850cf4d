/** During `gatehouse run`: a call that waits for approval is shown and asked about at the terminal, or it is said where. */
import type { ApprovalRequest } from '../approvals/request.ts'
import type { Clock } from '../clock.ts'
import { KernelError } from '../errors.ts'
import type { KernelSpace } from '../kernel.ts'
import { limits } from '../limits.ts'
import { userName } from './answer.ts'
import { approvalLines, endOf } from './approval-text.ts'
import type { KeyStream, Output } from './output.ts'
import { exactLine } from './terminal.ts'

export interface AskOptions {
  /** The kernel's directory. */
  readonly dir: string
  /** Whether to ask at this terminal, where it is one. */
  readonly here: boolean
}

/** @returns asks no more */
export function askPeople(
  out: Output,
  kernel: Pick<KernelSpace, 'on' | 'approvals'>,
  clock: Clock,
  { dir, here }: AskOptions,
): () => void {
  const keys = here ? out.person : undefined
  if (keys === undefined)
    return kernel.on('approval', ({ status, request }) => {
      if (status === 'asked') tellWhere(out, request, clock.now(), dir)
    })
  const prompts = new Prompts(out, kernel.approvals, clock, keys)
  const leave = kernel.on('approval', ({ id, status, request, by }) => {
    if (status === 'asked') prompts.add(request)
    else prompts.over(id, `${status}, by ${by}`)
  })
  return () => {
    leave()
    prompts.close()
  }
}

function tellWhere(out: Output, request: ApprovalRequest, now: number, dir: string): void {
  const { id, agent, syscall, resource } = request
  out.note(
    exactLine(
      `gatehouse: ${agent} waits for approval ${id}: ${syscall} ${resource}; see it with \`gatehouse approvals ${id} --dir ${dir}\`, then \`gatehouse approve ${id} --dir ${dir}\` or \`deny\`; ${endOf(request, now)}`,
    ),
  )
}

const question = 'Let this call pass, once? [y/N] '

/** One question after the other. */
class Prompts {
  readonly #out: Output
  readonly #approvals: KernelSpace['approvals']
  readonly #clock: Clock
  readonly #keys: KeyStream
  readonly #waiting: ApprovalRequest[] = []
  #current: { readonly id: string; readonly end: () => void } | undefined
  /** Whose line ended here, by Enter. */
  #answered: string | undefined

  constructor(out: Output, approvals: KernelSpace['approvals'], clock: Clock, keys: KeyStream) {
    this.#out = out
    this.#approvals = approvals
    this.#clock = clock
    this.#keys = keys
  }

  add(request: ApprovalRequest): void {
    this.#waiting.push(request)
    this.#next()
  }

  /** A request waits no longer. */
  over(id: string, how: string): void {
    const index = this.#waiting.findIndex((request) => request.id === id)
    if (index >= 0) this.#waiting.splice(index, 1)
    if (this.#current?.id !== id) return
    this.#out.note(`${this.#answered === id ? '' : '\n'}${exactLine(`approval ${id}: ${how}`)}`)
    this.#finish()
  }

  close(): void {
    this.#waiting.length = 0
    this.#finish()
  }

  #next(): void {
    const request = this.#current === undefined ? this.#waiting.shift() : undefined
    if (request === undefined) return
    const show = this.#out.holdAgents()
    for (const line of approvalLines(request, this.#clock.now())) this.#out.note(line)
    this.#out.question(question)
    const stop = this.#read((line) => this.#answer(request.id, line))
    this.#current = {
      id: request.id,
      end: () => {
        stop()
        show()
      },
    }
  }

  #finish(): void {
    this.#current?.end()
    this.#current = undefined
    this.#next()
  }

  /** Nothing but yes is yes. The kernel tells of the answer, and that ends the question. */
  #answer(id: string, line: string): void {
    this.#answered = id
    const by = userName()
    const options = by === undefined ? {} : { by: `${by}, at the terminal of the run` }
    try {
      if (/^y(es)?$/i.test(line.trim())) this.#approvals.approve(id, options)
      else this.#approvals.deny(id, options)
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      this.#out.note(exactLine(error.message))
      this.#finish()
    }
  }

  /** What was typed before anybody could have read the question is no answer to it. */
  #read(take: (line: string) => void): () => void {
    let typed = ''
    let isRead = false
    const cancel = this.#clock.after(limits.approvalTypedMs, () => {
      isRead = true
    })
    const onKeys = (keys: Buffer): void => {
      if (!isRead) return this.#out.question(`\n(that was typed before the question) ${question}`)
      typed += keys.toString()
      const [line, ...rest] = typed.split('\n')
      if (rest.length > 0) take(line ?? '')
    }
    this.#keys.on('data', onKeys)
    this.#keys.resume()
    return () => {
      cancel()
      this.#keys.off('data', onKeys)
      this.#keys.pause()
    }
  }
}
