/**
 * What one decision costs, at 1 to 10,000 rules of which at most 20 can match what is asked:
 * `node test/bench/policy.ts`, with `--json` for programs.
 */
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { compilePolicies } from '../../src/policy/compile.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { PolicyDocument, PolicySet, Request, RuleDocument } from '../../src/policy/types.ts'

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

const { values } = parseArgs({ options: { json: { type: 'boolean' } } })
const rows = Object.values(kinds).flatMap((kind) =>
  sizes.map((size) => ({ what: kind.what, size, ...measure(kind, size) })),
)
if (values.json) console.log(JSON.stringify(rows))
else {
  console.log('| asked | rules | p50, µs | p99, µs | permitted |\n| --- | ---: | ---: | ---: | ---: |')
  for (const { what, size, p50, p99, permitted } of rows)
    console.log(
      `| ${what} | ${size} | ${p50.toFixed(2)} | ${p99.toFixed(2)} | ${(permitted * 100).toFixed(0)} % |`,
    )
}
