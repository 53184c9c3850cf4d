/** Holds the promises of the design against what a simulated kernel does, after every step. */
import { isErrno } from '../../src/errors.ts'
import type { KernelEvents } from '../../src/observers.ts'
import type { Exit } from '../../src/proc/exit.ts'
import type { Process } from '../../src/proc/process.ts'
import type { System } from '../../src/system.ts'
import { isOver, isStill, legal, type ProcessModel } from './model.ts'
import { ofHost, RecordChecks } from './record.ts'
import type { FaultyStore } from './store.ts'

export class Checker extends RecordChecks {
  /** Every process that it was shown. */
  readonly seen: WeakRef<Process>[] = []
  #system: System | undefined

  /** The kernel exists now. */
  watch(system: System, store: FaultyStore): void {
    this.#system = system
    this.store = store
    system.observers.on('state', (event) => this.#changed(event))
    system.observers.on('output', ({ text }) => this.happened('proc.output', Number(text.slice(1))))
    system.observers.on('error', ({ where, error }) => {
      if (where !== 'kernel') return
      const evidence = error instanceof Error && error.name === 'EvidenceError'
      if (!evidence || store.faults === 0)
        this.violated(`the kernel has a defect: ${error instanceof Error ? error.stack : String(error)}`)
    })
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
    const now = this.parts.clock.now()
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
    this.parts.tally.saw(`exit of ${model.pid} settled as ${exit.status}`)
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
    const model = this.of(this.lastBegun)
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
    this.parts.tally.saw(`delivery to ${pid} at ${time}, ${batch.length}`)
    if (model.over) this.violated(`a delivery to process ${pid} after its end`)
    if (model.still) this.violated(`a delivery to process ${pid}, which is ${model.state}`)
    if (model.frozen) this.violated(`a delivery to process ${pid}, which is frozen`)
    if (model.inTurn) this.violated(`a delivery to process ${pid} within a turn`)
    model.inTurn = true
    const latest = this.parts.clock.now() - model.stoppedMs
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
    this.parts.tally.saw(`${name} of ${process.pid} is invoked`)
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

  // -- After each step, and at the end ------------------------------------------------------------------------

  get #alive(): boolean {
    return this.#system?.log.failed === undefined
  }

  /** Entries that are as durable as the kernel promises. */
  get #durable(): number {
    return (this.parts.disk ? this.store?.synced : this.store?.written) ?? 0
  }

  get #live(): readonly Process[] {
    return this.#system?.table.live() ?? []
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
    if (model.begun && !model.hosted && process.identity.isolation !== 'host')
      this.violated(`process ${pid} is ${state}, and no guest was started for it`)
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
    const open = model.open.size + model.asking.size
    if (process.inFlight.size !== open)
      this.violated(`process ${pid} has ${process.inFlight.size} calls in flight, and ${open} on record`)
    const asked = [...model.asked.values()].reduce((sum, count) => sum + count, 0)
    if (!model.still && asked > open + process.turns.waiting)
      this.violated(
        `process ${pid} waits for ${asked} answers: ${open} calls are open, ${process.turns.waiting} answered`,
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
    if (violations.length === 0 && this.#alive && !this.sealed)
      this.violated('the record was not closed, or its end is not signed')
  }
}
