import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { actionPatterns } from '../../src/policy/actions.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { PolicyError } from '../../src/policy/problem.ts'

const head = 'version: 1\nname: desk\n'
const rule = (...lines: readonly string[]): string =>
  `${head}rules:\n  - id: a\n    effect: permit\n${lines.map((line) => `    ${line}\n`).join('')}`

function problems(text: string): readonly string[] {
  try {
    parsePolicy(text, 'desk.yaml')
  } catch (error) {
    if (error instanceof PolicyError)
      return error.problems.map(({ line, column, message }) => `${line}:${column} ${message}`)
    throw error
  }
  throw new Error('it was loaded')
}

describe('a policy is refused, with line and column, for', () => {
  test.each<readonly [why: string, text: string, problem: string]>([
    [
      'being empty',
      '',
      '1:1 the policy is empty, which is not the same as one that permits nothing; `rules: []` is',
    ],
    [
      'being a comment only',
      '# to do\n',
      '1:1 the policy is empty, which is not the same as one that permits nothing; `rules: []` is',
    ],
    ['being a list', '- a\n- b\n', '1:1 the policy is a list; it has to be a map of keys'],
    ['being a text', 'strict\n', '1:1 the policy is `strict`; it has to be a map of keys'],
    [
      'a second document',
      `${head}rules: []\n---\n${head}rules: []\n`,
      '4:1 a second document begins here; one file holds one policy',
    ],
    ['the same key twice', `${head}name: desk\nrules: []\n`, '3:1 the same key stands here twice; keep one'],
    [
      'a `%YAML` line',
      `%YAML 1.1\n---\n${head}rules: []\n`,
      '1:1 a `%YAML` line is not taken; policies are YAML 1.2',
    ],
    ['a missing version', 'name: desk\nrules: []\n', '1:1 the key `version` is missing'],
    [
      'another version',
      'version: 2\nname: desk\nrules: []\n',
      '1:10 `version` is the number `2`; this is version 1 of the language',
    ],
    ['a missing name', 'version: 1\nrules: []\n', '1:1 the key `name` is missing'],
    [
      'a name that is no text',
      'version: 1\nname: 7\nrules: []\n',
      '2:7 `name` is the number `7`; it has to be text; put it in quotes',
    ],
    [
      'a name that could lead elsewhere',
      'version: 1\nname: ../x\nrules: []\n',
      '2:7 `name` is `../x`; write up to 64 letters, digits, dots, hyphens or underscores, a letter or digit first',
    ],
    ['missing rules', head, '1:1 the key `rules` is missing'],
    ['empty rules', `${head}rules:\n`, '3:7 `rules` is empty; it has to be a list'],
    ['an unknown key', `${head}rulez: []\nrules: []\n`, '3:1 unknown key `rulez`; did you mean `rules`?'],
    [
      'an unknown key like no other',
      `${head}zzzzzzzzz: 1\nrules: []\n`,
      '3:1 unknown key `zzzzzzzzz`; keys here are version, name, extends, for, isolation, cell, mode, budget, signals, loop, rules',
    ],
    [
      'an unknown key of a rule',
      rule('action: fs.read', 'efect: permit'),
      '7:5 unknown key `efect`; did you mean `effect`?',
    ],
    [
      'an unknown key of a budget',
      `${head}budget: { wal: 3s }\nrules: []\n`,
      '3:11 unknown key `wal`; did you mean `wall`?',
    ],
    [
      'an unknown isolation',
      `${head}isolation: cel\nrules: []\n`,
      '3:12 `isolation` is `cel`; did you mean `cell`?',
    ],
    [
      'an unknown mode',
      `${head}mode: off\nrules: []\n`,
      '3:7 `mode` is `off`; it is one of enforce, observe',
    ],
    ['an unknown kind of cell', `${head}cell: owm\nrules: []\n`, '3:7 `cell` is `owm`; did you mean `own`?'],
    [
      'a cell to itself without any cell',
      `${head}isolation: inline\ncell: own\nrules: []\n`,
      '4:1 `cell: own` accepts isolation `inline`, where a process has no cell; write `isolation: cell` with it',
    ],
    [
      'a cell to itself under any isolation',
      `${head}cell: own\nrules: []\n`,
      '3:1 `cell: own` accepts isolation `host`, where a process has no cell; write `isolation: cell` with it',
    ],
    [
      'a signal that the kernel does not raise',
      `${head}signals: { SIGPOLICE: kill }\nrules: []\n`,
      '3:12 unknown key `SIGPOLICE`; did you mean `SIGPOLICY`?',
    ],
    [
      'a signal that nobody can set',
      `${head}signals: { SIGKILL: record }\nrules: []\n`,
      '3:12 unknown key `SIGKILL`; keys here are SIGPOLICY, SIGBUDGET, SIGLOOP',
    ],
    [
      'an action that no signal has',
      `${head}signals: { SIGLOOP: ignore }\nrules: []\n`,
      '3:21 `SIGLOOP` is `ignore`; it is one of kill, stop, record',
    ],
    ['a loop of nothing', `${head}loop: {}\nrules: []\n`, '3:7 the key `repeats` is missing'],
    [
      'a loop that is none',
      `${head}loop: { repeats: 1 }\nrules: []\n`,
      '3:18 `repeats` is the number `1`; the least is 2',
    ],
    [
      'a loop too long to remember',
      `${head}loop: { repeats: 10001 }\nrules: []\n`,
      '3:18 `repeats` is the number `10001`; the most is 10000',
    ],
    [
      'half a repeat',
      `${head}loop: { repeats: 2.5 }\nrules: []\n`,
      '3:18 `repeats` is the number `2.5`; it has to be a whole number',
    ],
    [
      'an unknown effect',
      `${head}rules:\n  - id: a\n    effect: allow\n    action: fs.read\n`,
      '5:13 `effect` is `allow`; it is one of permit, ask, forbid',
    ],
    [
      'a rule without action',
      `${head}rules:\n  - id: a\n    effect: permit\n`,
      '4:5 the key `action` is missing',
    ],
    [
      'a rule that is a text',
      `${head}rules: [permit]\n`,
      '3:9 `rules` is `permit`; it has to be a map of keys',
    ],
    ['an unknown action', rule('action: fs.raed'), '6:13 unknown action `fs.raed`; did you mean `fs.read`?'],
    [
      'an unknown action in a list',
      rule('action: [fs.read, net.fech]'),
      '6:23 unknown action `net.fech`; did you mean `net.fetch`?',
    ],
    [
      'fs.move, which is two actions',
      rule('action: fs.move'),
      '6:13 `fs.move` is judged as `fs.remove` and `fs.read` of the source and `fs.write` of the target; name those',
    ],
    [
      'an action that is not judged',
      rule('action: clock.now'),
      '6:13 `clock.now` is not judged: time, randomness and output are counted and limited by the budget',
    ],
    [
      'half a family',
      rule('action: fs.re*'),
      '6:13 `fs.re*` is no action; `*` stands alone or for all of a family, as in `fs.*`',
    ],
    ['no action', rule('action: []'), '6:13 `action` is an empty list, which is not any; name one'],
    ['an action twice', rule('action: [fs.read, fs.read]'), '6:13 `action` names the same thing twice'],
    [
      'an action that is a map',
      rule('action: { a: 1 }'),
      '6:13 `action` is a map; write a text or a list of texts',
    ],
    [
      'an empty allow-list, which must not mean all',
      rule('action: fs.read', 'resource: []'),
      '7:15 `resource` is an empty list, which is not any; leave the key out for any',
    ],
    [
      'a resource without a value',
      rule('action: fs.read', 'resource:'),
      '7:14 `resource` is empty; write a text or a list of texts',
    ],
    [
      'an empty resource',
      rule('action: fs.read', "resource: ''"),
      '7:15 `resource` is empty; leave the key out for any',
    ],
    [
      'a resource for paths and URLs at once',
      rule('action: [fs.read, net.fetch]', 'resource: /mem/**'),
      '7:5 `resource` with actions that act on paths and URLs; write one rule for each, or leave it out for any',
    ],
    [
      'a path that is not absolute',
      rule('action: fs.read', 'resource: mem/**'),
      '7:15 `mem/**` is not absolute; begin it with `/`',
    ],
    [
      'a bad path in a list',
      rule('action: fs.read', 'resource:', '  - /mem/**', '  - /mem/../x'),
      '9:9 `/mem/../x` holds `.` or `..` as a part; write where it leads',
    ],
    [
      'a bad URL',
      rule('action: net.fetch', "resource: 'https://example.org'"),
      '7:15 `https://example.org` names no path; add `/**` for all, or `/` for the root alone',
    ],
    [
      'a bad principal',
      rule('action: fs.read', "principal: 'a**'"),
      '7:16 `a**` is a name; there `*` alone is any run of characters',
    ],
    [
      'addresses without net.fetch',
      rule('action: fs.read', 'addresses: [loopback]'),
      '7:5 `addresses` belongs to rules that permit net.fetch, or ask about it, and nothing else',
    ],
    [
      'an unknown class of address',
      rule('action: net.fetch', 'addresses: [locl]'),
      '7:17 `addresses` is `locl`; it is one of loopback, private, linkLocal',
    ],
    [
      'no class of address',
      rule('action: net.fetch', 'addresses: []'),
      '7:16 `addresses` is an empty list; name one, or leave the key out',
    ],
    [
      'a duplicate id',
      `${rule('action: fs.read')}  - id: a\n    effect: forbid\n    action: fs.write\n`,
      '7:9 another rule is called `a` too; ids are unique',
    ],
    [
      'a duration without a unit',
      `${head}budget: { wall: 30 }\nrules: []\n`,
      '3:17 `30` has no unit; write a duration as 30ms, 30s, 30m, 30h',
    ],
    [
      'no time',
      `${head}budget: { cpu: 0s }\nrules: []\n`,
      '3:16 `cpu` is no time at all; a process could not begin',
    ],
    [
      'a size in MB',
      `${head}budget: { memory: 64MB }\nrules: []\n`,
      '3:19 unknown unit `MB` in `64MB`; units are B, KiB, MiB, GiB',
    ],
    [
      'less memory than a process needs',
      `${head}budget: { memory: 1MiB }\nrules: []\n`,
      '3:19 `memory` is `1MiB`; a process does not start with less than 8388608B',
    ],
    [
      'half a call',
      `${head}budget: { syscalls: 1.5 }\nrules: []\n`,
      '3:21 `syscalls` has to be a whole number, without a unit',
    ],
    [
      'endless tokens',
      `${head}budget: { tokens: .inf }\nrules: []\n`,
      '3:19 `tokens` has to be a whole number, without a unit',
    ],
    [
      'a currency sign',
      `${head}budget: { cost: $2 }\nrules: []\n`,
      '3:17 `$2` is not an amount in US dollars; write a number such as 2.00',
    ],
    [
      'more generations than the kernel has',
      `${head}budget: { depth: 9 }\nrules: []\n`,
      `3:18 \`depth\` is 9; the kernel itself ends at ${limits.depthMax}`,
    ],
    [
      'a condition that is no text',
      rule('action: fs.read', 'when: true'),
      '7:11 `when` is the boolean `true`; it has to be text; put it in quotes',
    ],
    [
      'an empty condition',
      rule('action: fs.read', "when: ''"),
      '7:11 `when` is empty; leave the key out for any',
    ],
    [
      'a misspelt argument',
      rule('action: fs.read', 'when: args.length > 1 && args.ofset == 0'),
      '7:35 unknown key `ofset`; did you mean `offset`?',
    ],
    [
      'a misspelt argument in quotes',
      rule('action: net.fetch', `when: "args.hst == 'a'"`),
      '7:17 unknown key `hst`; did you mean `host`?',
    ],
    [
      'a misspelt argument in a block',
      rule('action: net.fetch', 'when: |', '  args.port == 443 &&', '    args.hst == "a"'),
      '9:14 unknown key `hst`; did you mean `host`?',
    ],
    [
      'a misspelt argument in folded text, at its beginning',
      rule('action: net.fetch', 'when: >', '  args.port == 443', '  && args.hst == "a"'),
      '7:11 unknown key `hst`; did you mean `host`?',
    ],
    [
      'an argument that only some of the actions have',
      rule('action: [fs.read, fs.list]', 'when: args.length > 1'),
      '7:16 for `fs.list`: unknown key `length`; keys here are path',
    ],
    [
      'a condition on an origin that there is not',
      rule('action: tool.call', 'when: "origin(args.to) == \'tsak\'"'),
      '7:31 `tsak` is no origin; did you mean `task`?',
    ],
    [
      'more conditions than are compiled',
      `${head}rules:\n${Array.from({ length: limits.policyConditionsMax + 1 }, (_, index) => `  - { id: r${index}, effect: permit, action: fs.read, when: "true" }\n`).join('')}`,
      `4:3 ${limits.policyConditionsMax + 1} rules have a condition, at most ${limits.policyConditionsMax} may`,
    ],
    [
      'a label that is none',
      rule('action: fs.read', 'label: [Untrusted]'),
      '7:13 `Untrusted` is no label; write a lower-case word, with dashes between several, such as `untrusted` or `customer-data`',
    ],
    [
      'no labels',
      rule('action: fs.read', 'label: []'),
      '7:12 `label` is an empty list; name one, or leave the key out',
    ],
    [
      'a key that is said otherwise',
      rule('action: fs.read', 'approval: [x]'),
      '7:5 `approval` is no key here: it is the effect `ask`',
    ],
    ['`labels`', rule('action: fs.read', 'labels: [x]'), '7:5 unknown key `labels`; did you mean `label`?'],
    [
      '`redact` of an unknown kind',
      rule('action: fs.read', 'redact: [x]'),
      '7:14 `redact` is `x`; it is one of email, phone, card, iban, national-id, secret',
    ],
    [
      'a limit in one word',
      rule('action: fs.read', 'rateLimit: 3/s'),
      '7:16 `rateLimit` is `3/s`; it has to be a map of keys',
    ],
    [
      'a limit without a time',
      rule('action: fs.read', 'rateLimit: { calls: 3 }'),
      '7:16 the key `per` is missing',
    ],
    [
      'a limit in a time without a unit',
      rule('action: fs.read', 'rateLimit: { calls: 3, per: "60" }'),
      '7:33 `60` has no unit; write a duration as 60ms, 60s, 60m, 60h',
    ],
    [
      'a limit in no time',
      rule('action: fs.read', 'rateLimit: { calls: 3, per: 0s }'),
      '7:5 `per` is no time at all, in which any number of calls would fit',
    ],
    [
      'a limit of nothing',
      rule('action: fs.read', 'rateLimit: { calls: 0, per: 1s }'),
      '7:25 `calls` is the number `0`; the least is 1',
    ],
    [
      'a limit with a key too many',
      rule('action: fs.read', 'rateLimit: { calls: 1, per: 1s, burst: 3 }'),
      '7:37 unknown key `burst`; keys here are calls, per',
    ],
    [
      'a limit of what forbids',
      `${head}rules:\n  - { id: a, effect: forbid, action: fs.read, rateLimit: { calls: 1, per: 1s } }\n`,
      '4:47 `rateLimit` belongs to rules that permit or ask, and this one forbids',
    ],
    [
      '`once` of what forbids',
      `${head}rules:\n  - { id: a, effect: forbid, action: fs.read, once: true }\n`,
      '4:47 `once` belongs to rules that permit or ask, and this one forbids',
    ],
    [
      'not `once`, which is what it means to leave it out',
      rule('action: fs.read', 'once: false'),
      '7:11 `once` is the boolean `false`; leave it out, or write true',
    ],
    ['an alias', `${head}for: &x text\nrules: []\n`, '3:9 the anchor `&x`; aliases are not taken'],
    [
      'a tag',
      `${head}for: !!str text\nrules: []\n`,
      '3:12 the tag `tag:yaml.org,2002:str`; tags are not taken',
    ],
    [
      'a merge key',
      `${head}<<: { for: x }\nrules: []\n`,
      '3:1 the merge key `<<`; write out what it brings in',
    ],
    [
      '`__proto__`',
      `${head}__proto__: { mode: observe }\nrules: []\n`,
      '3:1 the key `__proto__` is never accepted',
    ],
    [
      '`constructor`',
      rule('action: fs.read', 'constructor: x'),
      '7:5 the key `constructor` is never accepted',
    ],
  ])('%s', (_, text, problem) => {
    expect(problems(text)).toContain(problem)
  })

  test('text that is not YAML', () => {
    expect(problems(`${head}rules: [\n`)[0]).toMatch(/^\d+:\d+ not sound YAML: [a-z]/)
    expect(problems(`${head}\trules: []\n`)[0]).toMatch(/^3:1 not sound YAML: tabs/)
    expect(problems(`${head}for: !foo x\nrules: []\n`)[0]).toMatch(/^3:\d+ /)
  })

  test('a key that is a list', () => {
    expect(problems(`${head}? [a]\n: 1\nrules: []\n`)[0]).toBe('3:3 a key has to be text')
  })

  test('an alias bomb, without taking its time', () => {
    const levels = Array.from({ length: 30 }, (_, i) =>
      i === 0 ? 'a0: &a0 [x]' : `a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`,
    )
    expect(problems(`${levels.join('\n')}\n`)[0]).toBe('1:9 the anchor `&a0`; aliases are not taken')
  })

  test.each([
    ['lists', '['.repeat(100_000)],
    ['maps', '{a: '.repeat(100_000)],
    ['dashes', '- '.repeat(100_000)],
    ['keys', '? '.repeat(100_000)],
  ])('nesting that would use up the stack: %s', (_, text) => {
    expect(problems(text)[0]).toMatch(/^1:\d+ nested deeper than 8; no policy needs it$/)
  })

  test('being longer than a policy may be', () => {
    expect(problems('#'.repeat(limits.policyBytesMax + 1))[0]).toMatch(/^1:1 a policy of 1048577 characters/)
  })

  test('more rules than a policy may have', () => {
    const rules = Array.from({ length: limits.policyRulesMax + 1 }, () => '- {}\n').join('')
    expect(problems(`${head}rules:\n${rules}`).join()).toContain('at most')
  })

  test('a lone surrogate', () => {
    expect(problems(`${head}for: "\ud800"\nrules: []\n`)[0]).toMatch(/lone surrogate/)
  })
})

test('all problems are named at once, in the order of lines, under the name that the user gave', () => {
  expect(() => parsePolicy(`${head}moed: x\nrules:\n  - id: a\n    effect: alow\n`, './p/desk.yaml')).toThrow(
    [
      './p/desk.yaml:3:1: unknown key `moed`; did you mean `mode`?',
      './p/desk.yaml:5:5: the key `action` is missing',
      './p/desk.yaml:6:13: `effect` is `alow`; it is one of permit, ask, forbid',
    ].join('\n'),
  )
})

test('a list with one bad entry is one problem', () => {
  expect(problems(rule('action: [fs.read, 7]'))).toEqual([
    '6:23 `action` is the number `7`; it is one of ACTIONS'.replace('ACTIONS', actionPatterns.join(', ')),
  ])
  expect(problems(rule('action: [fs.read, net.fech]'))).toHaveLength(1)
  expect(problems(rule('action: fs.read', 'resource: [/a, 7]'))).toEqual([
    '7:20 `resource` is the number `7`; it has to be text; put it in quotes',
  ])
  const many = Array.from({ length: limits.patternsMax + 1 }, (_, index) => `/a${index}`)
  expect(problems(rule('action: fs.read', `resource: [${many.join(', ')}]`))).toEqual([
    '7:15 `resource` has 1025 entries, at most 1024 are taken',
  ])
})

test('a list of problems ends somewhere', () => {
  const keys = Array.from({ length: 500 }, (_, index) => `key${index}: 1\n`).join('')
  try {
    parsePolicy(keys, 'x')
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(PolicyError)
    expect(String(error).split('\n')).toHaveLength(limits.policyProblemsMax + 1)
    expect(String(error)).toMatch(/and 483 more problems$/)
  }
})

test('a sound policy keeps its lines, its numbers and its text', () => {
  const text = `# for the desk
version: 1
name: desk
budget: { syscalls: 20000, wall: 30m, cpu: 60s, memory: 64MiB, tokens: 200000, cost: 2.00, depth: 4 }
signals: { SIGLOOP: stop }
loop: { repeats: 20 }
rules:
  - id: notes
    effect: permit
    action: [fs.read, fs.write]
    resource: /mem/**
    rateLimit: { calls: 3, per: 1m }
  # nobody mails
  - { id: no-mail, effect: forbid, action: tool.call, resource: send_email, when: args.to.size() > 1, for: spam }
`
  const policy = parsePolicy(text, 'desk.yaml')
  expect(policy).toMatchObject({ name: 'desk', isolation: 'host', cell: 'shared', mode: 'enforce', text })
  expect(policy.signals).toEqual({ SIGLOOP: 'stop' })
  expect(policy.loopRepeats).toBe(20)
  expect(policy.budget).toEqual({
    syscalls: 20_000,
    wallMs: 1_800_000,
    cpuMs: 60_000,
    memoryBytes: 67_108_864,
    tokens: 200_000,
    costUsd: 2,
    depth: 4,
  })
  expect(policy.rules).toEqual([
    {
      id: 'notes',
      line: 8,
      effect: 'permit',
      actions: ['fs.read', 'fs.write'],
      resources: ['/mem/**'],
      principals: undefined,
      addresses: [],
      when: undefined,
      demands: { rateLimit: { calls: 3, perMs: 60_000 } },
    },
    {
      id: 'no-mail',
      line: 14,
      effect: 'forbid',
      actions: ['tool.call'],
      resources: ['send_email'],
      principals: undefined,
      addresses: [],
      when: 'args.to.size() > 1',
      demands: undefined,
    },
  ])
})

test('JSON is read as it is, also indented with tabs', () => {
  const json = JSON.stringify({ version: 1, name: 'desk', rules: [] }, null, '\t')
  expect(parsePolicy(json, 'desk.json').rules).toEqual([])
})

test('a policy that permits nothing is a policy', () => {
  expect(parsePolicy(`${head}rules: []\n`, 'x').rules).toEqual([])
})
