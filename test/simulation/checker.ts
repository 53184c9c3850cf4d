/** Holds the promises of the design against what a simulated kernel does, after every step. */
import type { Clock } from '../../src/clock.ts'
import { isErrno } from '../../src/errors.ts'
import type { Entry } from '../../src/evidence/entry.ts'
import type { KernelEvents } from '../../src/observers.ts'
import type { Exit } from '../../src/proc/exit.ts'
import type { Process } from '../../src/proc/process.ts'
import type { Syscall } from '../../src/syscalls/row.ts'
import { syscalls } from '../../src/syscalls.ts'
import type { System } from '../../src/system.ts'
import { isOver, isStill, legal, ProcessModel } from './model.ts'
import type { FaultyStore } from './store.ts'
import type { Tally } from './tally.ts'

const rows: Readonly<Record<string, Syscall>> = syscalls
const ofHost = /\/(home|root|usr|wt|node_modules|src)\/|file:\/\/|\.ts:\d+/
const outcomes: readonly unknown[] = ['committed', 'failed', 'aborted', 'unknown']

export interface CheckerParts {
  readonly clock: Clock
  readonly tally: Tally
  /** Whether effects that leave the kernel wait for the disk. */
  readonly disk: boolean
  /** Whether the kernel's policy of this hash could have permitted a call of this tool. */
  readonly permits: (policy: string, tool: string) => boolean
}

export class Checker {
  readonly violations: string[] = []
  readonly processes = new Map<number, ProcessModel>()
  /** Every process that it was shown. */
  readonly seen: WeakRef<Process>[] = []
  readonly #parts: CheckerParts
  /** By the nonce in its arguments: an admitted call with an effect outside, and how often that came. */
  readonly #outside = new Map<number, { readonly name: string; readonly ceiling: string; times: number }>()
  #system: System | undefined
  #store: FaultyStore | undefined
  #ceiling = ''
  #lastBegun = 0
  #closed = false
  /** Calls of tools and texts that were printed. */
  effects = 0

  constructor(parts: CheckerParts) {
    this.#parts = parts
  }

  /** The kernel exists now. */
  watch(system: System, store: FaultyStore): void {
    this.#system = system
    this.#store = store
    system.observers.on('state', (event) => this.#changed(event))
    system.observers.on('output', ({ text }) => this.#happened('proc.output', Number(text.slice(1))))
    system.observers.on('error', ({ where, error }) => {
      if (where !== 'kernel') return
      const evidence = error instanceof Error && error.name === 'EvidenceError'
      if (!evidence || store.faults === 0)
        this.violated(`the kernel has a defect: ${error instanceof Error ? error.stack : String(error)}`)
    })
  }

  violated(what: string): void {
    this.violations.push(what)
    this.#parts.tally.saw(`VIOLATION ${what}`)
  }

  /** @returns the model of a process, whether or not it was known */
  of(pid: number): ProcessModel {
    const known = this.processes.get(pid)
    if (known !== undefined) return known
    const model = new ProcessModel(pid)
    this.processes.set(pid, model)
    return model
  }

  // -- What the record says ---------------------------------------------------------------------------------

  entry(entry: Entry): void {
    const { kind, pid } = entry
    this.#parts.tally.saw(
      `${kind} ${[pid, entry.syscall, entry.status, entry.to, entry.signal, entry.code].filter((it) => it !== undefined).join(' ')}`,
    )
    if (this.#closed) this.violated(`${kind} on record after the end of the record`)
    if (kind === 'open' || kind === 'reload') this.#ceiling = String(entry.policy)
    if (kind === 'close') this.#closed = true
    if (pid === undefined) return
    const model = this.of(pid)
    if (kind === 'spawn') this.#spawned(model, entry)
    else if (kind === 'state') model.recorded = entry.to as ProcessModel['state']
    else if (kind === 'intent') this.#admitted(model, entry)
    else if (kind === 'outcome') this.#ended(model, entry)
    else if (kind === 'refusal') this.#refused(model, entry)
    else if (kind === 'exit') this.#exited(model, entry)
  }

  #spawned(model: ProcessModel, { ppid }: Entry): void {
    if (model.begun) this.violated(`pid ${model.pid} was given twice`)
    if (model.over) this.violated(`process ${model.pid} began after its end`)
    model.begun = true
    model.ppid = Number(ppid)
    this.#lastBegun = model.pid
    if (model.ppid !== 0 && this.of(model.ppid).over)
      this.violated(`process ${model.pid} began under ${ppid}, which had ended`)
  }

  #admitted(model: ProcessModel, { seq, call, syscall, decision, args }: Entry): void {
    const name = String(syscall)
    if (model.over) this.violated(`${name} of process ${model.pid} was admitted after its end`)
    if (model.still) this.violated(`${name} of process ${model.pid} was admitted while it was ${model.state}`)
    const { effect } = decision as { effect: string }
    if (effect !== 'permit' && (effect !== 'unjudged' || rows[name]?.judge !== undefined))
      this.violated(`${name} of process ${model.pid} was admitted, and the decision on it is ${effect}`)
    model.open.set(seq, Number(call))
    if (name === 'tool.call' || name === 'proc.output') {
      const text = this.#store?.payloads.get((args as { hash: string }).hash) ?? ''
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

  #refused(model: ProcessModel, { code, reason, syscall }: Entry): void {
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

  // -- What observers and the application are told ----------------------------------------------------------

  #changed({ pid, from, to }: KernelEvents['state']): void {
    const model = this.of(pid)
    const was = model.state
    if (was !== from && !(was === 'running' && from === 'waiting'))
      this.violated(`process ${pid} went from ${from} to ${to}, and was ${was}`)
    if (!legal[from].includes(to)) this.violated(`process ${pid} went from ${from} to ${to}`)
    if (this.#alive && model.recorded !== to) this.violated(`process ${pid} went to ${to} without a record`)
    if (to === 'stopped' && model.freezing && !model.frozen)
      this.violated(`process ${pid} is called stopped, and its guest has not said that it stands still`)
    const now = this.#parts.clock.now()
    if (isStill(to) && !isStill(was)) model.stoppedAt = now
    if (isStill(was) && !isStill(to)) model.stoppedMs += now - model.stoppedAt
    model.state = to === 'waiting' ? 'running' : to
    if (isOver(to)) model.asked.clear()
  }

  /** A process as the application or its parent holds it. */
  holds(process: Process): void {
    const model = this.of(process.pid)
    if (model.held) return
    model.held = true
    model.process = process
    this.seen.push(new WeakRef(process))
    model.ppid = process.parent?.pid ?? 0
    void process.exit.then((exit) => this.#settled(model, exit))
  }

  #settled(model: ProcessModel, exit: Exit): void {
    if (model.settled) this.violated(`the exit of process ${model.pid} came twice`)
    model.settled = true
    this.#parts.tally.saw(`exit of ${model.pid} settled as ${exit.status}`)
    if (!model.over) this.violated(`the exit of process ${model.pid} came before its end`)
    if (this.#alive && model.exit !== exit.status)
      this.violated(`process ${model.pid} is on record as ${model.exit}, and its exit says ${exit.status}`)
    if (this.#alive && model.exitAt >= this.#durable)
      this.violated(`the exit of process ${model.pid} came before it was durable`)
    if (!this.#alive && exit.status === 'exited' && exit.value !== undefined && model.exit === undefined)
      this.violated(`process ${model.pid} gave a value that is not on record`)
  }

  // -- What guests see --------------------------------------------------------------------------------------

  /** @returns the pid whose guest is starting now */
  began(): number {
    const model = this.of(this.#lastBegun)
    if (model.hosted) this.violated(`process ${model.pid} was started twice`)
    if (model.over) this.violated(`process ${model.pid} was started after its end`)
    if (model.still) this.violated(`process ${model.pid} was started while it was ${model.state}`)
    model.hosted = true
    model.inTurn = true
    return model.pid
  }

  called(pid: number, number: number): void {
    const { asked, over } = this.of(pid)
    if (!over) asked.set(number, (asked.get(number) ?? 0) + 1)
  }

  turned(pid: number): void {
    this.of(pid).inTurn = false
  }

  /** The kernel asks a guest to stand still. */
  freezes(pid: number): void {
    this.of(pid).freezing = true
  }

  /** The guest does. */
  frozen(pid: number): void {
    this.of(pid).frozen = true
  }

  /** The kernel lets it go on. */
  thaws(pid: number): void {
    const model = this.of(pid)
    model.freezing = false
    model.frozen = false
  }

  /** @returns what was delivered, parsed */
  delivered(pid: number, time: number, batch: string): readonly (readonly [number, unknown])[] {
    const model = this.of(pid)
    this.#parts.tally.saw(`delivery to ${pid} at ${time}, ${batch.length}`)
    if (model.over) this.violated(`a delivery to process ${pid} after its end`)
    if (model.still) this.violated(`a delivery to process ${pid}, which is ${model.state}`)
    if (model.frozen) this.violated(`a delivery to process ${pid}, which is frozen`)
    if (model.inTurn) this.violated(`a delivery to process ${pid} within a turn`)
    model.inTurn = true
    const latest = this.#parts.clock.now() - model.stoppedMs
    if (time < model.lastTime || time > latest)
      this.violated(`process ${pid} was told ${time}; before it was ${model.lastTime}, and now is ${latest}`)
    model.lastTime = time
    const messages = JSON.parse(batch) as [number, unknown][]
    for (const [number, reply] of messages) this.#answered(model, number, reply)
    return messages
  }

  #answered(model: ProcessModel, number: number, reply: unknown): void {
    const { ok, error, signal } = reply as {
      ok?: unknown
      error?: { code: string; message: string }
      signal?: string
    }
    if (signal !== undefined) return
    const left = (model.asked.get(number) ?? 0) - 1
    if (left < 0) this.violated(`process ${model.pid} got an answer to call ${number}, which it had not made`)
    else if (left === 0) model.asked.delete(number)
    else model.asked.set(number, left)
    if (error === undefined) {
      if (ok === undefined)
        this.violated(`a reply is neither a result nor an error: ${JSON.stringify(reply)}`)
      return
    }
    if (!isErrno(error.code)) this.violated(`a reply with ${error.code}`)
    if (ofHost.test(error.message)) this.violated(`a reply names the host: ${error.message}`)
  }

  // -- What drivers do --------------------------------------------------------------------------------------

  /** A driver is about to act. */
  invoked(process: Process, name: string, number: number, external: boolean): void {
    const model = this.of(process.pid)
    this.#parts.tally.saw(`${name} of ${process.pid} is invoked`)
    if (model.over) this.violated(`${name} of process ${process.pid} was invoked after its end`)
    if (model.still)
      this.violated(`${name} of process ${process.pid} was invoked while it was ${model.state}`)
    if (!this.#alive)
      this.violated(`${name} of process ${process.pid} was invoked after the record had failed`)
    const intents = [...model.open].filter(([, call]) => call === number)
    if (intents.length === 0)
      return this.violated(`${name} of process ${process.pid} was invoked without an intent on record`)
    if (external && intents.every(([seq]) => seq >= this.#durable))
      this.violated(`${name} of process ${process.pid} was invoked before its intent was durable`)
  }

  toolCalled(tool: string, nonce: number): void {
    const { ceiling } = this.#outside.get(nonce) ?? {}
    if (ceiling !== undefined && !this.#parts.permits(ceiling, tool))
      this.violated(`tool ${tool} was called, and the policy of that time does not permit it`)
    this.#happened('tool.call', nonce)
  }

  /** A tool was called, or a text was handed to the application. */
  #happened(what: string, nonce: number): void {
    this.effects += 1
    const intent = this.#outside.get(nonce)
    if (intent?.name !== what)
      return this.violated(`${what} with the nonce ${nonce} happened, without an intent on record`)
    intent.times += 1
    if (intent.times > 1) this.violated(`${what} with the nonce ${nonce} happened ${intent.times} times`)
  }

  // -- After each step, and at the end ------------------------------------------------------------------------

  get #alive(): boolean {
    return this.#system?.log.failed === undefined
  }

  /** Entries that are as durable as the kernel promises. */
  get #durable(): number {
    return (this.#parts.disk ? this.#store?.synced : this.#store?.written) ?? 0
  }

  get #live(): readonly Process[] {
    return this.#system?.table.live() ?? []
  }

  #parentOf({ ppid }: ProcessModel): ProcessModel | undefined {
    return ppid === 0 ? undefined : this.of(ppid)
  }

  stepped(): void {
    for (const process of this.#live) {
      this.holds(process)
      this.#checkProcess(process, this.of(process.pid))
    }
    const live = new Set(this.#live.map(({ pid }) => pid))
    for (const model of this.processes.values()) {
      if (!model.over && !live.has(model.pid))
        this.violated(`process ${model.pid} lives, and is not in the table`)
      if (model.over) model.process = undefined
    }
  }

  #checkProcess(process: Process, model: ProcessModel): void {
    const { pid, parent, ledger, state } = process
    if (state !== model.state && !(state === 'waiting' && model.state === 'running'))
      this.violated(`process ${pid} is ${state}, and was told to be ${model.state}`)
    if (model.over) this.violated(`process ${pid} has ended, and is in the table`)
    if (model.freezing && !model.still)
      this.violated(`process ${pid} is ${state}, and its guest was not thawed`)
    if (parent?.over) this.violated(`process ${pid} lives, and its parent ${parent.pid} has ended`)
    const { syscalls, cpuMs } = ledger.used
    if (syscalls < model.used.syscalls || cpuMs < model.used.cpuMs)
      this.violated(`the ledger of process ${pid} went back`)
    if (syscalls < model.charged)
      this.violated(`process ${pid} was charged ${syscalls} calls of ${model.charged}`)
    model.used = { syscalls, cpuMs }
    const above = parent?.ledger.used
    if (above !== undefined && (above.syscalls < syscalls || above.cpuMs < cpuMs))
      this.violated(`process ${pid} has used more than its parent was charged`)
    if (!this.#alive) return
    if (process.inFlight.size !== model.open.size)
      this.violated(
        `process ${pid} has ${process.inFlight.size} calls in flight, and ${model.open.size} on record`,
      )
    const asked = [...model.asked.values()].reduce((sum, count) => sum + count, 0)
    if (!model.still && asked > model.open.size + process.turns.waiting)
      this.violated(
        `process ${pid} waits for ${asked} answers: ${model.open.size} calls are open, ${process.turns.waiting} answered`,
      )
  }

  /** The kernel has shut down. */
  finished(waitingTimers: number): void {
    const { violations } = this
    const system = this.#system
    if (system === undefined) return
    if (this.#live.length > 0) this.violated(`${this.#live.length} processes live after the shutdown`)
    for (const { pid, held, settled, open, over } of this.processes.values()) {
      if (!over) this.violated(`process ${pid} has not ended`)
      if (held && !settled) this.violated(`the exit of process ${pid} never came`)
      if (this.#alive && open.size > 0) this.violated(`${open.size} calls of process ${pid} have no outcome`)
    }
    if (waitingTimers > 0) this.violated(`${waitingTimers} timers wait after the shutdown`)
    const { ok, problems, unsettled } = system.log.verify()
    if (!ok) this.violated(`the evidence does not verify: ${JSON.stringify(problems.slice(0, 3))}`)
    if (this.#alive && unsettled > 0) this.violated(`${unsettled} calls are unsettled on record`)
    if (violations.length === 0 && this.#alive && !this.#closed) this.violated('the record was not closed')
  }
}
