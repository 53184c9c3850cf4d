/** A policy, tried on what has happened: every recorded decision is taken again, and nothing is run. */
import type { Entry } from '../evidence/entry.ts'
import type { Json, JsonObject } from '../json.ts'
import type { PolicySet } from '../policy/types.ts'
import { Budgets } from './budgets.ts'
import { type RecordedCall, readJson, unsound } from './call.ts'
import { Calls } from './calls.ts'
import { Choices, keyOf } from './choice.ts'
import { type Evidence, type Item, readAll, type TextOf } from './collect.ts'
import { Doubts } from './doubts.ts'
import { Flow } from './flow.ts'
import { Past } from './past.ts'
import { Policies } from './policies.ts'
import { Rebuilt } from './rebuilt.ts'
import { type Backtest, Tally } from './result.ts'
import { readBeginning } from './spawn.ts'

export interface BacktestOptions {
  /** What is tried in place of every policy of the application; `recorded`: what was in force, which changes nothing. */
  readonly policy: PolicySet | 'recorded'
  /** Of which runs the result tells; of all where it is left out. The others are read too, since runs know of each other. */
  readonly runs?: ReadonlySet<string>
  /** How many calls each row of the result shows. */
  readonly examples?: number
}

const examplesUsual = 3

/**
 * @param evidence a record, oldest entry first; read once, with what is kept for processes and runs that go on
 * @returns what would be decided otherwise
 * @throws EvidenceError EIO at a line that is not an entry or does not say what it has to, with its place
 */
export function backtest(evidence: Evidence, options: BacktestOptions): Backtest {
  const tester = new Backtester(options)
  return tester.read(evidence)
}

class Backtester {
  readonly #options: BacktestOptions
  readonly #doubts = new Doubts()
  readonly #policies: Policies
  readonly #past: Past
  readonly #flow = new Flow()
  readonly #tools = new Map<string, JsonObject>()
  readonly #tally: Tally
  readonly #budgets: Budgets
  readonly #calls: Calls
  readonly #live = new Map<string, Rebuilt>()
  #isFirst = true

  constructor(options: BacktestOptions) {
    this.#options = options
    const { policy, examples = examplesUsual } = options
    this.#policies = new Policies(policy)
    this.#past = new Past(this.#doubts)
    this.#tally = new Tally(examples)
    this.#budgets = new Budgets(this.#tally)
    const parts = { doubts: this.#doubts, policies: this.#policies, past: this.#past, flow: this.#flow }
    this.#calls = new Calls({ ...parts, tally: this.#tally, tools: this.#tools })
  }

  read(evidence: Evidence): Backtest {
    this.#tally.entries = readAll(evidence, new Choices(this.#policies), (item, textOf) =>
      this.#take(item, textOf),
    )
    this.#calls.end()
    return this.#tally.result()
  }

  #take({ entry, call }: Item, textOf: TextOf): void {
    if (this.#isFirst && entry.seq > 0) this.#past.beginsWith(JSON.stringify(entry))
    if (this.#isFirst && this.#options.policy !== 'recorded') this.#past.prepare(this.#options.policy.needs)
    this.#isFirst = false
    this.#past.time = entry.time
    if (call !== undefined) return this.#call(call, entry, textOf)
    switch (entry.kind) {
      case 'open':
        this.#live.clear()
        this.#tools.clear()
        this.#calls.end()
        for (const tool of listOf(readJson(textOf(entry.tools))))
          if (isObject(tool)) this.#tool(tool.name, tool.parameters)
        return this.#inForce(entry, textOf)
      case 'reload':
        // Of one process: what it has of its own has not changed.
        return entry.pid === undefined ? this.#inForce(entry, textOf) : undefined
      case 'spawn':
        return this.#spawn(entry, textOf)
      case 'outcome':
        return this.#calls.outcome(entry, textOf)
      case 'exit':
        return this.#exit(entry)
      case 'host':
        return this.#host(entry, textOf)
      default:
        return this.#declassify(entry)
    }
  }

  #inForce(entry: Entry, textOf: TextOf): void {
    const { policy, documents } = entry
    if (typeof policy !== 'string') throw unsound(entry)
    this.#policies.inForce(policy, textOf(documents))
    const set = this.#policies.under('none')
    if (set !== undefined) this.#past.prepare(set.needs)
  }

  #spawn(entry: Entry, textOf: TextOf): void {
    const { beginning, labels } = readBeginning(entry, this.#live, this.#policies, textOf)
    if (beginning.parent === undefined && entry.ppid === 0 && this.#isTold(beginning.run)) this.#tally.run()
    if (beginning.parent === undefined && entry.ppid !== 0) return
    // What it goes on from it did in another run: nothing is known of that here.
    if (entry.fork !== undefined) return
    const process = new Rebuilt(beginning, this.#policies, this.#past.clock, this.#doubts)
    this.#live.set(keyOf(entry), process)
    this.#flow.begin(process, labels)
    const task = entry.args === undefined ? [] : readJson(textOf(entry.args))
    this.#past.begin(process, Array.isArray(task) ? (task as readonly Json[]) : undefined)
  }

  #exit(entry: Entry): void {
    const process = this.#live.get(keyOf(entry))
    if (process === undefined) return
    const isTold = this.#isTold(process.identity.run)
    if (isTold) this.#budgets.ended(process, entry.seq, entry.time, entry.usage as never)
    this.#calls.over(process)
    this.#flow.over(process)
    this.#past.runs.end(process)
    this.#live.delete(keyOf(entry))
    if (process.parent === undefined) this.#tally.over(process.identity.run)
  }

  #host(entry: Entry, textOf: TextOf): void {
    const { syscall, resource, args, wrapped } = entry
    if (syscall !== 'tool.register') return this.#flow.hostActed()
    const parameters = readJson(textOf(args))
    if (entry.pid === undefined) this.#tool(resource, parameters)
    else if (isObject(parameters))
      this.#live.get(keyOf(entry))?.wrapped.set(`${wrapped} ${resource}`, parameters)
  }

  #tool(name: unknown, parameters: Json | undefined): void {
    if (typeof name === 'string' && isObject(parameters)) this.#tools.set(name, parameters)
  }

  #declassify(entry: Entry): void {
    const process = this.#live.get(keyOf(entry))
    if (process !== undefined) this.#flow.released(process)
    else this.#flow.hostActed()
  }

  #call(call: RecordedCall, entry: Entry, textOf: TextOf): void {
    const process = this.#live.get(keyOf(entry))
    const isTold = this.#isTold(call.run)
    this.#calls.take(process, { call, text: textOf(call.args), isTold })
    if (process !== undefined && isTold && call.kind !== 'ask')
      this.#budgets.charged(process, call.seq, call.time)
  }

  #isTold(run: string): boolean {
    return this.#options.runs?.has(run) !== false
  }
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])
