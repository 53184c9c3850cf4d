/** What a simulated kernel puts on record, held against what is known of its processes. */
import type { Clock } from '../../src/clock.ts'
import { isErrno } from '../../src/errors.ts'
import type { Entry } from '../../src/evidence/entry.ts'
import type { Syscall } from '../../src/syscalls/row.ts'
import { syscalls } from '../../src/syscalls.ts'
import { ProcessModel } from './model.ts'
import type { FaultyStore } from './store.ts'
import type { Tally } from './tally.ts'

const rows: Readonly<Record<string, Syscall>> = syscalls
/** What no text for a guest may hold. */
export const ofHost = /\/(home|root|usr|wt|node_modules|src)\/|file:\/\/|\.ts:\d+/
const outcomes: readonly unknown[] = ['committed', 'failed', 'aborted', 'unknown']

export interface CheckerParts {
  readonly clock: Clock
  readonly tally: Tally
  /** Whether effects that leave the kernel wait for the disk. */
  readonly disk: boolean
  /** Whether the kernel's policy of this hash could have permitted a call of this tool. */
  readonly permits: (policy: string, tool: string) => boolean
}

export class RecordChecks {
  readonly violations: string[] = []
  readonly processes = new Map<number, ProcessModel>()
  /** Calls of tools and texts that were printed. */
  effects = 0
  /** Calls that were made because a person approved them. */
  approvals = 0
  protected readonly parts: CheckerParts
  protected store: FaultyStore | undefined
  /** The process whose start was put on record last. */
  protected lastBegun = 0
  /** The end of the record is on it. */
  protected closed = false
  /** … and a checkpoint over it. */
  protected sealed = false
  /** By the nonce in its arguments: an admitted call with an effect outside, and how often that came. */
  readonly #outside = new Map<number, { readonly name: string; readonly ceiling: string; times: number }>()
  #ceiling = ''

  constructor(parts: CheckerParts) {
    this.parts = parts
  }

  violated(what: string): void {
    this.violations.push(what)
    this.parts.tally.saw(`VIOLATION ${what}`)
  }

  /** @returns the model of a process, whether or not it was known */
  of(pid: number): ProcessModel {
    const known = this.processes.get(pid)
    if (known !== undefined) return known
    const model = new ProcessModel(pid)
    this.processes.set(pid, model)
    return model
  }

  /** An entry got its place in the chain. */
  entry(entry: Entry): void {
    const { kind, pid } = entry
    this.parts.tally.saw(
      `${kind} ${[pid, entry.syscall, entry.status, entry.to, entry.signal, entry.code].filter((it) => it !== undefined).join(' ')}`,
    )
    if (this.sealed || (this.closed && kind !== 'checkpoint'))
      this.violated(`${kind} on record after the end of the record`)
    if (pid === undefined && (kind === 'open' || kind === 'reload')) this.#ceiling = String(entry.policy)
    if (this.closed && kind === 'checkpoint') this.sealed = true
    if (kind === 'close') this.closed = true
    if (pid === undefined) return
    const model = this.of(pid)
    if (kind === 'spawn') this.#spawned(model, entry)
    else if (kind === 'state') model.recorded = entry.to as ProcessModel['state']
    else if (kind === 'intent') this.#admitted(model, entry)
    else if (kind === 'outcome') this.#ended(model, entry)
    else if (kind === 'refusal') this.#refused(model, entry)
    else if (kind === 'ask') this.#asked(model, entry)
    else if (kind === 'answer') this.#personSaid(model, entry)
    else if (kind === 'exit') this.#exited(model, entry)
  }

  #spawned(model: ProcessModel, { ppid }: Entry): void {
    if (model.begun) this.violated(`pid ${model.pid} was given twice`)
    if (model.over) this.violated(`process ${model.pid} began after its end`)
    model.begun = true
    model.ppid = Number(ppid)
    this.lastBegun = model.pid
    if (model.ppid !== 0 && this.of(model.ppid).over)
      this.violated(`process ${model.pid} began under ${ppid}, which had ended`)
  }

  #asked(model: ProcessModel, { seq, id, follows, syscall }: Entry): void {
    if (model.over) this.violated(`${syscall} of process ${model.pid} was asked about after its end`)
    for (const [ask, asked] of model.asking) if (asked === follows) model.asking.delete(ask)
    model.asking.set(seq, String(id))
  }

  #personSaid(model: ProcessModel, { ask, id, answer, args }: Entry): void {
    if (model.asking.get(Number(ask)) !== id) this.violated(`request ${ask} was answered, and did not wait`)
    if (model.approved.has(Number(ask))) this.violated(`request ${ask} was answered twice`)
    if (answer === 'approved' && args === undefined) model.approved.add(Number(ask))
    if (answer === 'cancelled' && model.over) model.asking.delete(Number(ask))
  }

  #admitted(model: ProcessModel, { seq, call, syscall, decision, args, ask }: Entry): void {
    const name = String(syscall)
    if (model.over) this.violated(`${name} of process ${model.pid} was admitted after its end`)
    if (model.still) this.violated(`${name} of process ${model.pid} was admitted while it was ${model.state}`)
    const { effect } = decision as { effect: string }
    model.asking.delete(Number(ask))
    const approved = model.approved.delete(Number(ask))
    if (effect === 'ask' && approved) this.approvals += 1
    else if (effect !== 'permit' && (effect !== 'unjudged' || rows[name]?.judge !== undefined))
      this.violated(`${name} of process ${model.pid} was admitted, and the decision on it is ${effect}`)
    model.open.set(seq, Number(call))
    if (name === 'tool.call' || name === 'proc.output') {
      const text = this.store?.payloads.get((args as { hash: string }).hash) ?? ''
      const nonce = Number(/\d+/.exec(text)?.[0])
      this.#outside.set(nonce, { name, ceiling: this.#ceiling, times: 0 })
    }
    const cost = rows[name]?.cost ?? 0
    for (let each: ProcessModel | undefined = model; each !== undefined; each = this.#parentOf(each)) {
      each.charged += cost
      const budget = each.process?.ledger.budget.syscalls
      if (budget !== undefined && each.charged > budget && cost > 0)
        this.violated(`process ${each.pid} and those below it made ${each.charged} calls of ${budget}`)
    }
  }

  #ended(model: ProcessModel, { intent, status }: Entry): void {
    if (!outcomes.includes(status)) this.violated(`an outcome is ${status}`)
    if (!model.open.delete(Number(intent)))
      this.violated(`call ${intent} of ${model.pid} ended, and was not open`)
  }

  #refused(model: ProcessModel, { code, reason, syscall, ask }: Entry): void {
    model.asking.delete(Number(ask))
    model.approved.delete(Number(ask))
    if (model.over) this.violated(`${syscall} of process ${model.pid} was refused after its end`)
    if (model.still && !/stopped process/.test(String(reason)))
      this.violated(`${syscall} of process ${model.pid} was judged while it was ${model.state}`)
    if (
      code === 'EDQUOT' &&
      /^the budget of/.test(String(reason)) &&
      (model.process?.ledger.left('syscalls') ?? 0) >= 1
    )
      this.violated(`process ${model.pid} was refused for its budget, of which there was some left`)
    if (!isErrno(code)) this.violated(`a refusal with ${code}`)
    if (ofHost.test(String(reason))) this.violated(`a refusal names the host: ${reason}`)
  }

  #exited(model: ProcessModel, { status, seq }: Entry): void {
    model.exitAt = seq
    if (model.exit !== undefined) this.violated(`process ${model.pid} ended twice`)
    model.exit = String(status)
    if (model.state !== status)
      this.violated(`process ${model.pid} is ${model.state}, and ended as ${status}`)
  }

  /** A tool was called. */
  toolCalled(tool: string, nonce: number): void {
    const { ceiling } = this.#outside.get(nonce) ?? {}
    if (ceiling !== undefined && !this.parts.permits(ceiling, tool))
      this.violated(`tool ${tool} was called, and the policy of that time does not permit it`)
    this.happened('tool.call', nonce)
  }

  /** A tool was called, or a text was handed to the application. */
  protected happened(what: string, nonce: number): void {
    this.effects += 1
    const intent = this.#outside.get(nonce)
    if (intent?.name !== what)
      return this.violated(`${what} with the nonce ${nonce} happened, without an intent on record`)
    intent.times += 1
    if (intent.times > 1) this.violated(`${what} with the nonce ${nonce} happened ${intent.times} times`)
  }

  #parentOf({ ppid }: ProcessModel): ProcessModel | undefined {
    return ppid === 0 ? undefined : this.of(ppid)
  }
}
