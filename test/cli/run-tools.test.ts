/** `gatehouse run` with tools of a module and labels of mounts, and `policy check` with the same module. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folderWith, gatehouse } from '../support/cli.ts'

const tools = `import { hostname } from 'node:os'
interface Mail { readonly to: string }
export default {
  send_mail: {
    description: 'sends a mail',
    parameters: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
    execute: ({ to }: Mail, { agent }: { agent: string }) => [to, agent, typeof hostname()],
  },
  fails: { description: 'fails', parameters: { type: 'object' }, execute: () => { throw new Error('no disk left') } },
}
`
const policy = (when: string): string => `version: 1
name: desk
rules:
  - { id: mail, effect: permit, action: tool.call, when: '${when}', resource: send_mail }
  - { id: other, effect: permit, action: tool.call, resource: fails }
  - { id: look, effect: permit, action: [fs.read], resource: /notes/** }
`
const agent = (body: string): string => `export default async () => { ${body} }`
const call = agent(
  `return [await tools.send_mail({ to: 'a@b.c' }), await tools.fails({}).catch(({ code }) => code)]`,
)
const files = {
  'agent.js': call,
  'tools.ts': tools,
  'policy.yaml': policy('args.to.endsWith(".c")'),
  'misspelt.yaml': policy('args.too == "x"'),
}
const run = ['run', 'agent.js', '--policy', 'policy.yaml', '--tools', 'tools.ts']

test('tools of a module are offered behind the policy, and what they throw is told to the user alone', async () => {
  const { code, stdout, stderr } = await gatehouse(folderWith(files), run)
  expect([code, JSON.parse(stdout)]).toEqual([0, [['a@b.c', 'agent', 'string'], 'EIO']])
  expect(stderr).toContain('tool fails: no disk left')
})

test('a condition that does not fit a tool is found by check, and keeps the run from beginning', async () => {
  const folder = folderWith(files)
  const why = /tool `send_mail` does not fit rule `mail` \(desk:4\): .*`too`.*did you mean `to`/
  const ran = await gatehouse(
    folder,
    run.map((word) => word.replace('policy.yaml', 'misspelt.yaml')),
  )
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(why)])
  const checked = await gatehouse(folder, [
    'policy',
    'check',
    'policy.yaml',
    'misspelt.yaml',
    '--tools',
    'tools.ts',
  ])
  expect([checked.code, checked.stdout, checked.stderr]).toEqual([
    2,
    expect.stringMatching(/^ok policy\.yaml: [^\n]*\n$/),
    expect.stringMatching(why),
  ])
  expect((await gatehouse(folder, ['policy', 'check', 'misspelt.yaml'])).code).toBe(0)
})

test.each<readonly [what: string, text: string, why: RegExp]>([
  [
    'exports nothing by default',
    'export const tools = {}',
    /`t\.ts` exports no tools by default; write `export default/,
  ],
  ['exports what is no tool', 'export default { a: 3 }', /`a` is no definition of a tool/],
  [
    'fails while it is loaded',
    "throw new Error('no key')",
    /the tools in `t\.ts` cannot be loaded: Error: no key/,
  ],
  [
    'has a misspelt part',
    "export default { a: { descripton: 'x', parameters: { type: 'object' }, execute() {} } }",
    /tool `a`: `description` is missing/,
  ],
  ['names the tool of another', tools, /two tools are called `send_mail`/],
])('a module that %s is wrong usage, and nothing runs', async (_what, text, why) => {
  const folder = folderWith({ ...files, 't.ts': text })
  const { code, stdout, stderr } = await gatehouse(folder, [...run, '--tools', 't.ts'])
  expect([code, stdout, stderr]).toEqual([2, '', expect.stringMatching(why)])
})

test('the code of tools does not lie where an agent can write it, also by a link', async () => {
  const folder = folderWith(files)
  mkdirSync(join(folder, 'elsewhere'))
  symlinkSync('../tools.ts', join(folder, 'elsewhere/tools.ts'))
  const rw = await gatehouse(folder, [
    'run',
    'agent.js',
    '--mount',
    '.:/work:rw',
    '--tools',
    'elsewhere/tools.ts',
  ])
  expect([rw.code, rw.stderr]).toEqual([2, expect.stringContaining('which agents can write')])
  const ro = await gatehouse(folder, [...run, '--mount', '.:/work:ro'])
  expect(ro.code).toBe(0)
})

test('a mount has labels, which what is read there carries', async () => {
  const source = agent(`await fs.read('/notes/a'); return (await proc.self()).labels`)
  const folder = folderWith({ ...files, 'agent.js': source, 'notes/a': 'x' })
  for (const [mount, labels] of [
    ['./notes:/notes:ro,label=untrusted,label=confidential', ['confidential', 'untrusted']],
    ['./notes:/notes,label=confidential', ['confidential']],
    ['./notes:/notes', []],
  ] as const) {
    const { stdout } = await gatehouse(folder, [
      'run',
      'agent.js',
      '--policy',
      'policy.yaml',
      '--mount',
      mount,
    ])
    expect([mount, JSON.parse(stdout)]).toEqual([mount, labels])
  }
})

test.each<readonly [mount: string, why: RegExp]>([
  ['.:/notes,lable=secret', /`lable=secret` is no part of a mount/],
  ['.:/notes:ro,lable=secret', /`lable=secret` is no part of a mount/],
  ['.:/notes:ro,label=Secret', /`Secret` is no label/],
  ['.:/notes:ro,label=', /no label/],
  ['.:/notes:ro,secret', /write HOST:GUEST/],
])('no label is lost: %s is wrong usage', async (mount, why) => {
  const { code, stderr } = await gatehouse(folderWith(files), ['run', 'agent.js', '--mount', mount])
  expect([code, stderr]).toEqual([2, expect.stringMatching(why)])
})

test('the same module gives models, or another one that gives nothing else; what a model throws is told to the user', async () => {
  const models = `export const llm = { models: {
    'my/echo': ({ messages }) => 'said ' + messages.at(-1).content,
    'my/broken': () => { throw new Error('no weights') },
  } }
`
  const asks = agent(`return [(await llm.generate({ model: 'my/echo', prompt: 'hi' })).text,
    await llm.generate({ model: 'my/broken', prompt: '' }).catch(({ code }) => code)]`)
  const given = {
    'agent.js': asks,
    'models.mjs': models,
    'tools.mjs': `${models}export default {}`,
    'odd.mjs': 'export const llm = 5',
  }
  const folder = folderWith(given)
  const start = ['run', 'agent.js', '--policy', 'permissive', '--tools']
  for (const file of ['models.mjs', 'tools.mjs']) {
    const { code, stdout, stderr } = await gatehouse(folder, [...start, file])
    expect([code, JSON.parse(stdout)]).toEqual([0, ['said hi', 'EIO']])
    expect(stderr).toContain('model my/broken: no weights')
  }
  const twice = await gatehouse(folder, [...start, 'models.mjs', '--tools', 'tools.mjs'])
  expect([twice.code, twice.stderr]).toEqual([
    2,
    expect.stringContaining('two files of --tools export `llm`'),
  ])
  const odd = await gatehouse(folder, [...start, 'odd.mjs'])
  expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining('exports no models as `llm`')])
})
