/** Requests that together try everything that rules tell apart: one for each way in which their patterns can match. */
import type { Json, JsonObject } from '../json.ts'
import { limits } from '../limits.ts'
import { type Action, actions, expandAction } from './actions.ts'
import { type Atoms, nameAtoms, pathAtoms, urlPathAtoms } from './atoms.ts'
import { Content } from './content.ts'
import { samples } from './detect/kinds.ts'
import { origins } from './origin.ts'
import { plainArguments } from './plain.ts'
import { type Isolation, isolations, type PolicySet, type Request, type Rule } from './types.ts'

/** One request, and what it supposes beside itself, as a clause: where values have been seen, and what has been done. */
export interface Probe extends Request {
  readonly supposed?: string
}

export interface Probes {
  readonly requests: readonly Probe[]
  /** What is only sampled, as clauses; empty where the requests stand for all there are. */
  readonly sampled: readonly string[]
}

/** @param sets whose rules are to be told apart */
export function probesFor(sets: readonly PolicySet[]): Probes {
  const sampled = new Set<string>()
  const rules = sets.flatMap(({ policies }) => policies.flatMap((policy) => policy.rules))
  const floors = new Set(sets.map(({ isolation }) => isolation))
  const levels: readonly Isolation[] = floors.size > 1 ? isolations : ['cell']
  const requests = Object.keys(actions).flatMap((name) =>
    expandAction(name).flatMap((action) => ofAction(action, rules, levels, sampled)),
  )
  return { requests, sampled: [...sampled] }
}

function ofAction(
  action: Action,
  all: readonly Rule[],
  levels: readonly Isolation[],
  sampled: Set<string>,
): readonly Probe[] {
  const rules = all.filter((rule) => rule.actions.some((pattern) => expandAction(pattern).includes(action)))
  const note = ({ witnesses, complete }: Atoms, what: string): readonly string[] => {
    if (!complete) sampled.add(`the ${what} of ${action}, of which there are too many kinds`)
    return witnesses
  }
  const patterns = [...new Set(rules.flatMap(({ resources }) => resources ?? []))]
  const resources = note(resourceAtoms(action, patterns), 'resources')
  const principals = note(nameAtoms([...new Set(rules.flatMap((rule) => rule.principals ?? []))]), 'agents')
  const conditions = rules.flatMap(({ when }) => when ?? [])
  if (conditions.length > 0) sampled.add(`the conditions on ${action}`)
  const kinds = [...new Set(rules.flatMap(({ contains }) => contains ?? []))]
  if (kinds.length > 0) sampled.add(`the data that ${action} holds`)
  const held = kinds.map((kind) => samples[kind])
  const texts = kinds.length === 0 ? [''] : ['', ...held, held.join('\n')]
  const contents = [...new Set(texts)].map((text) => ({ text, content: Content.of(text) }))
  const contexts = contextsOf(conditions)
  const requests = resources.flatMap((resource) =>
    principals.flatMap((principal) =>
      levels.flatMap((isolation) =>
        contexts.flatMap(({ args, labels, past = () => never }) => {
          const given = plainArguments(action, resource, args)
          const plain = { principal, action, resource, isolation, labels, args: given, budget: () => ({}) }
          return contents.map(({ content }): Probe => ({ ...plain, ...past(principal), content }))
        }),
      ),
    ),
  )
  if (requests.length <= limits.probesMax) return requests
  sampled.add(`${action}, of which there are too many combinations`)
  return requests.slice(0, limits.probesMax)
}

function resourceAtoms(action: Action, patterns: readonly string[]): Atoms {
  const kind = actions[action].resource
  if (kind === 'path') return pathAtoms(patterns)
  return kind === 'name' ? nameAtoms(patterns) : urlAtoms(patterns)
}

interface UrlParts {
  readonly hosts: readonly string[]
  readonly ports: readonly string[]
  readonly path: string
  readonly queries: readonly string[]
}

function urlAtoms(patterns: readonly string[]): Atoms {
  const label = freshLabel(patterns)
  const parts = patterns.map((pattern) => partsOf(pattern, label))
  const hosts = new Set([`${label}.example`, ...parts.flatMap((it) => it.hosts)])
  const ports = new Set(['', ':4321', ...parts.flatMap((it) => it.ports)])
  const queries = new Set(['', ...parts.flatMap((it) => it.queries)])
  const paths = urlPathAtoms([...new Set(parts.map(({ path }) => path))])
  const urls = new Set<string>()
  for (const host of hosts)
    for (const port of ports)
      for (const path of paths.witnesses)
        for (const query of queries)
          for (const scheme of ['https', 'http']) {
            if (urls.size >= limits.probesMax) return { witnesses: [...urls], complete: false }
            const url = URL.parse(`${scheme}://${host}${port}${path}${query}`)
            if (url !== null) urls.add(url.href)
          }
  return { witnesses: [...urls], complete: paths.complete && queries.size === 1 }
}

/** Every host that a pattern tells from others, with one that it does not name. */
function partsOf(pattern: string, label: string): UrlParts {
  const [, authority = '', path = '/', , query] =
    /^https?:\/\/([^/?#]*)([^?#]*)(\?([^#]*))?$/.exec(pattern) ?? []
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(:.*)?$/.exec(authority) ?? []
  const name = host.startsWith('*.') ? host.slice(2) : host
  const hosts = host === '*' ? [] : name.startsWith('[') ? [name] : [name, `${label}.${name}`]
  const ports = port === '' || port === ':*' ? [] : [port]
  const queries = query === undefined ? [] : ['', 'x'].map((run) => `?${query.replaceAll('*', run)}`)
  return { hosts, ports, path, queries }
}

/** A name for a host that no pattern has. */
function freshLabel(patterns: readonly string[]): string {
  const all = patterns.join(' ')
  let label = 'other'
  while (all.includes(label)) label += 'x'
  return label
}

interface Context {
  readonly args: JsonObject
  readonly labels: readonly string[]
  readonly past?: (principal: string) => Past
}

type Past = Pick<Probe, 'origin' | 'history' | 'supposed'>

/** Nothing has been seen, and nothing done. */
const never: Past = { origin: () => 'unknown', history: { count: () => 0, agents: () => [] } }

/** What is supposed where conditions ask for it: one origin of all values, one count of all deeds, done by who asks or not. */
function pastsOf(text: string, counts: readonly number[]): readonly ((principal: string) => Past)[] {
  const asksOrigins = text.includes('origin')
  const asksHistory = text.includes('history')
  if (!asksOrigins && !asksHistory) return []
  return (asksOrigins ? origins : (['unknown'] as const)).flatMap((origin) =>
    (asksHistory ? counts : [0]).map((count) => (principal: string) => {
      const supposed = [
        ...(asksOrigins ? [`values are of origin ${origin}`] : []),
        ...(asksHistory ? [`the agent has done what is counted ${count} times`] : []),
      ]
      const agents = count === 0 ? [] : [principal]
      return {
        origin: () => origin,
        history: { count: () => count, agents: () => agents },
        supposed: supposed.join(' and '),
      }
    }),
  )
}

/** What conditions name, tried in turn: each text as a label, each number, with its neighbours, as each whole number of a call. */
function contextsOf(conditions: readonly string[]): readonly Context[] {
  if (conditions.length === 0) return [{ args: {}, labels: [] }]
  const text = conditions.join('\n')
  const texts = [...new Set([...text.matchAll(/"([^"\\]*)"|'([^'\\]*)'/g)].map(([, a, b]) => a ?? b ?? ''))]
  const numbers = [...new Set([...text.matchAll(/\b\d{1,15}\b/g)].map(([digits]) => Number(digits)))]
  const near = [...new Set([0, ...numbers.flatMap((it) => [Math.max(0, it - 1), it, it + 1])])]
  const fields = [...new Set([...text.matchAll(/\bargs\.(\w+)/g)].map(([, field = '']) => field))]
  const values: readonly Json[] = [...near, ...texts, true, []]
  const single = fields.flatMap((field) => values.map((value) => ({ args: { [field]: value }, labels: [] })))
  const alike = values.map((value) => ({
    args: Object.fromEntries(fields.map((it) => [it, value])),
    labels: [],
  }))
  const present = Object.fromEntries(fields.map((field) => [field, 'x']))
  const pasts = pastsOf(text, [...new Set([...near, 1])])
  const supposing = pasts.flatMap((past) => [
    { args: {}, labels: [], past },
    { args: present, labels: [], past },
  ])
  const labelled = [...texts.map((it) => [it]), texts].map((labels) => ({ args: {}, labels }))
  return [
    { args: {}, labels: [] },
    ...supposing.slice(0, contextsMax / 2),
    ...labelled,
    ...alike,
    ...single,
  ].slice(0, contextsMax)
}

/** Ways in which conditions are tried for each resource. */
const contextsMax = 60
