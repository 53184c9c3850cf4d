/**
 * What one decision costs, at 1 to 10,000 rules of which at most 20 can match what is asked: `node test/bench/policy.ts`.
 * `--peers` asks other engines the same beside it, `--write` puts the tables into docs/benchmarks.md.
 */
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { compilePolicies } from '../../src/policy/compile.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { PolicyDocument, PolicySet, Request, RuleDocument } from '../../src/policy/types.ts'
import { percentile } from './measure.ts'
import { meaning, type Peer, peers, requestsOf, rulesOf } from './peers.ts'
import { shown, writeTable } from './report.ts'

const sizes = [1, 10, 100, 1_000, 10_000]
/** Decisions between two looks at the clock, which takes longer than one of them. */
const batch = 50
const batches = 1_000

interface Kind {
  readonly what: string
  readonly rule: (index: number) => Omit<RuleDocument, 'id' | 'effect'>
  readonly request: (index: number) => Pick<Request, 'action' | 'resource' | 'args'>
}

/** Rules of a policy as people write them: one folder, site or tool each, some under a condition. */
const kinds: Readonly<Record<string, Kind>> = {
  path: {
    what: 'fs.read, a folder a rule',
    rule: (index) => ({ action: ['fs.read', 'fs.list'], resource: `/data/team${index % 97}/p${index}/**` }),
    request: (index) => {
      const resource = `/data/team${index % 97}/p${index}/notes/a.md`
      return { action: 'fs.read', resource, args: { path: resource } }
    },
  },
  name: {
    what: 'tool.call, a tool a rule',
    rule: (index) => ({ action: 'tool.call', resource: [`tool_${index}`, `tool_${index}.*`] }),
    request: (index) => ({ action: 'tool.call', resource: `tool_${index}`, args: {} }),
  },
  condition: {
    what: 'fs.write under a condition, a folder a rule',
    rule: (index) => ({ action: 'fs.write', resource: `/data/p${index}/**`, when: 'args.bytes < 1000' }),
    request: (index) => {
      const resource = `/data/p${index}/a.md`
      return { action: 'fs.write', resource, args: { path: resource, bytes: index % 900 } }
    },
  },
  url: {
    what: 'net.fetch, a site a rule',
    rule: (index) => ({ action: 'net.fetch', resource: `https://*.site${index}.example.org/api/**` }),
    request: (index) => ({
      action: 'net.fetch',
      resource: `https://www.site${index}.example.org/api/v1/items?q=1`,
      args: {},
    }),
  },
}

/** Rules that match whatever is asked of their kind: with the rule that is asked for, 20 where there are as many. */
const general = 18

function policyOf({ rule }: Kind, size: number): PolicySet {
  const rules = Array.from({ length: size }, (_, index): RuleDocument => {
    const own = rule(index)
    const id = `r${index}`
    if (index === 0 || index > general) return { ...own, id, effect: 'permit' }
    const { resource: _any, when: _always, ...open } = own
    return { ...open, id, effect: index % 3 === 0 ? 'ask' : 'permit', principal: `agent${index % 4}*` }
  })
  const document: PolicyDocument = { version: 1, name: 'bench', rules }
  return compilePolicies([withConditionsInBounds(document)].map(read), 'hash')
}

/** A policy holds a bounded number of conditions. */
function withConditionsInBounds(document: PolicyDocument): PolicyDocument {
  const rules = document.rules.map(({ when, ...rule }, index) =>
    when !== undefined && index < 1_500 ? { ...rule, when } : rule,
  )
  return { ...document, rules }
}

const read = (document: PolicyDocument) => parsePolicy(JSON.stringify(document), 'bench')

function measure(
  kind: Kind,
  size: number,
): { readonly p50: number; readonly p99: number; readonly permitted: number } {
  const set = policyOf(kind, size)
  const requests = Array.from({ length: 997 }, (_, index): Request => {
    const at = (index * 7_919) % size
    const asked = at > 0 && at <= general ? 0 : at
    return { principal: 'desk', isolation: 'cell', labels: [], ...kind.request(asked) }
  })
  const samples: number[] = []
  let permitted = 0
  let next = 0
  for (let index = -batches / 4; index < batches; index += 1) {
    const start = performance.now()
    for (let each = 0; each < batch; each += 1) {
      const request = requests[next]
      next = (next + 1) % requests.length
      if (request !== undefined && set.decide(request).effect === 'permit') permitted += 1
    }
    if (index >= 0) samples.push(((performance.now() - start) * 1_000) / batch)
  }
  samples.sort((a, b) => a - b)
  const at = (share: number): number => samples[Math.floor(samples.length * share)] ?? 0
  return { p50: at(0.5), p99: at(0.99), permitted: permitted / (batch * batches * 1.25) }
}

interface Row {
  readonly engine: string
  readonly size: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/** How long one look at an engine lasts, in ms, and how many looks each has; they take turns, so that noise hits all alike. */
const slice = 40
const turns = 12

/** @throws where one decides otherwise than the rules mean */
function comparePeers(size: number, all: readonly Peer[]): readonly Row[] {
  const rules = rulesOf(size)
  const requests = requestsOf(size)
  const expected = requests.map(meaning(rules))
  const running = all.map(({ name, compile }) => {
    const decide = compile(rules)
    // A slow one is asked a part of them: a hundred decisions each of 50 ms would be enough.
    const asked = requests.slice(0, timeOf(() => decide(requests[0] as never)) > 5 ? 60 : requests.length)
    const wrong = asked.filter((request, index) => decide(request) !== expected[index])
    if (wrong.length > 0) throw new Error(`${name} decides ${wrong.length} of ${asked.length} otherwise`)
    return { name, decide, samples: [] as number[], next: 0 }
  })
  for (let turn = -2; turn < turns; turn += 1) {
    for (const it of running) {
      const end = performance.now() + slice
      do {
        const many = it.samples.length > 0 && (it.samples.at(-1) ?? 0) > slow ? 1 : batch
        const took = timeOf(() => {
          for (let each = 0; each < many; each += 1) {
            const request = requests[it.next]
            it.next = (it.next + 1) % requests.length
            if (request !== undefined) it.decide(request)
          }
        })
        it.samples.push((took * 1_000) / many)
      } while (performance.now() < end)
      if (turn < 0) it.samples.splice(0, it.samples.length - 1)
    }
  }
  return running.map(({ name, samples }) => {
    const mean = samples.reduce((sum, each) => sum + each, 0) / samples.length
    return {
      engine: name,
      size,
      perSecond: 1e6 / mean,
      p50: percentile(samples, 0.5),
      p99: percentile(samples, 0.99),
    }
  })
}

/** From there on each decision is timed by itself, in µs. */
const slow = 100

function timeOf(work: () => unknown): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US')

function ownTable(): readonly string[] {
  const rows = Object.values(kinds).flatMap((kind) =>
    sizes.map((size) => ({ what: kind.what, size, ...measure(kind, size) })),
  )
  return [
    '| asked | rules | p50, µs | p99, µs | permitted |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows.map(
      ({ what, size, p50, p99, permitted }) =>
        `| ${what} | ${whole(size)} | ${p50.toFixed(2)} | ${p99.toFixed(2)} | ${(permitted * 100).toFixed(0)} % |`,
    ),
  ]
}

function peersTable(): readonly string[] {
  const all = peers()
  const bySize = sizes.map((size) => comparePeers(size, all))
  const lines = all.flatMap(({ name }, which) =>
    bySize.map((rows) => {
      const [ours, row] = [rows[0], rows[which]]
      if (ours === undefined || row === undefined) throw new Error(`${name} has no figures`)
      const { size, perSecond, p50, p99 } = row
      return `| ${name} | ${whole(size)} | ${whole(perSecond)} | ${shown(p50)} | ${shown(p99)} | ${shown(p50 / ours.p50)} |`
    }),
  )
  return [
    '| engine | rules | decisions/s | p50, µs | p99, µs | ratio |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ]
}

const { values } = parseArgs({ options: { peers: { type: 'boolean' }, write: { type: 'boolean' } } })
const tables = { decisions: ownTable(), ...(values.peers && { peers: peersTable() }) }
for (const [name, lines] of Object.entries(tables)) {
  console.log(`${lines.join('\n')}\n`)
  if (values.write) writeTable(name, lines)
}
