/** What a run leads policies to remember: how often its permits were used, where values have been seen, what was done. */
import type { Clock } from '../clock.ts'
import { SyscallError } from '../errors.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import type { Action } from '../policy/actions.ts'
import { type Counter, Deeds } from '../policy/deeds.ts'
import { type History, type HistoryQuery, isLasting } from '../policy/history.ts'
import { Origins } from '../policy/origin.ts'
import { Room } from '../policy/room.ts'
import type { Needs, PolicySet, Request } from '../policy/types.ts'
import { Tallies } from '../proc/tallies.ts'
import { type Newest, Past } from './past.ts'

/** A process, as far as what its run did depends on it: one that lives, or one of a record. */
export interface Member {
  readonly name: string
  readonly parent: Member | undefined
  readonly policy: PolicySet
  /** `sealed`: an extraction. */
  readonly identity: { readonly sealed?: boolean }
  readonly usage: { readonly wallMs: number }
}

/** A first process and all below it. */
interface Run {
  readonly tallies: Tallies
  readonly origins: Origins
  /** For what is kept of its history. */
  readonly room: Room
  /** Whether any of its policies asks where values have been seen. Until then nothing is taken in but the task. */
  asksOrigins: boolean
}

export class Runs {
  readonly #past: Past
  readonly #room = new Room(limits.originRoomMax)
  /** By first process. */
  readonly #runs = new WeakMap<Member, Run>()
  /** By process: what it and all below it did. */
  readonly #deeds = new WeakMap<Member, Deeds>()
  /** The policy whose questions are counted for. */
  readonly #counted = new WeakMap<Member, PolicySet>()

  constructor(clock: Pick<Clock, 'now'>, log: Newest) {
    this.#past = new Past(clock, log)
  }

  /**
   * Policies of the application come into force: what they ask about earlier runs is looked up on record, and what
   * cannot be read there is not known.
   */
  prepare({ history }: Needs): void {
    this.#past.remember(history)
  }

  /** @param args of a first process, as far as they are JSON: the task */
  begin(process: Member, args: readonly Json[]): void {
    this.#runOf(process).origins.task(args)
  }

  /**
   * An extraction begins, of which nobody may learn what it sends: so some of what the run has sent is not known from
   * here on, whatever that is, and nothing that comes in after it is trusted.
   */
  extraction(process: Member): void {
    this.missed(process)
  }

  /** Some of what the run has sent is not known: nothing that comes in after this is trusted. */
  missed(process: Member): void {
    this.#runOf(process).origins.missed()
  }

  /** Lets go of what was remembered for a run, once its first process has ended. */
  end(process: Member): void {
    if (process.parent === undefined) this.#runs.get(process)?.origins.close()
  }

  /**
   * The tallies of the process's run, and the time of its clock in ms.
   * @throws SyscallError EPERM for an extraction
   */
  talliesOf(process: Member): { readonly tallies: Tallies; readonly now: number } {
    if (process.identity.sealed)
      throw new SyscallError(
        'EPERM',
        'what is permitted only so often is not for an extraction: its uses would tell something',
      )
    return { tallies: this.#runOf(process).tallies, now: nowOf(process) }
  }

  /** What the policy of a process asks beside the call itself. */
  answersFor(process: Member): Pick<Request, 'origin' | 'history'> {
    const { origins, history: asked } = process.policy.needs
    // What an extraction does is not counted, so no rule may rely on it; what is not told forbids.
    const history = process.identity.sealed ? [] : asked
    if (!origins && history.length === 0) return {}
    return {
      ...(origins && { origin: (value, pay) => this.#runOf(process).origins.of(value, pay) }),
      ...(history.length > 0 && { history: this.#historyOf(process) }),
    }
  }

  /**
   * Takes note of a call that is admitted, before its effect.
   * @param sent its arguments, where it leaves the kernel: only from there can they come back as somebody else's
   */
  admitted(
    process: Member,
    judged: readonly { readonly action: Action; readonly resource: string }[],
    sent: Json | undefined,
  ): void {
    // What one sends is not looked at: see `extraction`.
    if (process.identity.sealed) return
    const run = this.#runOf(process)
    const { needs } = process.policy
    run.asksOrigins ||= needs.origins
    if (sent !== undefined && !run.asksOrigins) run.origins.missed()
    else if (sent !== undefined) run.origins.sent(sent)
    if (judged.length === 0) return
    this.#count(process)
    const at = nowOf(process)
    for (const { action, resource } of judged) {
      for (let each: Member | undefined = process; each !== undefined; each = each.parent)
        this.#deedsOf(each).note({ agent: process.name, action, resource, at })
      this.#past.note(process.name, action, resource)
    }
  }

  /**
   * The same for a call of before this kernel: what lasts is counted from the record already.
   * @param sent undefined where it left the kernel and what it sent is not known any more
   */
  again(
    process: Member,
    deeds: readonly { readonly action: Action; readonly resource: string }[],
    { external, sent }: { readonly external: boolean; readonly sent: Json | undefined },
  ): void {
    if (process.identity.sealed) return
    const run = this.#runOf(process)
    run.asksOrigins ||= process.policy.needs.origins
    if (external && (sent === undefined || !run.asksOrigins)) run.origins.missed()
    else if (external && sent !== undefined) run.origins.sent(sent)
    if (deeds.length === 0) return
    this.#count(process)
    const at = nowOf(process)
    for (const { action, resource } of deeds)
      for (let each: Member | undefined = process; each !== undefined; each = each.parent)
        this.#deedsOf(each).note({ agent: process.name, action, resource, at })
  }

  /** Takes in the result of a call, with its labels; that of an extraction's call tells the run nothing. */
  received(process: Member, result: Json, labels: readonly string[]): void {
    if (process.identity.sealed) return
    const run = this.#runOf(process)
    if (run.asksOrigins) run.origins.received(result, labels)
  }

  /** What its policy asks is counted from its first call on, also where nothing was asked yet. */
  #count(process: Member): void {
    const { policy } = process
    if (this.#counted.get(process) === policy) return
    this.#counted.set(process, policy)
    for (const query of policy.needs.history) if (!isLasting(query.scope)) this.#counterOf(process, query)
  }

  #historyOf(process: Member): History {
    return {
      count: (query) =>
        isLasting(query.scope)
          ? this.#past.count(query, process.name)
          : this.#counterOf(process, query).count(nowOf(process)),
      agents: (query) =>
        isLasting(query.scope)
          ? this.#past.agents(query)
          : this.#counterOf(process, query).agents(nowOf(process)),
    }
  }

  #counterOf(process: Member, query: HistoryQuery): Counter {
    const whose = query.scope === 'process' ? process : firstOf(process)
    return this.#deedsOf(whose).counter(query, nowOf(process))
  }

  #deedsOf(process: Member): Deeds {
    const known = this.#deeds.get(process)
    if (known !== undefined) return known
    const deeds = new Deeds(this.#runOf(process).room)
    this.#deeds.set(process, deeds)
    return deeds
  }

  #runOf(process: Member): Run {
    const first = firstOf(process)
    const known = this.#runs.get(first)
    if (known !== undefined) return known
    const run = {
      tallies: new Tallies(),
      origins: new Origins(this.#room),
      room: new Room(limits.historyRunMax),
      asksOrigins: false,
    }
    this.#runs.set(first, run)
    return run
  }
}

/** In ms since the run began. */
const nowOf = (process: Member): number => firstOf(process).usage.wallMs

function firstOf(process: Member): Member {
  let first = process
  while (first.parent !== undefined) first = first.parent
  return first
}
