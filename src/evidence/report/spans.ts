/** A run as spans of a trace (OpenTelemetry): one for each process and each call; ids follow from the record alone. */
import { hash } from 'node:crypto'
import { limits } from '../../limits.ts'
import type { Entry } from '../entry.ts'
import { isObject, numberOf, textOf, textsOf } from './fields.ts'
import { Newest } from './newest.ts'
import {
  type Attributes,
  attributesOf,
  costOf,
  optional,
  payloadNames,
  some,
  titleOf,
  usageOf,
} from './span-fields.ts'

/** What befalls a process between its calls, or after them. */
const happenings: ReadonlySet<string> = new Set(['signal', 'declassify', 'charge'])

export interface SpanEvent {
  readonly name: string
  /** Kernel time, ms since 1970. */
  readonly time: number
  readonly attributes: Attributes
}

export interface Span {
  /** 16 and 8 bytes, as hex. */
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  /** Whether it asks another system. */
  readonly isClient: boolean
  /** Kernel time, ms since 1970. */
  readonly start: number
  readonly end: number
  readonly attributes: Attributes
  readonly events: readonly SpanEvent[]
  /** Why it failed; undefined where it did not. */
  readonly failure: string | undefined
  /** Hashes of payloads, by the attribute that would hold their text. */
  readonly payloads: Readonly<Record<string, string>>
}

/** A span whose end is not known yet. */
interface Begun {
  readonly first: Entry
  readonly parentSpanId: string | undefined
  readonly start: number
  readonly events: SpanEvent[]
}

/** What a span is told of its end. */
interface Ending {
  readonly end: number
  readonly attributes: Attributes
  readonly failure: string | undefined
}

export class Spans {
  readonly #traceId: string
  readonly #run: string
  readonly #processes = new Map<number, Begun>()
  /** Span ids of processes that have ended too: a call may settle later. */
  readonly #ids = new Map<number, string>()
  readonly #calls = new Newest<number, Begun>()
  readonly #asks = new Newest<number, Entry[]>()
  #newest = 0

  constructor(run: string) {
    this.#run = run
    this.#traceId = hash('sha256', `gatehouse trace\n${run}`, 'hex').slice(0, 32)
  }

  /** @returns the spans that end with the entry; every entry of the run has to be shown to it, in order */
  add(entry: Entry): readonly Span[] {
    this.#newest = entry.time
    switch (entry.kind) {
      case 'spawn':
        this.#spawned(entry)
        return []
      case 'ask':
        this.#asks.set(entry.seq, [entry])
        return []
      case 'answer':
        this.#asks.get(Number(entry.ask))?.push(entry)
        return []
      case 'intent':
        this.#calls.set(entry.seq, this.#begin(entry))
        return []
      case 'refusal':
        return [this.#refused(entry)]
      case 'outcome':
        return this.#settled(entry)
      case 'exit':
        return this.#exited(entry)
      default:
        this.#happened(entry)
        return []
    }
  }

  /** @returns what has no end on record; it ends, for the trace, with the newest entry of the run */
  end(): readonly Span[] {
    const calls = [...this.#calls.values()].map((call) =>
      this.#close(call, {
        end: this.#newest,
        attributes: { 'gatehouse.outcome': 'unsettled', 'error.type': 'unsettled' },
        failure: 'whether it took effect is not on record',
      }),
    )
    const processes = [...this.#processes.values()].map((process) =>
      this.#close(process, {
        end: this.#newest,
        attributes: { 'gatehouse.exit.status': 'running' },
        failure: undefined,
      }),
    )
    return [...calls, ...processes]
  }

  #spawned(entry: Entry): void {
    const { pid = 0 } = entry
    const parentSpanId = this.#ids.get(Number(entry.ppid))
    this.#processes.set(pid, { first: entry, parentSpanId, start: entry.time, events: [] })
    this.#ids.set(pid, this.#idOf(entry))
  }

  /** A call that a person was asked about begins with the question. */
  #begin(entry: Entry): Begun {
    const asked = this.#asks.take(Number(entry.ask)) ?? []
    const parentSpanId = this.#ids.get(entry.pid ?? 0)
    const events = asked.map((each) => ({
      name: `gatehouse.${each.kind}`,
      time: each.time,
      attributes: {
        'gatehouse.entry': each.seq,
        'gatehouse.approval.id': textOf(each.id),
        'gatehouse.approval.answer': optional(each.answer),
        'gatehouse.approval.by': optional(each.by),
      },
    }))
    return { first: entry, parentSpanId, start: asked[0]?.time ?? entry.time, events }
  }

  #refused(entry: Entry): Span {
    const { code, reason } = entry
    return this.#close(this.#begin(entry), {
      end: entry.time,
      attributes: { 'gatehouse.outcome': 'refused', 'error.type': textOf(code) },
      failure: textOf(reason),
    })
  }

  #settled(entry: Entry): readonly Span[] {
    const call = this.#calls.take(Number(entry.intent))
    if (call === undefined) return []
    const status = textOf(entry.status)
    const hasFailed = status !== 'committed'
    const span = this.#close(call, {
      end: entry.time,
      attributes: {
        'gatehouse.outcome': status,
        'gatehouse.outcome.entry': entry.seq,
        'gatehouse.outcome.labels': some(textsOf(entry.labels)),
        ...costOf(entry),
        'error.type': hasFailed ? textOf(entry.code) || status : undefined,
      },
      failure: hasFailed ? textOf(entry.reason) || status : undefined,
    })
    return [{ ...span, payloads: { ...span.payloads, ...payloadNames(call.first, entry) } }]
  }

  #exited(entry: Entry): readonly Span[] {
    const { pid = 0, status, signal, error, reason } = entry
    const process = this.#processes.get(pid)
    this.#processes.delete(pid)
    if (process === undefined) return []
    const hasFailed = status !== 'exited'
    const code = isObject(error) ? textOf(error.code) : ''
    const span = this.#close(process, {
      end: entry.time,
      attributes: {
        'gatehouse.exit.status': textOf(status),
        'gatehouse.exit.entry': entry.seq,
        'gatehouse.exit.labels': some(textsOf(entry.labels)),
        ...usageOf(entry),
        'error.type': hasFailed ? textOf(signal) || code || textOf(status) : undefined,
      },
      failure: hasFailed ? textOf(reason) || textOf(status) : undefined,
    })
    return [{ ...span, payloads: { ...span.payloads, ...payloadNames(process.first, entry) } }]
  }

  /** What befalls a process between its calls. */
  #happened(entry: Entry): void {
    const events = this.#processes.get(entry.pid ?? 0)?.events
    if (events === undefined || events.length >= limits.reportNamesMax) return
    if (!happenings.has(entry.kind)) return
    events.push({
      name: `gatehouse.${entry.kind}`,
      time: entry.time,
      attributes: {
        'gatehouse.entry': entry.seq,
        'gatehouse.signal': optional(entry.signal),
        'gatehouse.by': optional(entry.by),
        ...(entry.kind === 'charge' && { 'gatehouse.intent': numberOf(entry.intent), ...costOf(entry) }),
        'gatehouse.labels': some(textsOf(entry.labels)),
      },
    })
  }

  #idOf({ seq }: Entry): string {
    return hash('sha256', `gatehouse span\n${this.#run}\n${seq}`, 'hex').slice(0, 16)
  }

  #close({ first, parentSpanId, start, events }: Begun, { end, attributes, failure }: Ending): Span {
    return {
      traceId: this.#traceId,
      spanId: this.#idOf(first),
      parentSpanId,
      ...titleOf(first),
      start,
      end: Math.max(start, end),
      attributes: { ...attributesOf(first), ...attributes },
      events,
      failure,
      payloads: payloadNames(first, first),
    }
  }
}
