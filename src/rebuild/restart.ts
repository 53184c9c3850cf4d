/** A kernel goes on where a record ends: first what is within it, at once, and then the guests, which repeat their past. */
import { byKernel } from '../actors.ts'
import { loadedProgram } from '../config/rebuild.ts'
import type { Homes } from '../drivers/vfs/homes.ts'
import { KernelError, SyscallError } from '../errors.ts'
import type { EditBody, RebuildBody } from '../evidence/beginnings.ts'
import type { Entry, PayloadRef } from '../evidence/entry.ts'
import type { EvidenceLog } from '../evidence/log.ts'
import { EvidenceError } from '../evidence/store.ts'
import { answer } from '../gate/answers.ts'
import { tryRecord } from '../gate/record.ts'
import type { Fault } from '../isolate/guest.ts'
import { asJson } from '../json.ts'
import { noLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { faulted } from '../proc/exit.ts'
import type { Process } from '../proc/process.ts'
import { signals } from '../proc/signals.ts'
import { before, type RecordedProcess } from '../replay/recorded-process.ts'
import { readRun } from '../replay/recorded-run.ts'
import { type RunSource, runsOf, textOf } from '../replay/source.ts'
import { replyText } from '../replay/steps.ts'
import type { Spawner } from '../spawner.ts'
import { Fold } from './fold.ts'
import type { FoldParts } from './fold-parts.ts'
import type { Known } from './known.ts'
import { beginningsIn, withLineage } from './lineage.ts'
import type { PastClock } from './past-clock.ts'
import { goesOn as isOurs, type Plan } from './plan.ts'
import { basisOf, restore } from './restore.ts'
import { type Risen, raise } from './revival.ts'
import { type Counted, entriesIn } from './survey.ts'
import { settleCalls } from './unsettled.ts'

export interface RestartParts
  extends Omit<FoldParts, 'runs' | 'settled' | 'answered' | 'time' | 'included' | 'ceiling'> {
  readonly homes: Homes
  readonly log: EvidenceLog
  readonly clock: PastClock
  /** Is told what the kernel itself did wrong. */
  readonly defect: (error: unknown) => void
}

/** What a kernel has of these parts. */
type Kernel = Omit<RestartParts, 'clock' | 'defect' | 'runMemory' | 'treeOfAgent' | 'homes'> & {
  readonly runs: RestartParts['runMemory']
  readonly observers: { defect(error: unknown): void }
  abandon(): void
}

/**
 * What is within the kernel is there when this returns; its guests follow.
 * @returns first processes of the runs that go on
 * @throws EvidenceError, KernelError where it cannot go on: then nothing of it stays
 */
export function goOn(
  plan: Plan,
  kernel: Kernel,
  files: Pick<RestartParts, 'treeOfAgent' | 'homes'>,
  clock: PastClock,
): readonly Process[] {
  const { log, gate, drivers, spawner, table, children, runs: runMemory } = kernel
  const defect = (error: unknown): void => kernel.observers.defect(error)
  try {
    const parts = { log, gate, drivers, spawner, table, children, runMemory, ...files, clock, defect }
    const restart = new Restart(plan, parts)
    // Whoever made this kernel registers tools and listeners first.
    setImmediate(() => void restart.start())
    return restart.roots
  } catch (error) {
    for (const process of table.live())
      process.hadEnded({ status: 'failed', labels: noLabels, usage: process.usage })
    kernel.abandon()
    throw error
  }
}

class Restart {
  readonly #plan: Plan
  readonly #parts: RestartParts
  readonly #fold: Fold
  readonly #source: RunSource
  /** Results in place of those on record. */
  readonly #replies = new Map<number, PayloadRef>()

  /**
   * What is within the kernel is there when this returns.
   * @throws EvidenceError, KernelError where it cannot be: then nothing may go on
   */
  constructor(plan: Plan, parts: RestartParts) {
    this.#plan = plan
    this.#parts = parts
    const { survey, fork, start } = plan
    const { log, table, gate, clock } = parts
    for (const [seq, value] of Object.entries(fork?.replies ?? {}))
      this.#replies.set(Number(seq), log.payload(JSON.stringify(asJson(value, `replies.${seq}`))))
    this.#source = withLineage(runsOf(log))
    const runs = new Set(survey.unended.filter(isOurs).map(({ run }) => run))
    this.#fold = new Fold({ ...parts, ...survey, runs, ...basisOf(start?.snapshot, this.#source) })
    table.skipTo(survey.lastPid)
    const times = new Map<Process, number>()
    gate.doingAgain(() =>
      clock.during(survey.time, (set) => {
        restore(start?.snapshot, { ...parts, source: this.#source })
        this.#foldAll(set)
        set(survey.time)
        for (const { process, isHeld, heldAt } of this.#fold.known)
          times.set(process, isHeld ? heldAt : process.turns.time)
      }),
    )
    for (const { process } of this.#live) parts.drivers.streams.lost(process, process.turns.lastCall)
    // No time has passed for them since.
    for (const [{ turns }, time] of times)
      turns.resume({ count: turns.count, lastCall: turns.lastCall, time })
    if (fork === undefined) {
      this.#recordPolicies()
      this.#endOthers()
    }
  }

  /** First processes of the runs that go on. */
  get roots(): readonly Process[] {
    return this.#live.map(({ process }) => process).filter(({ parent }) => parent === undefined)
  }

  get #live(): readonly Known[] {
    return this.#fold.known.filter(({ process, goesOn }) => goesOn && !process.over)
  }

  /** @throws EvidenceError, KernelError */
  #foldAll(set: (time: number) => void): void {
    let window: Counted[] = []
    let bytes = 0
    const replies = new Set(this.#replies.keys())
    const flush = (): void => {
      const refs = window.flatMap((counted) => this.#fold.needs(counted))
      const texts = this.#source.payloads(new Set(refs.map(({ hash }) => hash)))
      for (const counted of window) {
        set(counted.entry.time)
        this.#fold.take(counted, texts)
      }
      window = []
      bytes = 0
    }
    const { from, segments } = this.#plan.survey
    for (const counted of entriesIn(this.#parts.log.entries(from === 0 ? {} : { from }), segments)) {
      window.push(this.#edited(counted, replies))
      bytes += this.#fold.needs(counted).reduce((sum, ref) => sum + ref.bytes, 0)
      if (window.length >= limits.rebuildWindowEntries || bytes > limits.replayWindowBytes) flush()
    }
    flush()
    const [missing] = replies
    if (missing !== undefined)
      throw new KernelError('EINVAL', `entry ${missing} ends no call of the run up to where it is forked`)
  }

  #edited(counted: Counted, due: Set<number>): Counted {
    const { entry, run } = counted
    const result = this.#replies.get(entry.seq)
    if (result === undefined || entry.kind !== 'outcome' || run === undefined) return counted
    due.delete(entry.seq)
    return { run, entry: { ...entry, status: 'committed', result } }
  }

  /** A process that goes on under other policies than before says so. */
  #recordPolicies(): void {
    const before = new Map(this.#plan.survey.unended.map(({ run, pid, policy }) => [`${run} ${pid}`, policy]))
    for (const { process } of this.#live) {
      const was = before.get(`${process.identity.run} ${process.pid}`)
      if (was !== process.policy.hash) this.#parts.spawner.recordPolicy(process, was)
    }
  }

  /** Code of the application ended with its kernel. */
  #endOthers(): void {
    const reason = 'it ran code of the application, which ended with its kernel and is not on record'
    for (const { run, pid, ...process } of this.#plan.survey.unended)
      if (!isOurs(process)) this.#parts.log.append({ kind: 'exit', run, pid, status: 'failed', reason })
  }

  /** Raises the guests, settles what was on its way, and lets them go on. Never rejects. */
  async start(): Promise<void> {
    try {
      await this.#recordForks()
      const live = this.#live
      const risen = await Promise.all(live.map((known) => this.#raise(known)))
      const ready = live.filter(({ process }, index) => this.#place(process, risen[index]))
      for (const known of ready) this.#deliver(known)
      const { unsettled: choice, fork } = this.#plan
      settleCalls({ ...this.#parts, fold: this.#fold, choice, isFork: fork !== undefined }, ready)
      live.forEach(({ process }, index) => {
        const each = risen[index]
        if (!process.over && each !== undefined && 'goOn' in each) each.goOn()
      })
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    const isKnown =
      error instanceof KernelError || error instanceof SyscallError || error instanceof EvidenceError
    if (!isKnown) this.#parts.defect(error)
    const reason = isKnown ? error.message : 'the kernel failed while it was made again'
    for (const { process } of this.#live) process.end(faulted({ code: isKnown ? error.code : 'EIO', reason }))
  }

  /** A forked run says of each of its processes where it goes on from. @throws KernelError for the new program */
  async #recordForks(): Promise<void> {
    const { fork } = this.#plan
    if (fork === undefined) return
    const program = fork.program === undefined ? undefined : await loadedProgram(fork.program)
    const begun = beginningsIn(this.#source.run(fork.run), fork.seq)
    for (const [outcome, result] of this.#replies)
      this.#parts.log.append({ kind: 'edit', run: fork.as, outcome, result } satisfies EditBody)
    const origin = { run: fork.run, seq: this.#plan.survey.seq }
    for (const { process } of this.#live) {
      const entry = begun.get(process.pid)
      const own = process.parent === undefined ? program : undefined
      this.#parts.spawner.recordFork(process, beginningOf(entry), origin, own)
    }
  }

  async #raise({ process }: Known): Promise<Risen | Fault | undefined> {
    try {
      const { log, spawner } = this.#parts
      const recorded = this.#recordedOf(process)
      const { run } = process.identity
      const turn = recorded.turns.length + 1
      const cause = this.#plan.fork === undefined ? 'resume' : 'fork'
      const reason = cause === 'resume' ? 'its kernel had ended' : 'its run begins where another one was'
      tryRecord(log, process, () =>
        log.append({
          ...{ kind: 'rebuild', run, pid: process.pid, cause, reason, turn },
        } satisfies RebuildBody),
      )
      if (process.over) return undefined
      return await raise({
        ...{ process, recorded, source: this.#source, live: spawner.guests.events(process) },
        start: (spec, events) => {
          const map = textOf(this.#source, recorded.spawn?.program?.map)
          spawner.adopt(process, { text: spec.program, filename: spec.filename, map }, spec)
          return spawner.guests.start(process, events, false)
        },
      })
    } catch (error) {
      if (error instanceof EvidenceError || error instanceof SyscallError || error instanceof KernelError)
        return { code: error.code, reason: error.message }
      throw error
    }
  }

  /** As it is on record up to where it goes on. @throws EvidenceError where it is not there */
  #recordedOf({ pid, identity }: Process): RecordedProcess {
    const recorded = readRun(this.#source, identity.run).processes.find((each) => each.pid === pid)
    if (recorded === undefined) throw new EvidenceError('EIO', 'nothing is on record about it')
    return before(recorded, this.#plan.survey.seq + 1)
  }

  /** @returns whether it goes on */
  #place(process: Process, risen: Risen | Fault | undefined): boolean {
    if (process.over || risen === undefined) return false
    if ('goOn' in risen) {
      process.begin()
      return !process.over
    }
    process.end(faulted(risen))
    return false
  }

  /** What it was told and no turn brought to it; and that it is stopped, where it was. */
  #deliver({ process, posted, isHeld }: Known): void {
    if (isHeld) process.signal('SIGSTOP', `by ${byKernel}, since it was stopped`)
    const { calls, turns } = this.#recordedOf(process)
    const brought = new Set(turns.flatMap(({ replies }) => replies.map(({ seq }) => seq)))
    const waiting = calls.flatMap(({ reply }) =>
      reply !== undefined && !brought.has(reply.seq) ? [reply] : [],
    )
    const hashes = waiting.flatMap((reply) => (reply.kind === 'result' ? [reply.result.hash] : []))
    const texts = this.#source.payloads(new Set(hashes))
    for (const reply of waiting.toSorted((one, other) => one.seq - other.seq)) {
      const text = replyText(reply, texts)
      if (typeof text === 'string') answer({ process, number: reply.number }, text, reply.seq)
      else if (!process.over)
        process.end(
          faulted({ code: 'EIO', reason: `it could not be made again: entry ${text.seq}: ${text.why}` }),
        )
    }
    for (const signal of posted)
      if (!process.over) process.turns.post(signals[signal].number, JSON.stringify({ signal }), signal)
  }
}

/** Payloads are found by their hash: what is none is not found. */
const beginningOf = (entry: Entry | undefined): Parameters<Spawner['recordFork']>[1] => (entry ?? {}) as never
