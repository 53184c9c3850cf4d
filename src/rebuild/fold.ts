/** What is within the kernel comes back as it was after an entry: processes, files in memory, mailboxes, accounts. */
import { byKernel } from '../actors.ts'
import type { Entry, PayloadRef } from '../evidence/entry.ts'
import { EvidenceError } from '../evidence/store.ts'
import type { Payload } from '../evidence/verify.ts'
import { isForeign, suspectOf } from '../gate/seen.ts'
import type { Json } from '../json.ts'
import { joinLabels, type Labels, noLabels } from '../labels.ts'
import { untrustedLabel } from '../policy/origin.ts'
import type { Process } from '../proc/process.ts'
import { type SignalName, signals } from '../proc/signals.ts'
import { findSyscall } from '../syscalls.ts'
import { account, accountCost, accountRefusal } from './accounts.ts'
import { Births } from './births.ts'
import { changesKernel, PastEffects } from './effects.ts'
import type { FoldParts } from './fold-parts.ts'
import { decoded, type Known, type PastIntent } from './known.ts'
import { type Past, type PastKind, pastEntries } from './past-entries.ts'
import type { Counted } from './survey.ts'

export class Fold {
  readonly #parts: FoldParts
  readonly #effects: PastEffects
  readonly #births: Births
  readonly #known = new Map<number, Known>()
  readonly #open = new Map<number, PastIntent>()

  constructor(parts: FoldParts) {
    this.#parts = parts
    this.#effects = new PastEffects(parts.gate, parts.drivers, parts.included)
    this.#births = new Births(parts, (pid) => this.#known.get(pid))
  }

  get known(): readonly Known[] {
    return [...this.#known.values()]
  }

  /** @returns hashes of what is needed as text to take it */
  needs({ entry, run }: Counted): readonly PayloadRef[] {
    const isOurs = run !== undefined && this.#parts.runs.has(run)
    const refs = (keys: readonly string[]): readonly PayloadRef[] =>
      keys.flatMap((key) => (isRef(entry[key]) ? [entry[key]] : []))
    const { kind, syscall, resource } = entry
    if (kind === 'open' || kind === 'reload') return refs(['documents'])
    if (kind === 'host') return this.#isThere(entry) ? [] : refs(['args'])
    if (kind === 'intent' && changesKernel(String(syscall), String(resource)))
      return !isOurs && this.#isThere(entry) ? [] : refs(['args'])
    return isOurs ? refs(['args', 'documents', 'value', 'result']) : []
  }

  /** Whether a snapshot brought back what an entry says was done, by a process or by the application. */
  #isThere({ seq, agent, syscall, resource }: Entry): boolean {
    const what = { agent: String(agent), syscall: String(syscall), resource: String(resource), seq }
    return this.#effects.has(what)
  }

  /**
   * Tools are the application's own: it registers them anew.
   * @throws EvidenceError where it cannot be done again; then nothing may go on
   */
  take({ entry, run }: Counted, texts: ReadonlyMap<string, Payload>): void {
    if (entry.kind === 'host' && entry.syscall === 'tool.register') return
    const read = readPast(entry)
    if (read === undefined) return this.#births.policy(entry, texts)
    try {
      this.#take(entry, run, read, (ref) => texts.get(ref?.hash ?? '')?.text)
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown'
      throw new EvidenceError('EIO', `entry ${entry.seq} cannot be done again: ${why}`)
    }
  }

  #take(entry: Entry, run: string | undefined, read: Read, text: TextOf): void {
    if (read.kind === 'host') {
      if (this.#isThere(entry)) return
      const args = need(text(read.host.args), 'its arguments are not kept')
      const { agent, syscall } = read.host
      const act = { seq: entry.seq, agent, syscall, payload: read.host.args.hash }
      return this.#effects.host(act, JSON.parse(args), this.#parts.treeOfAgent(agent))
    }
    if (read.kind === 'spawn') {
      const born = this.#births.born(entry, read.spawn, run, text)
      if (born !== undefined) this.#known.set(read.spawn.pid, born)
      return
    }
    if (read.kind === 'declassify' && entry.pid === undefined)
      return this.#releasedFile(entry.seq, read.declassify)
    const known = this.#known.get(entry.pid ?? 0)
    if (known === undefined) return
    if (read.kind === 'intent') this.#intent(entry, known, read.intent, text)
    else if (read.kind === 'outcome') this.#outcome(entry.seq, known, read.outcome, text)
    else if (read.kind === 'charge') {
      if (known.goesOn) accountCost(known.process, read.charge.cost)
    } else if (read.kind === 'refusal') this.#refusal(known, read.refusal, text)
    else if (read.kind === 'ask') this.#ask(entry, known, read.ask, text(read.ask.args))
    else if (read.kind === 'turn') turned(known, read.turn)
    else if (read.kind === 'state') this.#state(known, read.state)
    else if (read.kind === 'signal') this.#signal(known, read.signal)
    else if (read.kind === 'declassify') released(known, read.declassify, text(read.declassify.value))
    else this.#births.ended(known, read.exit, text(read.exit.value))
  }

  #intent({ seq }: Entry, known: Known, entry: Past<'intent'>, text: TextOf): void {
    const intent = { seq, entry, text: text(entry.args), argsRef: entry.args }
    known.process.turns.called(entry.call)
    known.asks.delete(entry.call)
    known.latest = intent
    if (this.#parts.settled.has(seq)) {
      if (known.goesOn) account(this.#parts, known.process, intent)
      this.#open.set(seq, intent)
      return
    }
    known.dangling.set(entry.call, intent)
    if (entry.syscall !== 'clock.sleep' || intent.text === undefined) return
    const { ms } = decoded(entry.syscall, intent.text) as { readonly ms: number }
    this.#parts.drivers.clock.owe(known.process, entry.call, ms)
  }

  #outcome(seq: number, known: Known, outcome: Past<'outcome'>, text: TextOf): void {
    const { process, goesOn, posted } = known
    const intent = this.#open.get(outcome.intent)
    this.#open.delete(outcome.intent)
    if (intent === undefined) return
    const { syscall, resource } = intent.entry
    const { labels = noLabels } = outcome
    const isThere = !goesOn && this.#effects.has({ agent: process.name, syscall, resource, seq })
    if (outcome.status === 'committed' && changesKernel(syscall, resource) && !isThere) {
      const args = decoded(syscall, need(intent.text, 'its arguments are not kept'))
      const payload = intent.argsRef.hash
      this.#effects.redo({ seq, process, syscall, payload, args, labels })
      if (syscall === 'proc.sigmask') takePending(process, posted)
    }
    process.takeOn(labels)
    if (goesOn && outcome.cost !== undefined) accountCost(process, outcome.cost)
    if (goesOn && outcome.status === 'committed')
      this.#learn(process, intent, joinLabels(labels, outcome.released ?? noLabels), text(outcome.result))
  }

  /** What came from outside, or from what is not trusted, is known as that. */
  #learn(process: Process, { entry, text }: PastIntent, labels: Labels, result: string | undefined): void {
    if (text === undefined || result === undefined) return
    const { drivers, runs: _, runMemory } = this.#parts
    const args = decoded(entry.syscall, text) as never
    const row = findSyscall(entry.syscall)
    // Streams ended with their kernel, and what they gave in pieces is not put together again.
    const isStream = row.stream !== undefined
    const external = !isStream && (row.external?.(args, drivers, process) ?? false)
    const suspect = suspectOf({ row }, labels, process)
    if (suspect.includes(untrustedLabel) || isForeign({ row, args, external }, drivers, process))
      runMemory.received(process, JSON.parse(result) as Json, suspect)
  }

  #refusal({ process, goesOn, asks }: Known, refusal: Past<'refusal'>, text: TextOf): void {
    process.turns.called(refusal.call)
    asks.delete(refusal.call)
    if (goesOn) accountRefusal(process, refusal, text(refusal.args))
  }

  #ask({ seq }: Entry, { asks, process }: Known, ask: Past<'ask'>, text: string | undefined): void {
    const { call, syscall, id, expires } = ask
    process.turns.called(call)
    const isOpen = !this.#parts.answered.has(seq)
    const request = isOpen ? { id, leftMs: expires - this.#parts.time } : undefined
    asks.set(call, { seq, syscall, text, request })
  }

  #state(known: Known, { to }: Past<'state'>): void {
    const isHeld = to === 'stopping' || to === 'stopped'
    const { turns } = known.process
    if (isHeld && !known.isHeld) known.heldAt = turns.time
    // While it was stopped its time stood still.
    if (!isHeld && known.isHeld)
      turns.resume({ count: turns.count, lastCall: turns.lastCall, time: known.heldAt })
    known.isHeld = isHeld
    if (!isHeld) takePending(known.process, known.posted)
  }

  #releasedFile(seq: number, { agent, path, labels }: Past<'declassify'>): void {
    if (agent === undefined || path === undefined || this.#parts.included.files(agent, seq)) return
    const tree = this.#parts.treeOfAgent(agent)
    if (!tree.resolve(path).mount.external) tree.releaseAt(path).release(labels)
  }

  #signal(known: Known, signal: Past<'signal'>): void {
    const sender = this.#known.get(Number(/^by process (\d+)$/.exec(signal.by)?.[1]))
    const { entry } = sender?.latest ?? {}
    // Who sent it was not answered, and sends it again.
    if (entry?.syscall === 'proc.signal' && sender?.dangling.has(entry.call)) return
    signalled(known, signal)
  }

  /** Accounts for a call that is not made again. */
  account(process: Process, intent: PastIntent): void {
    account(this.#parts, process, intent)
  }
}

type TextOf = (ref: PayloadRef | undefined) => string | undefined

function need(text: string | undefined, why: string): string {
  if (text === undefined) throw new EvidenceError('EIO', why)
  return text
}

function turned({ process, posted }: Known, { turn, after, at, replies }: Past<'turn'>): void {
  process.turns.resume({ count: turn, lastCall: after, time: at })
  for (const reply of replies) {
    const index = typeof reply === 'string' ? posted.indexOf(reply) : -1
    if (index >= 0) posted.splice(index, 1)
  }
}

/** What the kernel raised by itself did nothing but what stands on record beside it. */
function signalled({ process, posted, isHeld }: Known, { signal, by }: Past<'signal'>): void {
  if (!signals[signal].catchable || by.startsWith(`by ${byKernel}`)) return
  const { dispositions } = process
  if (isHeld || dispositions.isMasked(signal)) return void dispositions.queue(signal)
  took(process, signal, posted)
}

function took({ dispositions }: Process, signal: SignalName, posted: SignalName[]): void {
  if (dispositions.of(signal) !== 'handler') return
  dispositions.handlerBegan(signal)
  posted.push(signal)
}

function takePending(process: Process, posted: SignalName[]): void {
  for (;;) {
    const next = process.dispositions.next()
    if (next === undefined) return
    took(process, next, posted)
  }
}

/** Of what an extraction gives, nothing is released again. */
function released({ process, goesOn }: Known, { by, labels }: Past<'declassify'>, value?: string): void {
  if (goesOn && value !== undefined && by !== 'proc.extract') process.releases.add(JSON.parse(value), labels)
}

const isRef = (value: unknown): value is PayloadRef =>
  typeof value === 'object' && value !== null && 'hash' in value && 'bytes' in value

type Read = { [Kind in PastKind]: { readonly kind: Kind } & Record<Kind, Past<Kind>> }[PastKind]

/** @throws EvidenceError for an entry that matters and is not sound */
function readPast(entry: Entry): Read | undefined {
  const { kind } = entry
  if (!Object.hasOwn(pastEntries, kind)) return undefined
  const read = pastEntries[kind as PastKind].safeParse(entry)
  if (!read.success)
    throw new EvidenceError(
      'EIO',
      `entry ${entry.seq} is no sound \`${kind}\`: see \`${read.error.issues[0]?.path.join('.')}\``,
    )
  return { kind, [kind]: read.data } as unknown as Read
}
