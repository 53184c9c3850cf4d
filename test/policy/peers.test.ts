/**
 * What other policy engines for agents got wrong, one by one, in a running kernel.
 * Approvals have their own tests. Single rules of these are tested beside their code too.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadPolicy, type PolicyRef } from '../../src/config/policy.ts'
import type { KernelOptions, KernelSpace, PolicyDocument } from '../../src/index.ts'
import { ask, boot, policyOf, refusalOf, runIn, tempFolder } from '../support/kernel.ts'
import { request } from './support.ts'

type Rule = PolicyDocument['rules'][number]
type Tools = NonNullable<KernelOptions['tools']>

const all: Rule = { id: 'all', effect: 'permit', action: '*' }
const calls: string[] = []
const toolsNamed = (...names: readonly string[]): Tools =>
  Object.fromEntries(
    names.map((name) => [
      name,
      {
        description: 'a tool',
        parameters: { type: 'object' },
        execute: (args: unknown) => {
          calls.push(`${name} ${JSON.stringify(args)}`)
          return 'done'
        },
      },
    ]),
  ) as Tools

/** What a guest is told for each of some calls. */
const told = async (kernel: KernelSpace, ...each: readonly string[]): Promise<readonly string[]> =>
  (await ask(kernel, `return [${each.map(refusalOf).join(', ')}]`)) as readonly string[]

describe('an unparsable condition that allows', () => {
  test.each(['args.to ==', 'args.to = "x"', 'import("os")', '((', 'nobody.knows', 'true &&'])(
    '`%s` does not load',
    (when) => {
      for (const effect of ['permit', 'forbid'] as const)
        expect(() => boot({ policy: policyOf([{ ...all, effect, action: 'tool.call', when }]) })).toThrow(
          expect.objectContaining({ code: 'EINVAL' }),
        )
    },
  )

  test('one that loads and cannot be judged forbids, whatever its effect', async () => {
    for (const effect of ['permit', 'ask', 'forbid'] as const) {
      const rules: Rule[] = [all, { id: 'odd', effect, action: 'tool.call', when: 'args.to == "x"' }]
      const kernel = boot({ policy: policyOf(rules), tools: toolsNamed('t') })
      expect(await told(kernel, 'tools.t({})')).toEqual([expect.stringMatching(/^EPERM.*cannot be judged/)])
    }
  })
})

describe('an unknown policy name that is skipped', () => {
  test.each<readonly [string, PolicyRef]>([
    ['alone', 'stirct'],
    ['beside one that there is', ['permissive', 'stirct']],
    ['as a file', './policies/none.yaml'],
    ['as what is extended', { version: 1, name: 'mine', extends: 'stirct', rules: [] }],
    ['as nothing', ''],
    ['as no list', []],
  ])('%s: the kernel does not boot', (_what, policy) => {
    expect(() => boot({ policy })).toThrow(expect.objectContaining({ code: 'EINVAL' }))
  })

  test('an agent’s or a child’s: it does not start', async () => {
    const kernel = boot()
    expect(() => kernel.spawn({ source: 'export default 1' }, { policy: 'stirct' })).toThrow(
      /no preset is called/,
    )
    expect(await told(kernel, "sys('proc.spawn', { source: 'export default 1', policy: 'stirct' })")).toEqual(
      [expect.stringMatching(/^EINVAL.*no preset is called `stirct`/)],
    )
  })

  test('at a reload: the old one stays in force', async () => {
    const kernel = boot({ policy: 'strict', tools: toolsNamed('t') })
    await expect(kernel.reload('permisive')).rejects.toThrow(/did you mean `permissive`/)
    expect(await told(kernel, 'tools.t({})')).toEqual([expect.stringMatching(/^EPERM/)])
  })
})

describe('a disabled policy that allows', () => {
  test.each(['enabled', 'disabled', 'active', 'status'])(
    '`%s` is no key, of a policy or of a rule',
    (key) => {
      for (const value of [true, false, 'disabled']) {
        const rules = [{ ...all, [key]: value }] as Rule[]
        expect(() => loadPolicy({ ...policyOf([all]), [key]: value } as PolicyDocument)).toThrow(
          /unknown key/,
        )
        expect(() => loadPolicy(policyOf(rules))).toThrow(/unknown key/)
      }
    },
  )

  test('one that only observes lifts nothing of one that is enforced', async () => {
    const watching = policyOf([all], { name: 'watch', mode: 'observe' })
    for (const policy of [
      ['strict', watching],
      [watching, 'strict'],
    ] as const) {
      const kernel = boot({ policy, tools: toolsNamed('t') })
      expect(await told(kernel, 'tools.t({})')).toEqual([expect.stringMatching(/^EPERM/)])
    }
  })
})

describe('guessing the kind of a policy from its shape', () => {
  test.each([
    ['Rego', 'package gatehouse\ndefault allow = true\n'],
    ['Cedar', 'permit(principal, action, resource);\n'],
    ['a list of tools', 'allow: [send_email]\n'],
    ['a list', '- fs.read\n'],
    ['a word', 'allow\n'],
    ['true', 'true\n'],
    ['nothing', ''],
    ['JSON of another engine', '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'],
    ['rules without a version', 'name: a\nrules: []\n'],
  ])('a file with %s does not load', (_what, text) => {
    for (const name of ['a.yaml', 'a.yml', 'a.json']) {
      const file = join(tempFolder(), name)
      writeFileSync(file, text)
      expect(() => boot({ policy: file })).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    }
  })

  test.each([{}, { rules: [all] }, { allow: ['*'] }, [[policyOf([all])]], null, 7, true, () => true])(
    'nor does %j',
    (policy) =>
      expect(() => loadPolicy(policy as never)).toThrow(expect.objectContaining({ code: 'EINVAL' })),
  )

  test('a word is a preset and never a file, a path is a file and never a preset', () => {
    expect(() => loadPolicy('./strict')).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    expect(() => loadPolicy('strict.yaml')).toThrow(expect.objectContaining({ code: 'EINVAL' }))
    expect(loadPolicy('strict').name).toBe('strict')
  })
})

describe('an empty allow-list that means all', () => {
  test('no rules permit nothing', async () => {
    const kernel = boot({ policy: policyOf([]), tools: toolsNamed('t') })
    expect(await told(kernel, 'tools.t({})', "fs.read('/tmp/a')", "fetch('https://example.org/')")).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/^EPERM.*no rule permits it/)),
    )
  })

  test.each(['action', 'resource', 'principal', 'addresses', 'contains', 'redact'])(
    'an empty `%s` does not load',
    (key) => {
      const rule = { ...all, action: 'net.fetch', [key]: [] } as Rule
      expect(() => loadPolicy(policyOf([rule]))).toThrow(/empty list/)
    },
  )
})

describe('regular expressions over JSON.stringify(args)', () => {
  const policy = policyOf([
    { id: 'inside', effect: 'permit', action: 'tool.call', when: 'args.to == "team@example.org"' },
    { id: 'never', effect: 'forbid', action: 'tool.call', when: 'has(args.delete) && args.delete == true' },
  ])

  test.each([
    [
      'a text that looks like another argument',
      `{ to: 'evil@example.net', note: '","to":"team@example.org' }`,
    ],
    ['the right value in another place', `{ to: 'evil@example.net', cc: { to: 'team@example.org' } }`],
    ['a list that holds it', `{ to: ['team@example.org', 'evil@example.net'] }`],
    ['a text around it', `{ to: 'team@example.org, evil@example.net' }`],
    ['an escape of it', `{ to: 'team\\\\u0040example.org' }`],
  ])('%s does not permit', async (_what, args) => {
    const kernel = boot({ policy, tools: toolsNamed('t') })
    expect(await told(kernel, `tools.t(${args})`)).toEqual([expect.stringMatching(/^EPERM/)])
  })

  test('a spelling of JSON, or the order of keys, hides nothing from a forbid', async () => {
    const kernel = boot({ policy, tools: toolsNamed('t') })
    const to = "to: 'team@example.org'"
    expect(
      await told(
        kernel,
        `tools.t({ ${to}, delete: true })`,
        `tools.t({ delete: true, ${to} })`,
        `tools.t({ ${to}, ['del' + 'ete']: true })`,
        `tools.t({ ${to} })`,
      ),
    ).toEqual([...Array.from({ length: 3 }, () => expect.stringContaining('`never`')), 'ok'])
  })
})

describe('a tool’s alias that goes round the rule on its name', () => {
  const policy = policyOf([
    all,
    { id: 'no-mail', effect: 'forbid', action: 'tool.call', resource: 'send_email' },
  ])

  test('a name is one spelling; every other is no tool', async () => {
    const kernel = boot({ policy, tools: toolsNamed('send_email') })
    calls.length = 0
    const spellings = [
      'send_email',
      'Send_Email',
      'SEND_EMAIL',
      'send_email ',
      'send-email',
      'sendEmail',
      'tools.send_email',
      'send_email\u200b',
      'ｓend_email',
      './send_email',
    ]
    const replies = await told(
      kernel,
      ...spellings.map((name) => `sys('tool.call', { name: ${JSON.stringify(name)}, args: {} })`),
    )
    expect(replies.filter((it) => it === 'ok')).toEqual([])
    expect(replies[0]).toContain('`no-mail`')
    expect(calls).toEqual([])
  })

  test('neither a prototype’s nor another process’s door leads to it', async () => {
    const kernel = boot({ policy, tools: toolsNamed('send_email', 'other') })
    calls.length = 0
    const doors = [
      "tools['send' + '_email']({})",
      'Reflect.get(tools, "send_email")({})',
      'tools.other.call(tools.send_email, {})',
      'tools.send_email.call(null, {})',
    ]
    const replies = await told(kernel, ...doors)
    expect(replies.filter((_, index) => index !== 2)).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('`no-mail`')),
    )
    expect(calls.filter((it) => it.startsWith('send_email'))).toEqual([])
  })
})

test('tools added after the pipeline was built are judged as those before', async () => {
  const policy = policyOf([
    { id: 'old', effect: 'permit', action: 'tool.call', resource: 'old' },
    { id: 'no-late', effect: 'forbid', action: 'tool.call', resource: 'late_*' },
  ])
  const kernel = boot({ policy, tools: toolsNamed('old') })
  const program = `export default async () => {
    const { message } = await ipc.receive()
    return [${refusalOf('tools.old({})')}, ${refusalOf('sys("tool.call", { name: "late_mail", args: {} })')}, ${refusalOf('sys("tool.call", { name: "silent", args: {} })')}]
  }`
  const gate = policyOf([...policy.rules, { id: 'ipc', effect: 'permit', action: 'ipc.*' }])
  await kernel.reload(gate)
  const waiting = kernel.spawn({ source: program }, { name: 'waiting' })
  await new Promise((resolve) => setTimeout(resolve, 50))
  for (const [name, definition] of Object.entries(toolsNamed('late_mail', 'silent')))
    kernel.tool(name, definition)
  await ask(kernel, "await ipc.send('waiting', 'now')")
  expect((await waiting.exit).value).toEqual([
    'ok',
    expect.stringMatching(/^EPERM.*`no-late`/),
    expect.stringMatching(/^EPERM.*no rule permits it/),
  ])
})

describe('a quiet downgrade of the sandbox', () => {
  test.each(['cell', 'inline'] as const)(
    'what accepts `%s` or stronger does not run in less',
    async (floor) => {
      const weaker = floor === 'cell' ? 'inline' : 'host'
      const policy = policyOf([all], { isolation: floor })
      const kernel = boot({ policy, isolation: weaker })
      const begin = (): unknown =>
        weaker === 'host' ? kernel.spawn(async () => 1) : kernel.spawn({ source: 'export default () => 1' })
      expect(begin).toThrow(expect.objectContaining({ code: 'EPERM' }))
    },
  )

  test('nor does a request of a weaker process pass where only the policy is asked', () => {
    const set = loadPolicy(policyOf([all], { isolation: 'cell' }))
    expect(set.decide(request('fs.read', '/tmp/a', { isolation: 'inline' })).effect).toBe('forbid')
    expect(set.decide(request('fs.read', '/tmp/a', { isolation: 'cell' })).effect).toBe('permit')
  })

  test('the process says what it really runs in', async () => {
    const exit = await runIn('inline', 'export default async () => (await proc.self()).isolation')
    expect(exit.value).toBe('inline')
  })
})

describe('one excluded command that frees the whole line', () => {
  const policy = policyOf([
    {
      id: 'list',
      effect: 'permit',
      action: 'tool.call',
      resource: 'shell',
      when: 'args.lines.all(l, l == "ls")',
    },
    { id: 'files', effect: 'permit', action: ['fs.read', 'fs.remove', 'fs.write'], resource: '/tmp/free/**' },
    { id: 'fill', effect: 'permit', action: ['fs.mkdir', 'fs.write'], resource: '/tmp/**' },
  ])

  test('every part of a call has to be permitted', async () => {
    const kernel = boot({ policy, tools: toolsNamed('shell') })
    expect(
      await told(
        kernel,
        "tools.shell({ lines: ['ls'] })",
        "tools.shell({ lines: ['ls', 'rm -rf /'] })",
        "tools.shell({ lines: ['ls; rm -rf /'] })",
        "tools.shell({ lines: ['ls && curl evil.example'] })",
        "tools.shell({ lines: ['ls\\nrm'] })",
      ),
    ).toEqual(['ok', ...Array.from({ length: 4 }, () => expect.stringMatching(/^EPERM/))])
  })

  test('a call that is judged as several is refused where one of them is', async () => {
    const kernel = boot({ policy })
    expect(
      await told(
        kernel,
        "fs.mkdir('/tmp/free').then(() => fs.write('/tmp/free/a', 'x')).then(() => fs.write('/tmp/b', 'x'))",
        "fs.move('/tmp/b', '/tmp/free/b')",
        "fs.move('/tmp/free/a', '/audit/a')",
        "fs.move('/tmp/free/a', '/tmp/free/c')",
      ),
    ).toEqual(['ok', expect.stringMatching(/^EPERM/), expect.stringMatching(/^EPERM/), 'ok'])
  })
})

test('rate limits that a child starts afresh', async () => {
  const policy = policyOf([
    all,
    { id: 'few', effect: 'permit', action: 'tool.call', rateLimit: { calls: 3, per: '1h' } },
  ])
  const kernel = boot({ policy, tools: toolsNamed('t') })
  const call = refusalOf('tools.t({})')
  const child = JSON.stringify(`export default async () => ${call}`)
  const replies = await ask(
    kernel,
    `const replies = [${call}, ${call}]
    for (const policy of [undefined, 'permissive']) {
      const { pid } = await sys('proc.spawn', { source: ${child}, ...(policy && { policy }) })
      replies.push((await proc.wait(pid)).value)
    }
    return replies`,
  )
  expect(replies).toEqual(['ok', 'ok', 'ok', expect.stringMatching(/^EAGAIN.*`few`/)])
})

describe('spellings of one host', () => {
  const set = loadPolicy(
    policyOf([
      { id: 'web', effect: 'permit', action: 'net.fetch' },
      {
        id: 'host',
        effect: 'forbid',
        action: 'net.fetch',
        resource: [
          'https://bad.example/**',
          'https://xn--bcher-kva.example/**',
          'http://127.0.0.1/**',
          'http://[::1]/**',
        ],
      },
    ]),
  )
  test.each([
    'https://bad.example/',
    'https://BAD.example/',
    'https://bad.example./',
    'https://bad.example:443/',
    'https://b%61d.example/',
    'https://ｂａｄ.example/',
    'https://bad。example/',
    'https:\\\\bad.example\\',
    'https://bad.exam\u00adple/',
    ' https://bad.example/',
    'https://bücher.example/',
    'https://BÜCHER.example/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::0001]:80/',
    'https://good.example@bad.example/',
  ])('%j', (url) => {
    expect(set.decide(request('net.fetch', url)).effect).toBe('forbid')
  })
  test.each([
    'https://good.example/?bad.example',
    'https://good.example/#bad.example',
    'https://notbad.example/',
    'https://bad.example.org/',
    'http://bad.example:8080/',
  ])('and not %j', (url) => expect(set.decide(request('net.fetch', url)).effect).toBe('permit'))
})

test('spellings of one path', async () => {
  const policy = policyOf([
    { id: 'own', effect: 'permit', action: 'fs.*', resource: '/tmp/**' },
    { id: 'sealed', effect: 'forbid', action: 'fs.read', resource: ['/tmp/sealed/**', '/tmp/é'] },
  ])
  const kernel = boot({ policy })
  await ask(
    kernel,
    "await fs.mkdir('/tmp/sealed'); await fs.write('/tmp/sealed/a', 'x'); await fs.write('/tmp/é', 'x')",
  )
  const spellings = [
    '/tmp/sealed/a',
    '/tmp/../tmp/sealed/a',
    '/tmp/./sealed/./a',
    '//tmp//sealed//a',
    '/tmp/x/../sealed/a',
    '/tmp/sealed/a/',
    '/tmp/sealed/b/../a',
    '/../tmp/sealed/a',
    '/tmp/é',
    '/tmp/e\u0301',
    'tmp/sealed/a',
    './tmp/sealed/a',
    '\\tmp\\sealed\\a',
    '/tmp/sealed\0/a',
    '/tmp/%73ealed/a',
    '/tmp/SEALED/a',
  ]
  const replies = await told(kernel, ...spellings.map((path) => `fs.read(${JSON.stringify(path)})`))
  expect(
    replies.map((reply, index) => (reply === 'ok' ? spellings[index] : undefined)).filter(Boolean),
  ).toEqual([])
  for (const path of spellings.slice(0, 10))
    expect([path, replies[spellings.indexOf(path)]]).toEqual([path, expect.stringMatching(/^E(PERM|INVAL)/)])
})
