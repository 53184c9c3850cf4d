/** What a policy is, what it is asked, and what it answers. */
import type { AddressClass } from '../grant.ts'
import type { Json } from '../json.ts'
import type { ArgumentType } from './arguments.ts'
import type { Content } from './content.ts'
import type { DataKind } from './detect/kinds.ts'
import type { Engine, EngineDocument } from './engines/engine.ts'
import type { History, HistoryQuery } from './history.ts'
import type { Origin } from './origin.ts'
import type { Pay } from './origin-page.ts'

/** Weakest first: where several apply, the last one counts. */
export const effects = ['permit', 'ask', 'forbid'] as const
export type Effect = (typeof effects)[number]

/** Strongest first. */
export const isolations = ['cell', 'inline', 'host'] as const
export type Isolation = (typeof isolations)[number]

export const modes = ['enforce', 'observe'] as const
/** Whether a policy decides, or only says what it would have decided. */
export type Mode = (typeof modes)[number]

/** Strictest first. */
export const cells = ['own', 'shared'] as const
/** Whether a process may share its cell with others of its agent and policy. */
export type Cell = (typeof cells)[number]

/** The signals that the kernel raises by itself and whose action a policy can set. */
export const raisedSignals = ['SIGPOLICY', 'SIGBUDGET', 'SIGLOOP'] as const
export type RaisedSignal = (typeof raisedSignals)[number]

/** Strictest first: end the process, stop it until somebody looks, or only put it on record. */
export const signalActions = ['kill', 'stop', 'record'] as const
export type SignalAction = (typeof signalActions)[number]

/** One question to a policy: may this principal do this action on this resource with these arguments? */
export interface Request {
  /** The agent's name. */
  readonly principal: string
  /** The syscall's name, such as `fs.read`. */
  readonly action: string
  /** A normalised absolute path, a URL as the parser wrote it, a tool's or an agent's name. */
  readonly resource: string
  readonly args: Json
  /** What `args` is made of, where the action itself does not say: a tool's schema, always the same object for one tool. */
  readonly argumentType?: ArgumentType & object
  /** What the call itself holds, for rules with `contains`; where it is not told, forbids and asks take it to hold all. */
  readonly content?: Content
  readonly isolation: Isolation
  /** What the process has read; a condition on labels that are not told forbids. */
  readonly labels?: readonly string[]
  /** Where a value has been seen; a condition on origins that are not told forbids. */
  readonly origin?: (value: Json, pay?: Pay) => Origin
  /** What has been done before; a condition on history that is not told forbids. */
  readonly history?: History
  /** What is left of the budget; a part without a limit is absent. */
  readonly budget?: () => Readonly<
    Partial<Record<'syscalls' | 'cpuMs' | 'tokens' | 'costUsd' | 'bits', number>>
  >
}

/** Where a rule stands, for messages and evidence. `policy` is the policy's name, never a host path. */
export interface RuleRef {
  readonly policy: string
  readonly id: string
  readonly line: number
}

/** What a policy, or several together, say to a request. */
export interface Verdict {
  readonly effect: Effect
  /** The rules that decided; empty where silence forbade. */
  readonly rules: readonly RuleRef[]
  /** Why, as the end of a sentence: "forbidden by rule `no-mail` (support-desk:12)", "no rule permits it; …". */
  readonly reason: string
}

export interface Decision extends Verdict {
  /** Address classes that the rules name which permit or ask (`net.fetch` only). */
  readonly addresses: readonly AddressClass[]
  /** What the rules that permit or ask demand beside; absent where they demand nothing. The gate holds calls to it. */
  readonly obligations?: readonly Obligation[]
  /** Kinds of data for which a deciding rule looked, and which the call may hold: nobody keeps such a call's text. */
  readonly sensitive?: readonly DataKind[]
  /** What an observing policy would have refused, had it been enforced. */
  readonly observed?: Verdict
}

/** What a rule demands beside: how often it may be used by one run (a first process and all below it), what its results carry, what of the call is shown and kept. */
export interface Obligation {
  readonly rule: RuleRef
  /** Labels of whatever comes back from the call. */
  readonly label?: readonly string[]
  readonly once?: true
  readonly rateLimit?: { readonly calls: number; readonly perMs: number }
  /** Kinds of data that are taken out of what comes back. */
  readonly redact?: readonly DataKind[]
  /** Arguments and result are on record by their digest only. */
  readonly log?: 'digest'
}

/** Limits of one process and its children. Absent means: the kernel's default. */
export interface Budget {
  readonly syscalls?: number
  readonly wallMs?: number
  readonly cpuMs?: number
  readonly memoryBytes?: number
  readonly tokens?: number
  readonly costUsd?: number
  readonly depth?: number
  /** What extractions may tell; 0 where no budget names it. */
  readonly bits?: number
}

/** A policy as people write it, in YAML, JSON or as an object; its schema is policies/schema.json. */
export interface PolicyDocument {
  readonly version: 1
  readonly name: string
  readonly extends?: string
  readonly for?: string
  readonly isolation?: Isolation
  readonly cell?: Cell
  readonly mode?: Mode
  readonly budget?: BudgetDocument
  readonly signals?: Readonly<Partial<Record<RaisedSignal, SignalAction>>>
  readonly loop?: { readonly repeats: number }
  readonly rules: readonly RuleDocument[]
}

/** Durations and sizes with their unit (`30m`, `64MiB`), cost in US dollars, the rest whole numbers. */
export interface BudgetDocument {
  readonly syscalls?: number
  readonly wall?: string
  readonly cpu?: string
  readonly memory?: string
  readonly tokens?: number
  readonly cost?: number | string
  readonly depth?: number
  readonly bits?: number
}

export interface RuleDocument {
  readonly id: string
  readonly effect: Effect
  readonly action: string | readonly string[]
  readonly resource?: string | readonly string[]
  readonly principal?: string | readonly string[]
  readonly addresses?: readonly AddressClass[]
  readonly when?: string
  readonly contains?: readonly DataKind[]
  readonly once?: true
  readonly rateLimit?: { readonly calls: number; readonly per: string }
  readonly label?: readonly string[]
  readonly redact?: readonly DataKind[]
  readonly log?: 'digest' | 'full'
  readonly for?: string
}

/** A policy that was read and found sound: units are numbers, lists are lists, every rule knows its line. */
export interface Policy {
  readonly name: string
  /** The preset or file that it narrows: where it says nothing, that one decides. It is always in force beside it. */
  readonly extends: string | undefined
  /** The weakest isolation it accepts; `host` where the document names none. */
  readonly isolation: Isolation
  /** `shared` where the document says nothing. */
  readonly cell: Cell
  readonly mode: Mode
  readonly budget: Budget
  /** Only what the document says; a signal that it does not name it has no opinion on. */
  readonly signals: Readonly<Partial<Record<RaisedSignal, SignalAction>>>
  readonly loopRepeats: number | undefined
  readonly rules: readonly Rule[]
  /** What judges in place of the rules, where the policy is in another language; its rules then only say what it consists of. */
  readonly engine?: Engine
  /** An agent gave it to its child: it refuses, and has no say in what is kept of calls. */
  readonly byAgent?: true
  /** The document as data; what the hash is made of. */
  readonly document: PolicyDocument | EngineDocument
  /** The document as the host wrote it. */
  readonly text: string
}

export interface Rule {
  readonly id: string
  /** Where it begins in the policy's text, from 1. */
  readonly line: number
  readonly effect: Effect
  /** As written: names of actions, `fs.*` or `*`. */
  readonly actions: readonly string[]
  /** Patterns; undefined means any. */
  readonly resources: readonly string[] | undefined
  /** Patterns; undefined means any. */
  readonly principals: readonly string[] | undefined
  readonly addresses: readonly AddressClass[]
  /** A condition in CEL; undefined means always. */
  readonly when: string | undefined
  /** Kinds of data of which the call has to hold one; undefined means whatever it holds. */
  readonly contains: readonly DataKind[] | undefined
  /** What it demands beside; undefined where nothing. */
  readonly demands: Omit<Obligation, 'rule'> | undefined
}

/** What conditions ask of the kernel beside the call itself, so that it is kept in time. */
export interface Needs {
  /** Whether any asks where a value has been seen. */
  readonly origins: boolean
  /** What they ask about history, each question once. */
  readonly history: readonly HistoryQuery[]
}

/** Policies that must all agree, compiled. */
export interface PolicySet {
  /** Names joined by ` + `, for people. */
  readonly name: string
  /** SHA-256 over the canonical form of all documents, as hex. */
  readonly hash: string
  /** `observe` where no policy of the set is enforced. */
  readonly mode: Mode
  /** The weakest isolation that every enforced policy accepts. */
  readonly isolation: Isolation
  /** `own` where any enforced policy says so. */
  readonly cell: Cell
  /** The minimum of all enforced budgets. */
  readonly budget: Budget
  /** What a signal that the kernel raises does: the strictest that an enforced policy says, else the default. */
  readonly signals: Readonly<Record<RaisedSignal, SignalAction>>
  /** How often the same call or cycle of calls may follow itself until SIGLOOP; undefined where no policy says. */
  readonly loopRepeats: number | undefined
  readonly needs: Needs
  /** The documents as the host wrote them; what a process reads under /policy. */
  readonly documents: readonly { readonly name: string; readonly text: string; readonly file?: string }[]
  /** What the set was compiled from, the outermost first. */
  readonly policies: readonly Policy[]
  decide(request: Request): Decision
  /**
   * Whether it is certain, without looking at files, that all these actions are permitted on everything below a folder;
   * for calls that take a whole folder at once.
   */
  permitsBelow(principal: string, actions: readonly string[], folder: string): boolean
}
