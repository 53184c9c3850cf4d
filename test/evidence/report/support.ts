/** A record of a real kernel, for what reads records: two runs, with approvals, a child, labels, refusals and a tool. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Entry, EntryKind } from '../../../src/evidence/entry.ts'
import { type EvidenceFolder, findEvidence } from '../../../src/evidence/read.ts'
import { send } from '../../approvals/support.ts'
import { boot, main, policyOf, until } from '../../support/kernel.ts'

export interface Recorded {
  readonly dir: string
  readonly evidence: EvidenceFolder
  /** The runs, in their order. */
  readonly runs: readonly [string, string]
  readonly entries: readonly Entry[]
}

/** To be called before the tests of a file. The first run asks for two mails, of which one is approved, reads a labelled file, and has a child; the second fails. */
export async function recordRuns(): Promise<Recorded> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-report-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const dir = join(folder, '.gatehouse')
  const kernel = boot({
    evidence: { dir },
    policy: policyOf([
      { id: 'all', effect: 'permit', action: '*' },
      { id: 'mail', effect: 'ask', action: 'tool.call', resource: 'send_email' },
      { id: 'no-vault', effect: 'forbid', action: 'fs.*', resource: '/mem/vault/**' },
      { id: 'web', effect: 'permit', action: 'fs.read', resource: '/mem/page', label: ['untrusted'] },
      { id: 'quiet', effect: 'permit', action: 'fs.write', resource: '/mem/quiet', log: 'digest' },
    ]),
    tools: {
      send_email: { description: 'sends', parameters: { type: 'object' }, execute: () => 'sent' } as never,
      count: { description: 'counts', parameters: { type: 'object' }, execute: () => 3 } as never,
    },
  })
  const first = kernel.spawn(
    {
      source: main(`
        await fs.write('/mem/page', 'from elsewhere\\u001b[2J\\u202e')
        await sys('x\\u001b[2J', {}).catch(() => {})
        await fs.write('/mem/quiet', 'a diagnosis')
        await ${send('alice@example.com', '')}
        await ${send('mallory@example.com', '')}
        await fs.read('/mem/vault/key').catch(() => {})
        await fs.read('/mem/page')
        await tools.count({})
        const child = await proc.spawn('export default async () => { await fs.list("/mem"); return 1 }', { name: 'helper' })
        return await proc.wait(child.pid)`),
    },
    { name: 'writer' },
  )
  for (const answer of ['approve', 'deny'] as const) {
    await until(() => kernel.approvals.list().length === 1, 'a call waits for approval')
    const [request] = kernel.approvals.list()
    await kernel.approvals[answer](request?.id ?? '', { by: 'alice', reason: 'she asked for it' })
  }
  await first.exit
  const second = kernel.spawn({ source: main(`throw new Error('no luck')`) }, { name: 'unlucky' })
  await second.exit
  await kernel.shutdown()
  const evidence = evidenceIn(dir)
  const entries = [...evidence.entries()]
  const runs = [...new Set(entries.flatMap(({ run }) => run ?? []))]
  return { dir, evidence, runs: [runs[0] ?? '', runs[1] ?? ''], entries }
}

export function evidenceIn(dir: string): EvidenceFolder {
  const found = findEvidence(dir)
  if (found.state !== 'found') throw new Error(found.reason)
  return found.evidence
}

/** @returns the only entry of the kind, or the first, that has these fields */
export function entryOf(entries: readonly Entry[], kind: EntryKind, fields: object = {}): Entry {
  const found = entries.find(
    (entry) => entry.kind === kind && Object.entries(fields).every(([name, value]) => entry[name] === value),
  )
  if (found === undefined) throw new Error(`no ${kind} with ${JSON.stringify(fields)}`)
  return found
}
