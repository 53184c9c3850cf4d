/** Runs the guest code of one recorded process again, turn by turn, with every reply and all time from the record. */
import type { Fault, Guest, GuestEvents, UserSpace } from '../isolate/guest.ts'
import { limits } from '../limits.ts'
import type { Divergence } from './divergence.ts'
import { compareEnds, lastGoal } from './ending.ts'
import type { Gap, RecordedProcess, RecordedProgram, RecordedSpawn } from './recorded-process.ts'
import type { RunSource } from './source.ts'
import { readSteps, type Step, type StepTexts, stepsOf } from './steps.ts'
import { type Goal, type MadeCall, type TurnEnd, TurnWatch } from './watch.ts'

/** What was repeated. */
export interface Progress {
  readonly turns: number
  /** Calls that were the same, byte for byte. */
  readonly calls: number
  /** Of them, those of which only syscall and length could be compared: their arguments were deleted. */
  readonly unproven: number
}

export interface Diverged {
  readonly how: 'diverged'
  readonly divergence: Divergence
  /** Number of the last call before. */
  readonly lastCall: number
  /** Where agent code failed by an error of its own. */
  readonly stack?: string
}

/** How a repetition ended; the guest is gone then. */
export type Repeated = Progress &
  (
    | { readonly how: 'equal' }
    | Diverged
    /** The record does not suffice to go on. */
    | { readonly how: 'gap'; readonly gap: Gap }
  )

/** A guest that stands where its record ends, or failed there. */
export interface Revived extends Progress {
  readonly how: 'alive'
  readonly guest: Guest
  /** What it asked for that is not on record: still to be taken, in this order. */
  readonly beyond: readonly MadeCall[]
  /** Set where agent code failed in its last turn; the guest is gone then. */
  readonly fault?: Fault
  /** From now on its events go there. To be called before anything is delivered. */
  hand(events: GuestEvents): void
}

interface RepetitionParts {
  readonly source: RunSource
  readonly process: RecordedProcess
  readonly space: UserSpace
  /** Number of a call of which the stack is asked. */
  readonly trace?: number
}

/** @returns whether the process did the same again, and where not; never rejects for what a guest does @throws EvidenceError */
export async function repeat(parts: RepetitionParts): Promise<Repeated & { readonly trace?: string }> {
  const repetition = new Repetition(parts)
  try {
    const ended = (await repetition.run()) ?? repetition.compareEnd()
    const { trace } = repetition
    return { ...repetition.progress, ...ended, ...(trace !== undefined && { trace }) }
  } finally {
    repetition.end()
  }
}

/**
 * Repeats a process to the end of what is on record and leaves its guest alive there. The record may have been cut with
 * `before`; of one that has ended, the last turn runs on.
 * @returns the guest, or why there is none
 */
export async function revive(parts: RepetitionParts): Promise<Repeated | Revived> {
  const repetition = new Repetition(parts, 'live')
  const ended = await repetition.run()
  const { guest } = repetition
  if (ended === undefined && guest !== undefined) return repetition.revived(guest)
  repetition.end()
  return { ...repetition.progress, ...(ended ?? { how: 'gap', gap: noProgram(parts.process) }) }
}

type Ended = { readonly how: 'equal' } | Diverged | { readonly how: 'gap'; readonly gap: Gap }

/** Nothing of what is repeated depends on how fast it is. */
const turnLimit = { wallMs: limits.replayTurnMs }

class Repetition {
  readonly #parts: RepetitionParts
  readonly #isLive: boolean
  #events: GuestEvents | undefined
  #guest: Guest | undefined
  #watch: TurnWatch | undefined
  #turns = 0
  #calls = 0
  #unproven = 0
  #lastCall = 0
  #exitArgs: string | undefined
  readonly #beyond: MadeCall[] = []
  #fault: Fault | undefined
  #trace: string | undefined

  constructor(parts: RepetitionParts, how?: 'live') {
    this.#parts = parts
    this.#isLive = how === 'live'
  }

  get progress(): Progress {
    return { turns: this.#turns, calls: this.#calls, unproven: this.#unproven }
  }

  get trace(): string | undefined {
    return this.#trace
  }

  /** @returns undefined where everything on record has been repeated */
  async run(): Promise<Ended | undefined> {
    const { process, source } = this.#parts
    const { spawn, gap } = process
    if (spawn?.program === undefined) return { how: 'gap', gap: gap ?? noProgram(process) }
    const steps = stepsOf(process)
    for (const texts of readSteps(source, steps)) {
      const ended = await this.#step(spawn, spawn.program, texts)
      if (ended !== undefined) return ended
    }
    return gap === undefined ? undefined : { how: 'gap', gap }
  }

  async #step(spawn: RecordedSpawn, program: RecordedProgram, texts: StepTexts): Promise<Ended | undefined> {
    const { step, batch } = texts
    if (typeof batch !== 'string') return { how: 'gap', gap: batch }
    const goal = this.#goalOf(step)
    const watch = new TurnWatch(texts, goal, (number) => this.#isLate(number))
    this.#watch = watch
    if (!watch.isOver) {
      const gap = this.#runTurn(spawn, program, step, batch)
      if (gap !== undefined) return { how: 'gap', gap }
    }
    const end = await watch.end
    this.#turns = step.turn
    this.#calls += watch.seen
    this.#unproven += watch.unproven
    this.#lastCall = watch.lastCall || this.#lastCall
    this.#exitArgs ??= watch.exitArgs
    this.#trace ??= watch.trace
    this.#beyond.push(...watch.beyond)
    return this.#judge(step, goal, end)
  }

  #runTurn(spawn: RecordedSpawn, program: RecordedProgram, step: Step, batch: string): Gap | undefined {
    if (step.delivery === undefined) return this.#start(spawn, program)
    this.#guest?.deliver(step.delivery.at, batch, turnLimit)
    return undefined
  }

  #start(spawn: RecordedSpawn, { text, args, boot, filename }: RecordedProgram): Gap | undefined {
    const { source, process, space, trace } = this.#parts
    const refs = [text, args, boot]
    const kept = source.payloads(new Set(refs.map(({ hash }) => hash)))
    const [programText, argsText, bootText] = refs.map(({ hash }) => kept.get(hash)?.text)
    if (programText === undefined || argsText === undefined || bootText === undefined)
      return { seq: spawn.seq, why: 'the text of its program, its arguments or its beginning was deleted' }
    const { agent, policy, ownCell: own, heapBytes } = spawn
    const events: GuestEvents = {
      call: (number, name, text) => (this.#events ?? this.#watch)?.call(number, name, text),
      turn: (usage) => (this.#events ?? this.#watch)?.turn(usage),
      fault: (fault) => (this.#events ?? this.#watch)?.fault(fault),
    }
    this.#guest = space.start(
      { agent, policy, own, run: process.run },
      {
        ...{ program: programText, filename, args: argsText, boot: bootText, heapBytes, limit: turnLimit },
        ...(trace !== undefined && { trace }),
      },
      events,
    )
    return undefined
  }

  /** What the record does not have may be lost with its kernel; a process whose end is on record lost nothing. */
  #isLate(number: number): boolean {
    const { isWhole, later } = this.#parts.process
    return !isWhole || later.has(number)
  }

  #goalOf({ isLast }: Step): Goal {
    if (!isLast) return 'over'
    return this.#isLive ? 'live' : lastGoal(this.#parts.process)
  }

  #judge({ turn, delivery }: Step, goal: Goal, end: TurnEnd): Ended | undefined {
    if (end.how === 'diverged') return this.#diverged(end.divergence)
    if (end.how === 'fault' && goal === 'live') {
      this.#fault = end.fault
      return undefined
    }
    const { exit, spawn } = this.#parts.process
    const entry = exit?.seq ?? delivery?.seq ?? spawn?.seq ?? null
    const failed = goal === 'fault' ? { what: exit?.reason ?? '' } : { what: `turn ${turn} ran to its end` }
    if (end.how === 'fault') {
      if (goal === 'fault' && end.fault.reason === exit?.reason) return undefined
      const { reason, error } = end.fault
      const sides = { recorded: failed, replayed: { what: reason } }
      return this.#diverged({ kind: 'fault', turn, entry, call: null, ...sides }, error?.stack)
    }
    if (goal !== 'fault') return undefined
    const replayed = { what: `turn ${turn} ran to its end` }
    return this.#diverged({ kind: 'fault', turn, entry, call: null, recorded: failed, replayed })
  }

  #diverged(divergence: Divergence, stack?: string): Ended {
    const lastCall = this.#lastCall
    return { how: 'diverged', divergence, lastCall, ...(stack !== undefined && { stack }) }
  }

  /** Whether it ended with the same value or error, where it ended itself. */
  compareEnd(): Ended {
    const { process, source } = this.#parts
    if (process.exit === undefined || this.#exitArgs === undefined) return { how: 'equal' }
    const difference = compareEnds(process.exit, this.#exitArgs, source)
    if (difference === undefined) return { how: 'equal' }
    const entry = process.exit.seq
    return this.#diverged({ kind: 'end', turn: this.#turns, entry, call: null, ...difference })
  }

  /** The guest, once everything on record has been repeated. */
  revived(guest: Guest): Revived {
    return {
      ...{ how: 'alive', guest, beyond: this.#beyond, ...this.progress },
      ...(this.#fault !== undefined && { fault: this.#fault }),
      hand: (events) => {
        this.#events = events
      },
    }
  }

  get guest(): Guest | undefined {
    return this.#guest
  }

  /** One that is inside an uninterruptible builtin is not waited for; its user space does when it closes. */
  end(): void {
    void this.#guest?.end()
  }
}

const noProgram = ({ spawn, calls }: RecordedProcess): Gap =>
  spawn === undefined
    ? { seq: calls[0]?.seq ?? 0, why: 'it has not begun there' }
    : { seq: spawn.seq, why: 'it ran a function of the application, of which no code is on record' }
