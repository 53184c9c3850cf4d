/** A run as an in-toto Statement v1: what its record consists of, under which policies, and what came of it. */
import { hash } from 'node:crypto'
import { canonicalText } from '../canonical.ts'
import type { Entry } from '../entry.ts'
import { decisionOf, isoTime, textOf } from './fields.ts'
import type { RunManifest } from './manifest.ts'
import { type Stats, StatsCounter } from './stats.ts'

export const statementPayloadType = 'application/vnd.in-toto+json'

/** Documented in docs/decisions/evidence-exports.md. */
export const runPredicateType = 'urn:gatehouse:predicate:run:v1'

export interface RunPredicate {
  readonly run: string
  readonly began: string
  /** Time of its newest entry. */
  readonly until: string
  /** Whether the end of every one of its processes is on record. */
  readonly ended: boolean
  readonly agents: readonly string[]
  /** Hashes of the policy sets that decided, in the order in which they came into force. */
  readonly policies: readonly string[]
  readonly calls: Stats['calls']
  readonly outcomes: Stats['outcomes']
  readonly refusals: Stats['refusals']
  readonly approvals: Stats['answers']
  readonly processes: Stats['ended']
  readonly costs: Stats['costs']
  readonly manifest: RunManifest
}

export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v1'
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[]
  readonly predicateType: string
  readonly predicate: RunPredicate
}

/** @returns what `gatehouse evidence manifest` prints, whose SHA-256 is the first subject */
export const manifestText = (manifest: RunManifest): string => `${canonicalText(manifest)}\n`

/**
 * A file that goes on growing has no digest that lasts, so of files only those that are finished are subjects; the
 * manifest, the first subject, names the beginnings of the others.
 * @param entries all of the run
 */
export function makeStatement(manifest: RunManifest, entries: Iterable<Entry>): Statement {
  const finished = manifest.files.filter(({ whole }) => whole)
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [
      {
        name: `run-${manifest.run}.manifest.json`,
        digest: { sha256: hash('sha256', manifestText(manifest), 'hex') },
      },
      ...finished.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    ],
    predicateType: runPredicateType,
    predicate: predicateOf(manifest, entries),
  }
}

function predicateOf(manifest: RunManifest, entries: Iterable<Entry>): RunPredicate {
  const counter = new StatsCounter()
  const agents = new Set<string>()
  const policies = new Set<string>()
  for (const entry of entries) {
    if (entry.seq > manifest.entries.last) break
    counter.add(entry)
    if (entry.kind === 'spawn') {
      agents.add(textOf(entry.agent))
      policies.add(textOf(entry.policy))
    }
    const policy = decisionOf(entry)?.policy
    if (policy !== undefined && policy !== '') policies.add(policy)
  }
  const { span, calls, outcomes, refusals, answers, ended, costs } = counter.result()
  return {
    run: manifest.run,
    began: isoTime(span?.first ?? 0),
    until: isoTime(span?.last ?? 0),
    ended: !Object.hasOwn(ended, 'running'),
    agents: [...agents],
    policies: [...policies],
    ...{ calls, outcomes, refusals, approvals: answers, processes: ended, costs, manifest },
  }
}
