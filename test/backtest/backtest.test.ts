/** Under the policy that was in force nothing changes; under another exactly what it would have said otherwise does. */
import { describe, expect, test } from 'vitest'
import { backtest } from '../../src/backtest/backtest.ts'
import { findRuns } from '../../src/backtest/runs.ts'
import type { KernelOptions, PolicyDocument } from '../../src/index.ts'
import { ask, main, policyOf, until } from '../support/kernel.ts'
import { evidenceIn, recordOf, rowsOf, tried, withoutPayloads } from './support.ts'

type Rules = PolicyDocument['rules']
const all: Rules[number] = { id: 'all', effect: 'permit', action: '*' }
const tool = (properties: object) => ({
  description: 'does it',
  parameters: { type: 'object', properties } as never,
  execute: () => 'sent to anna@example.org',
})
const tools = {
  read: tool({}),
  send: tool({ to: { type: 'string' }, amount: { type: 'integer' } }),
}
const attempt = (...calls: readonly string[]): string =>
  calls.map((call) => `await ${call}.catch(() => {})`).join('\n')

/** A record under these rules, and the result of trying those rules on it with others added or in their place. */
const record = (rules: Rules, body: string, more: KernelOptions = {}) =>
  recordOf({ policy: policyOf(rules), tools, ...more }, (kernel) => ask(kernel, body))

const child = (body: string): string =>
  `const child = await proc.spawn(${JSON.stringify(main(body))}); await proc.wait(child.pid)`

describe('the policy that was in force', () => {
  const rich: Rules = [
    all,
    { id: 'web', effect: 'permit', action: 'tool.call', resource: 'read', label: ['untrusted'] },
    { id: 'no-big', effect: 'forbid', action: 'tool.call', resource: 'send', when: 'args.amount > 100' },
    { id: 'no-copy', effect: 'forbid', action: 'fs.write', when: '"untrusted" in labels && args.bytes > 5' },
    { id: 'few', effect: 'forbid', action: 'fs.list', when: 'history.run.count("fs.list", "*") >= 2' },
    { id: 'one', effect: 'permit', action: 'fs.stat', resource: '/tmp', once: true },
    { id: 'card', effect: 'forbid', action: 'fs.append', contains: ['email'] },
    { id: 'known', effect: 'forbid', action: 'ipc.send', when: 'origin(args.bytes) == "untrusted"' },
    { id: 'left', effect: 'forbid', action: 'fs.remove', when: 'budget.syscalls < 20' },
  ]
  const body = `${attempt(
    "tools.send({ to: 'a', amount: 5 })",
    "tools.send({ to: 'a', amount: 500 })",
    "fs.write('/mem/working/a', 'short')",
    'tools.read({})',
    "fs.write('/mem/working/a', 'longer than five')",
    "fs.write('/mem/working/a', 'x')",
    "fs.list('/tmp')",
    "fs.list('/tmp')",
    "fs.list('/tmp')",
    "fs.stat('/tmp')",
    "fs.stat('/tmp')",
    "fs.append('/tmp/a', 'plain')",
    "fs.move('/tmp/a', '/tmp/b → /tmp/c')",
    "fs.remove('/tmp/b → /tmp/c')",
    "proc.signal('nobody', 'SIGUSR1')",
    "fs.nothing('x')",
  ).replace("await fs.nothing('x').catch(() => {})", '')}
  ${child(attempt("fs.read('/mem/working/a')", "fs.write('/mem/working/b', 'from the child')", "fs.remove('/mem/working/a')"))}`

  test('says the same again, of every kind of rule', async () => {
    const evidence = await record(rich, body, { limits: { syscalls: 40 } })
    const policy = policyOf(rich, { budget: { syscalls: 40 } })
    for (const result of [tried(evidence, policy), backtest(evidence, { policy: 'recorded' })]) {
      expect(rowsOf(result)).toEqual([])
      expect(result.undecided).toEqual([])
      expect(result).toMatchObject({ stopped: [], runs: 1, runsChanged: 0, notJudged: 1 })
      expect(result.same.calls).toBe(18)
    }
  })

  test('says the same of streams: what stands on another call is no decision of its own', async () => {
    const rules = [
      { id: 'all', effect: 'permit', action: 'ipc.*' },
      { id: 'large', effect: 'forbid', action: 'ipc.pipe', when: 'args.bytes > 10' },
    ] as const
    const evidence = await recordOf({ policy: policyOf(rules) }, async (kernel) => {
      kernel.register(() => 1, { name: 'sink' })
      await ask(
        kernel,
        `const pipe = await ipc.pipe({ to: 'sink' })
         await pipe.write('small')
         await pipe.write('much too large').catch(() => {})
         await sys('stream.read', { stream: 7 }).catch(() => {})
         await pipe.close()`,
      )
    })
    expect(backtest(evidence, { policy: 'recorded' })).toMatchObject({
      ...{ rows: [], undecided: [], decisions: 1, notJudged: 2 },
    })
    expect(rowsOf(tried(evidence, policyOf([{ id: 'no', effect: 'forbid', action: 'ipc.*' }])))).toEqual([
      'permit → forbid by no: 1, 0',
    ])
  })

  test('says the same of a child with a policy of its own, and after a reload', async () => {
    const evidence = await recordOf({ policy: policyOf([all]), tools }, async (kernel) => {
      const own = {
        version: 1,
        name: 'own',
        rules: [{ id: 'tmp', effect: 'permit', action: 'fs.*', resource: '/tmp/**' }],
      }
      const spawned = `(await proc.spawn(${JSON.stringify(main(attempt("fs.list('/mem')", "fs.list('/tmp')")))}, { policy: ${JSON.stringify(own)} })).pid`
      await ask(kernel, `await proc.wait(${spawned})`)
      await kernel.reload(policyOf([all, { id: 'no', effect: 'forbid', action: 'fs.stat' }]))
      await ask(kernel, attempt("fs.stat('/tmp')", "fs.list('/tmp')"))
    })
    expect(backtest(evidence, { policy: 'recorded' })).toMatchObject({
      rows: [],
      undecided: [],
      decisions: 5,
    })
    // Under the first policy the refusal of the second one, and no other, goes.
    expect(rowsOf(tried(evidence, policyOf([all])))).toEqual(['forbid → permit by all: 1, 0'])
    // The child's own policy stands beside a new one too: it is still what forbids.
    expect(rowsOf(tried(evidence, policyOf([{ ...all, id: 'new' }], { name: 'new' })))).toContain(
      'forbid → permit by new: 1, 0',
    )
  })
})

describe('another policy', () => {
  test('is told by rule and answer, with examples, and what comes after a change apart', async () => {
    const evidence = await record(
      [all],
      attempt("fs.list('/tmp')", "fs.stat('/tmp')", "fs.stat('/mem')", "fs.stat('/tmp')"),
    )
    const result = tried(
      evidence,
      policyOf([all, { id: 'no', effect: 'forbid', action: 'fs.stat', resource: '/tmp' }]),
    )
    expect(rowsOf(result)).toEqual(['permit → forbid by no: 2, 1'])
    expect(result).toMatchObject({
      decisions: 4,
      same: { calls: 2, after: 1 },
      changed: { calls: 2, after: 1 },
      runsChanged: 1,
      changedRuns: [{ after: 2 }],
    })
    const [row] = result.rows
    expect(row?.examples[0]).toMatchObject({
      agent: 'program',
      syscall: 'fs.stat',
      resource: '/tmp',
      seq: result.changedRuns[0]?.seq,
    })
  })

  test('that keeps something below a folder forbids to remove it as a whole', async () => {
    const evidence = await record(
      [all],
      attempt(
        "fs.mkdir('/tmp/a')",
        "fs.remove('/tmp/a')",
        "fs.mkdir('/tmp/b')",
        "fs.remove('/tmp/b', { recursive: true })",
      ),
    )
    const keep: Rules = [all, { id: 'keep', effect: 'forbid', action: 'fs.remove', resource: '/tmp/*/kept' }]
    expect(rowsOf(tried(evidence, policyOf(keep)))).toEqual(['permit → forbid by no rule: 1, 0'])
    expect(tried(withoutPayloads(evidence), policyOf(keep)).undecidable.calls).toBe(2)
    expect(tried(withoutPayloads(evidence), policyOf([all])).undecidable.calls).toBe(0)
  })

  test('by other rules with the same answer is no change', async () => {
    const evidence = await record([all], attempt("fs.list('/tmp')"))
    const result = tried(evidence, policyOf([{ id: 'other', effect: 'permit', action: 'fs.*' }]))
    expect([result.changed.calls, result.otherRules.calls]).toEqual([0, 1])
  })

  test('with labels of its own refuses what they lead to, in children and by files too', async () => {
    const evidence = await record(
      [all],
      `${attempt("tools.send({ to: 'a' })", 'tools.read({})', "tools.send({ to: 'b' })", "fs.write('/mem/working/a', 'x')")}
       ${child(attempt("tools.send({ to: 'c' })"))}`,
    )
    const rules: Rules = [
      all,
      { id: 'web', effect: 'permit', action: 'tool.call', resource: 'read', label: ['untrusted'] },
      { id: 'no', effect: 'forbid', action: 'tool.call', resource: 'send', when: '"untrusted" in labels' },
    ]
    expect(rowsOf(tried(evidence, policyOf(rules)))).toContain('permit → forbid by no: 2, 1')
  })

  test('follows labels into files that one run leaves to the next, and messages as far as it can', async () => {
    const rules: Rules = [
      all,
      { id: 'web', effect: 'permit', action: 'tool.call', resource: 'read', label: ['untrusted'] },
      { id: 'no', effect: 'forbid', action: 'tool.call', resource: 'send', when: '"untrusted" in labels' },
    ]
    const evidence = await recordOf({ policy: policyOf([all]), tools }, async (kernel) => {
      await ask(
        kernel,
        attempt('tools.read({})', "fs.write('/mem/working/a', 'x')", "ipc.send('other', 1)"),
        { name: 'desk' },
      ).catch(() => {})
      await ask(kernel, attempt("tools.send({ to: 'clean' })"), { name: 'desk' })
      await ask(kernel, attempt("fs.read('/mem/working/a')", "tools.send({ to: 'b' })"), { name: 'desk' })
      await ask(kernel, attempt("fs.list('/mem/working')", "tools.send({ to: 'c' })"), { name: 'desk' })
      await ask(kernel, attempt("fs.list('/mem/working')", "tools.send({ to: 'd' })"), { name: 'another' })
    })
    const result = tried(evidence, policyOf(rules))
    expect(rowsOf(result)).toContain('permit → forbid by no: 1, 0')
    expect(result.undecided).toMatchObject([
      { because: 'labels', calls: 1, examples: [{ resource: 'send' }] },
    ])
  })

  test('without the labels of the old one permits what those forbade', async () => {
    const no: Rules[number] = {
      id: 'no',
      effect: 'forbid',
      action: 'tool.call',
      resource: 'send',
      when: '"untrusted" in labels',
    }
    const web: Rules[number] = {
      id: 'web',
      effect: 'permit',
      action: 'tool.call',
      resource: 'read',
      label: ['untrusted'],
    }
    const evidence = await record([all, web, no], attempt('tools.read({})', "tools.send({ to: 'a' })"))
    const result = tried(evidence, policyOf([all, { ...web, label: ['other'] }, no]))
    // Where else the label may have come from is not on record.
    expect(result.undecided).toMatchObject([{ because: 'labels', calls: 1 }])
    expect(tried(evidence, policyOf([all, web, no]))).toMatchObject({ changed: { calls: 0 }, undecided: [] })
  })

  test('counts uses, and what was done, as it would have let it through', async () => {
    const evidence = await record([all], attempt(...Array.from({ length: 4 }, () => 'tools.read({})')))
    const limited = tried(evidence, policyOf([{ ...all, rateLimit: { calls: 3, per: '1h' } }]))
    expect(rowsOf(limited)).toEqual(['permit → limited by all: 1, 0'])
    const counted = tried(
      evidence,
      policyOf([
        all,
        {
          id: 'few',
          effect: 'forbid',
          action: 'tool.call',
          when: 'history.run.count("tool.call", "*") >= 2',
        },
      ]),
    )
    expect(rowsOf(counted)).toEqual(['permit → forbid by few: 2, 1'])
  })

  test('knows what other runs did', async () => {
    const evidence = await recordOf({ policy: policyOf([all]), tools }, async (kernel) => {
      for (let run = 0; run < 3; run += 1) await ask(kernel, attempt('tools.read({})'), { name: 'desk' })
    })
    const when = 'history.agent.count("tool.call", "*", "1h") >= 2'
    const policy = policyOf([all, { id: 'few', effect: 'forbid', action: 'tool.call', when }])
    expect(rowsOf(tried(evidence, policy))).toEqual(['permit → forbid by few: 1, 0'])
  })

  test('knows what came from where', async () => {
    const web: Rules[number] = {
      id: 'web',
      effect: 'permit',
      action: 'tool.call',
      resource: 'read',
      label: ['untrusted'],
    }
    const no: Rules[number] = {
      id: 'no',
      effect: 'forbid',
      action: 'tool.call',
      resource: 'send',
      when: 'origin(args.to) == "untrusted"',
    }
    const evidence = await record(
      [all],
      attempt(
        'tools.read({})',
        "tools.send({ to: 'anna@example.org' })",
        "tools.send({ to: 'bert@example.org' })",
      ),
    )
    expect(rowsOf(tried(evidence, policyOf([all, web, no])))).toContain('permit → forbid by no: 1, 0')
    expect(tried(withoutPayloads(evidence), policyOf([all, web, no])).undecidable.calls).toBe(2)
  })

  test('says where a smaller budget would have been used up', async () => {
    const evidence = await record([all], attempt("fs.list('/tmp')", "fs.list('/tmp')", "fs.list('/tmp')"))
    const { stopped, runsChanged, changed } = tried(evidence, policyOf([all], { budget: { syscalls: 2 } }))
    expect([stopped.length, runsChanged, changed.calls]).toEqual([1, 1, 0])
    expect(stopped[0]).toMatchObject({ budget: 'syscalls', limit: 2, pid: 1 })
    expect(tried(evidence, policyOf([all], { budget: { syscalls: 20 } })).stopped).toEqual([])
  })
})

describe('what is not on record', () => {
  const big: Rules[number] = {
    id: 'big',
    effect: 'forbid',
    action: 'tool.call',
    resource: 'send',
    when: 'args.amount > 100',
  }
  const body = attempt(
    "fs.list('/tmp')",
    "tools.send({ to: 'a', amount: 500 })",
    "tools.send({ to: 'a', amount: 5 })",
  )

  test('makes undecidable what is about it, and nothing else', async () => {
    const evidence = await record([all], body)
    expect(rowsOf(tried(evidence, policyOf([all, big])))).toEqual(['permit → forbid by big: 1, 0'])
    const gone = tried(withoutPayloads(evidence), policyOf([all, big]))
    expect(gone).toMatchObject({
      same: { calls: 1 },
      changed: { calls: 0 },
      undecided: [{ because: 'payload', calls: 2 }],
    })
    expect(tried(withoutPayloads(evidence), policyOf([all]))).toMatchObject({
      undecided: [],
      same: { calls: 3 },
    })
  })

  test('is what a rule keeps as a digest', async () => {
    const evidence = await record([{ ...all, log: 'digest' }], body)
    expect(tried(evidence, policyOf([all, big])).undecided).toMatchObject([{ because: 'payload', calls: 2 }])
  })

  test('is a resource without what was taken out of it', async () => {
    const mail: Rules[number] = { id: 'mail', effect: 'forbid', action: 'fs.stat', contains: ['email'] }
    const evidence = await record([all, mail], attempt("fs.stat('/tmp/anna@example.org')"))
    expect(tried(evidence, policyOf([all])).undecided).toMatchObject([{ because: 'payload', calls: 1 }])
  })
})

describe('a call that a person was asked about', () => {
  const asking: Rules = [all, { id: 'person', effect: 'ask', action: 'tool.call', resource: 'send' }]

  test('is compared as one that asks, once, however it ended', async () => {
    const evidence = await recordOf({ policy: policyOf(asking), tools }, async (kernel) => {
      const done = ask(kernel, attempt("tools.send({ to: 'a' })", "tools.send({ to: 'b' })"))
      for (const answer of ['approve', 'deny'] as const) {
        await until(() => kernel.approvals.list().length === 1, 'somebody is asked')
        const [{ id } = { id: '' }] = kernel.approvals.list()
        if (answer === 'approve') kernel.approvals.approve(id)
        else kernel.approvals.deny(id)
        await until(() => kernel.approvals.list().every((each) => each.id !== id), 'the answer is taken')
      }
      await done
      const left = kernel.spawn({ source: main("await tools.send({ to: 'c' })") })
      await until(() => kernel.approvals.list().length === 1, 'somebody is asked again')
      left.signal('SIGKILL')
      await left.exit
    })
    expect(tried(evidence, policyOf(asking))).toMatchObject({
      decisions: 3,
      same: { calls: 3 },
      undecided: [],
    })
    expect(rowsOf(tried(evidence, policyOf([all])))).toEqual(['ask → permit by all: 3, 1'])
  })
})

describe('a record', () => {
  test('tells of the runs that are named, by how they begin', async () => {
    const evidence = await recordOf({ policy: policyOf([all]), tools }, async (kernel) => {
      for (let run = 0; run < 2; run += 1) await ask(kernel, attempt("fs.stat('/tmp')"))
    })
    const runs = [...evidence.lines()].flatMap((line) =>
      line.includes('"kind":"spawn"') ? [JSON.parse(line).run as string] : [],
    )
    const [first = ''] = runs
    const found = findRuns(evidence.lines(), [first.slice(0, 11)])
    expect([...found]).toEqual([first])
    const none = policyOf([{ id: 'no', effect: 'forbid', action: 'fs.stat' }])
    expect(tried(evidence, none, { runs: found })).toMatchObject({ decisions: 1, runs: 1, runsChanged: 1 })
    expect(() => findRuns(evidence.lines(), ['zz'])).toThrow('no run whose id begins with `zz` is on record')
    expect(() => findRuns(evidence.lines(), [''])).toThrow(/several runs begin with/)
  })

  test('that is damaged is refused with the place', async () => {
    const evidence = await record([all], attempt("fs.stat('/tmp')"))
    const lines = [...evidence.lines()]
    const at = lines.findIndex((line) => line.includes('"kind":"intent"'))
    for (const bad of [
      '{"kind":"intent",}',
      'nothing',
      '{"kind":"intent","seq":-1}',
      `{"kind":"intent","seq":${at},"time":1}`,
    ])
      expect(() => tried({ ...evidence, lines: () => lines.with(at, bad) }, 'strict')).toThrow(
        new RegExp(`^(line|entry) ${at} of the evidence`),
      )
  })

  test('without the beginning of a process leaves its calls undecided', async () => {
    const evidence = await record([all], attempt("fs.stat('/tmp')"))
    const lines = [...evidence.lines()].filter((line) => !line.includes('"kind":"spawn"'))
    expect(tried({ ...evidence, lines: () => lines }, 'strict').undecided).toMatchObject([
      { because: 'process', calls: 1 },
    ])
  })

  test('of the examples says the same again', { timeout: 60_000 }, async () => {
    const { execFileSync } = await import('node:child_process')
    for (const example of ['data-analyst', 'mail-clerk']) {
      const { dir } = await recordOf({}, async () => {})
      const main = new URL(`../../examples/${example}/main.ts`, import.meta.url).pathname
      execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', main, `${dir}/own`])
      const result = backtest(evidenceIn(`${dir}/own`), { policy: 'recorded' })
      expect(result).toMatchObject({ rows: [], undecided: [] })
      expect(result.decisions).toBeGreaterThan(5)
    }
  })
})
