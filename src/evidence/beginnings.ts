/** Entries by which kernels and processes begin, and by which agent code goes on. */
import type { Json } from '../json.ts'
import type { PayloadRef } from './entry.ts'

/** A kernel begins to write. */
export type OpenBody = {
  readonly kind: 'open'
  readonly policy: string
  readonly policies: string
  /** Canonical text of all policies of the kernel. */
  readonly documents: PayloadRef
  readonly isolation: string
  /** Of Node.js, V8 and, where it is known, gatehouse. */
  readonly versions: { readonly node: string; readonly v8: string; readonly gatehouse?: string }
  /** The tools that there are, with what each takes. */
  readonly tools?: PayloadRef
  readonly protections?: Json
  /**
   * What is within the kernel is as it was after that entry: the effects up to there that stay in the kernel are done
   * again, in their order. `as` is the run that goes on in place of `run`, where that is forked.
   */
  readonly from?: { readonly seq: number; readonly run?: string; readonly as?: string }
}

/** A process begins. */
export type SpawnBody = {
  readonly kind: 'spawn'
  readonly run: string
  readonly pid: number
  readonly ppid: number
  readonly agent: string
  readonly isolation: string
  readonly labels: readonly string[]
  /** SHA-256 of the text of `documents`: all policies that it is under, in canonical form. */
  readonly policy: string
  readonly documents: PayloadRef
  /** Milliseconds, bytes, US dollars, counts. */
  readonly budget: Json
  readonly extraction?: true
  readonly cell?: string
  /** Where it goes on from: the process of the same pid of another run, as it was after that entry. */
  readonly fork?: { readonly run: string; readonly seq: number }
  /** What it stands for, where that is an object of a framework that the application has wrapped: its name and version. */
  readonly framework?: string
  /** Of its first call, as a JSON array, or what a wrapped object was asked; absent for another function of the application. */
  readonly args?: PayloadRef
  /** The text of the ES module that runs, and how stacks name it; absent for code of the application, as all that follows. */
  readonly program?: PayloadRef
  readonly filename?: string
  /** Leads from that text to the author's files and lines: a source map (ECMA-426), as JSON; of a program that was bundled. */
  readonly map?: PayloadRef
  /** What the guest began with: time, seed, doors; as JSON. */
  readonly boot?: PayloadRef
}

/** What agent code is given next: all that it learns from outside until it has run to its end. */
export type TurnBody = {
  readonly kind: 'turn'
  readonly run: string
  readonly pid: number
  /** From 2: the first turn is the start. */
  readonly turn: number
  /** The process's own number of the last call that it made before; 0 where it made none. */
  readonly after: number
  /** The process's own time, ms since 1970; it stands still while the turn lasts. */
  readonly at: number
  /** In their order: the `seq` of the entry that ended a call, or the name of a signal that it handles. */
  readonly replies: readonly (number | string)[]
}

/** A process is made again from the record: its guest repeats these turns, and then goes on live. */
export type RebuildBody = {
  readonly kind: 'rebuild'
  readonly run: string
  readonly pid: number
  /** Its cell was gone, its kernel was, or another run begins where it was. */
  readonly cause: 'cell' | 'resume' | 'fork'
  readonly reason: string
  /** The last turn that is repeated. */
  readonly turn: number
}

/** In a run that goes on from another one, a call of that one gave something else. Before its processes begin. */
export type EditBody = {
  readonly kind: 'edit'
  readonly run: string
  /** The `seq` of the outcome. */
  readonly outcome: number
  readonly result: PayloadRef
}

/** A file beside the log holds what the kernel's state was: derived from the entries, and believed only with this hash. */
export type SnapshotBody = {
  readonly kind: 'snapshot'
  /** The entry after which it was taken, and the first one that has to be read with it. */
  readonly after: number
  readonly from: number
  /** Of the file, as hex, and its size in bytes. */
  readonly sha256: string
  readonly size: number
}
