/** How fast a policy is tried on a record that lies on disk, beside the parse of the same lines in the same run. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { backtest } from '../../src/backtest/backtest.ts'
import { systemClock } from '../../src/clock.ts'
import { documentsText, loadPolicy } from '../../src/config/policy.ts'
import { FileStore } from '../../src/evidence/file-store.ts'
import { EvidenceLog } from '../../src/evidence/log.ts'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import type { PolicyDocument, RuleDocument } from '../../src/policy/types.ts'
import { shown, type Table } from './report.ts'

/** Calls of one run: an agent that reads the web, calls tools and keeps notes. */
const callsOfRun = 200
const kinds = [
  { syscall: 'fs.read', resource: (n: number) => `/mem/working/notes-${n % 50}.md`, id: 'memory' },
  { syscall: 'net.fetch', resource: (n: number) => `https://en.example.org/wiki/page-${n}`, id: 'web' },
  { syscall: 'tool.call', resource: (n: number) => `search_${n % 8}`, id: 'tools' },
  { syscall: 'fs.write', resource: (n: number) => `/mem/working/notes-${n % 50}.md`, id: 'memory' },
] as const

const rules: readonly RuleDocument[] = [
  { id: 'memory', effect: 'permit', action: ['fs.read', 'fs.write', 'fs.list'], resource: '/mem/**' },
  { id: 'web', effect: 'permit', action: 'net.fetch', resource: 'https://*.example.org/**' },
  { id: 'tools', effect: 'permit', action: 'tool.call', resource: 'search_*' },
]
const policyOf = (...more: readonly RuleDocument[]): PolicyDocument => ({
  ...{ version: 1, name: 'desk', rules: [...rules, ...more] },
})

export const policies: Readonly<Record<string, PolicyDocument>> = {
  'patterns only': policyOf({ id: 'no', effect: 'forbid', action: 'tool.call', resource: 'search_6' }),
  'labels that the new policy gives': policyOf(
    {
      id: 'taint',
      effect: 'permit',
      action: 'net.fetch',
      resource: 'https://*.example.org/**',
      label: ['untrusted'],
    },
    { id: 'no', effect: 'forbid', action: 'tool.call', resource: 'search_6', when: '"untrusted" in labels' },
  ),
  'how often, and what was done before': policyOf({
    ...{ id: 'no', effect: 'forbid', action: 'tool.call', resource: 'search_6' },
    when: 'history.run.count("net.fetch", "*", "1m") > 40',
  }),
  'arguments of every hundredth call': policyOf({
    ...{ id: 'no', effect: 'forbid', action: 'fs.write', resource: '/mem/working/notes-7.md' },
    when: 'args.bytes > 10',
  }),
}

/**
 * @param decisions on record
 * @returns decisions a second: of each policy, and of JSON.parse alone
 */
export async function backtesting(decisions: number): Promise<Table> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  try {
    await write(dir, decisions)
    const evidence = new EvidenceFolder(dir)
    const parsed = rate(decisions, () => parseAll(evidence))
    const rows = Object.entries(policies).map(([name, document]) => {
      const policy = loadPolicy(document)
      let changed = 0
      const perSecond = rate(decisions, () => {
        const result = backtest(evidence, { policy })
        if (result.decisions !== decisions || result.undecidable.calls > 0)
          throw new Error('decisions were lost')
        changed = result.changed.calls
      })
      return [
        name,
        Math.round(perSecond).toLocaleString('en'),
        shown(parsed / perSecond),
        changed.toLocaleString('en'),
      ]
    })
    const peakMiB = process.resourceUsage().maxRSS / 1_024
    return {
      columns: ['', 'decisions a second', 'times as long as the parse', 'changed'],
      rows: [['JSON.parse of the same lines', Math.round(parsed).toLocaleString('en'), '1', '–'], ...rows],
      notes: [
        `${decisions.toLocaleString('en')} decisions with their outcomes, ${shown(sizeOf(dir) / 2 ** 20)} MiB of log a file; at most ${Math.round(peakMiB)} MiB of memory, generating included.`,
      ],
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const sizeOf = (dir: string): number => statSync(join(dir, 'log-000001.jsonl')).size

/** By the time of the processor, on all its cores: what else runs on the machine does not count. */
function rate(decisions: number, work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (decisions / (user + system)) * 1e6
}

function parseAll(evidence: EvidenceFolder): void {
  for (const line of evidence.lines()) if (line.includes('"kind":"intent"')) JSON.parse(line)
}

export async function write(dir: string, decisions: number): Promise<void> {
  const log = EvidenceLog.open({ store: FileStore.open(dir), clock: systemClock, durability: 'process' })
  const set = loadPolicy(policyOf())
  const documents = log.payload(documentsText(set.policies))
  log.append({ kind: 'open', policy: set.hash, policies: set.name, documents, isolation: 'cell' })
  for (let call = 0; call < decisions; call += 1) {
    const ofRun = call % callsOfRun
    const run = (0x1000000 + Math.floor(call / callsOfRun)).toString(16)
    const who = { run, pid: Math.floor(call / callsOfRun) + 1 }
    if (ofRun === 0)
      log.append({
        ...{ kind: 'spawn', ...who, ppid: 0, agent: 'desk', isolation: 'cell', labels: [] },
        ...{ policy: set.hash, documents, budget: { syscalls: 20_000 }, args: documents },
      })
    record(log, who, call, set.hash)
    if (ofRun === callsOfRun - 1)
      log.append({ kind: 'exit', ...who, status: 'exited', usage: { cpuMs: 12.5 } })
    // What is written waits for the end of a tick.
    if (call % 1_000 === 999) await setImmediate()
  }
  await log.close()
}

function record(log: EvidenceLog, who: { run: string; pid: number }, call: number, policy: string): void {
  const { syscall, resource: resourceOf, id } = kinds[call % kinds.length] ?? kinds[0]
  const resource = resourceOf(call)
  const line = 1
  const args = log.payload(JSON.stringify(argsOf(syscall, resource, call)))
  const { seq } = log.append({
    ...{ kind: 'intent', ...who, agent: 'desk', isolation: 'cell', call: (call % callsOfRun) + 1 },
    ...{ syscall, resource, args },
    decision: { effect: 'permit', policy, rules: [{ policy: 'desk', id, line }] },
  })
  const result = log.payload(JSON.stringify({ text: `result of ${call}` }))
  log.append({ kind: 'outcome', ...who, intent: seq, status: 'committed', result })
  log.append({
    kind: 'turn',
    ...who,
    turn: (call % callsOfRun) + 2,
    at: 1_700_000_000_000 + call,
    replies: [seq + 1],
  })
}

function argsOf(syscall: string, resource: string, call: number): object {
  if (syscall === 'net.fetch') return { url: resource, headers: { accept: 'text/html' } }
  if (syscall === 'tool.call') return { name: resource, args: { query: `what is ${call}`, limit: 10 } }
  return syscall === 'fs.write' ? { path: resource, text: `note ${call}` } : { path: resource }
}
