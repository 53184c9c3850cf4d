/** `gatehouse run`: an agent's file becomes a process, and the command ends as the process ended. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folderWith, gatehouse } from '../support/cli.ts'
import { serve } from '../support/servers.ts'

const returns = (expression: string): string =>
  `export default async (...args: unknown[]) => (${expression})\n`

test.each([
  [
    'a file that is not there',
    ['none.ts'],
    /no program at `none\.ts`; .*`gatehouse init` writes a first agent/,
  ],
  ['a folder', ['.'], /no program at `\.`/],
  [
    'a preset that does not exist',
    ['a.ts', '--policy', 'strickt'],
    /no preset is called `strickt`; did you mean `strict`\?/,
  ],
  ['a bad policy', ['a.ts', '--policy', 'bad.yaml'], /bad\.yaml:3:1: .*rulez/],
  ['one bad policy of two', ['a.ts', '--policy', 'strict', '--policy', 'bad.yaml'], /bad\.yaml:3:1/],
  [
    'a duration without its unit',
    ['a.ts', '--timeout', '30'],
    /`30` has no unit; write a duration as 30ms, 30s/,
  ],
  ['an unknown unit', ['a.ts', '--timeout', '30sec'], /unknown unit `sec` in `30sec`; units are ms, s, m, h/],
  ['no time at all', ['a.ts', '--timeout', '0s'], /`wall` is no time at all/],
  ['an option given twice', ['a.ts', '--timeout', '1s', '--timeout', '2s'], /it is given twice/],
  [
    'an unknown isolation',
    ['a.ts', '--isolation', 'inlin'],
    /there are cell, inline; did you mean `inline`\?/,
  ],
  ['isolation host', ['a.ts', '--isolation', 'host'], /there are cell, inline/],
  [
    'an isolation that the policy does not accept',
    ['a.ts', '--isolation', 'inline', '--policy', 'researcher'],
    /isolation `inline`, and policy `researcher` accepts `cell` or stronger/,
  ],
  ['a mount without its place', ['a.ts', '--mount', './data'], /write HOST:GUEST/],
  ['a mount at a relative place', ['a.ts', '--mount', '.:workspace'], /write HOST:GUEST/],
  [
    'an unknown mode of a mount',
    ['a.ts', '--mount', '.:/workspace:rx'],
    /`rx` is no mode; there are ro \(the default\) and rw/,
  ],
  [
    'a mount of a folder that is not there',
    ['a.ts', '--mount', './none:/workspace'],
    /cannot mount the folder `\.\/none`: no such file or folder/,
  ],
  ['a mount over a folder of the kernel', ['a.ts', '--mount', '.:/policy'], /would hide `\/policy`/],
  [
    'two mounts at one place',
    ['a.ts', '--mount', '.:/data', '--mount', './sub:/data'],
    /two mounts at `\/data`/,
  ],
  ['a secret without a server', ['a.ts', '--secret', 'T=env:HOME'], /write NAME=env:VARIABLE,origin=URL/],
  [
    'a secret for a wildcard',
    ['a.ts', '--secret', 'T=file:a.ts,origin=https://*.example'],
    /`T`: origin `https:\/\/\*\.example` has a wildcard/,
  ],
  [
    'a secret in an unknown place',
    ['a.ts', '--secret', 'T=env:HOME,origin=https://a.example,in=headers'],
    /there are header, body, query; did you mean `header`/,
  ],
  [
    'a secret of a variable that is not there',
    ['a.ts', '--secret', 'T=env:GATEHOUSE_NONE,origin=https://a.example'],
    /secret `T`: the environment has no variable `GATEHOUSE_NONE`/,
  ],
  [
    'one secret twice',
    ['a.ts', ...['T', 'T'].flatMap((name) => ['--secret', `${name}=file:a.ts,origin=https://a.example`])],
    /two secrets `T`/,
  ],
  ['a name that cannot stand in a table', ['a.ts', '--name', '../x'], /an agent cannot be called `\.\.\/x`/],
  [
    'an argument with a prototype key',
    ['a.ts', '--arg', '{"__proto__":1}'],
    /`value\.__proto__` is a key that is never accepted/,
  ],
  [
    'evidence in a file',
    ['a.ts', '--evidence', 'a.ts'],
    /evidence cannot be kept in `a\.ts`: it is a file; name a folder/,
  ],
])('%s is refused before anything runs', async (_what, args, sentence) => {
  const folder = folderWith({
    'a.ts': "export default () => { console.log('ran') }\n",
    'bad.yaml': 'version: 1\nname: bad\nrulez: []\n',
  })
  mkdirSync(join(folder, 'sub'))
  const { code, stdout, stderr } = await gatehouse(folder, ['run', ...args])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^gatehouse: /)
  expect(stderr).toMatch(sentence)
  expect(stderr).not.toMatch(/^ +at /m)
})

test('wrong usage makes no evidence', async () => {
  const folder = folderWith({ 'a.ts': returns('1') })
  await gatehouse(folder, ['run', 'a.ts', '--timeout', 'soon'])
  await gatehouse(folder, ['run', 'a.ts', '--policy', 'none.yaml'])
  await gatehouse(folder, ['run', 'none.ts'])
  expect(existsSync(join(folder, '.gatehouse'))).toBe(false)
})

test.each(['cell', 'inline'])(
  'in isolation %s the output, the value and a summary are printed',
  async (isolation) => {
    const folder = folderWith({
      'agent.ts': `export default async (who: string) => {
      console.log('hello', who)
      console.error('aside')
      await fs.write('/mem/note', 'x')
      await fs.read('/etc/passwd').catch(() => {})
      console.log('last words')
      return 'done'
    }`,
    })
    const { code, stdout, stderr } = await gatehouse(folder, [
      'run',
      'agent.ts',
      '--arg',
      'you',
      '--isolation',
      isolation,
    ])
    expect(stdout).toBe('hello you\nlast words\ndone\n')
    expect(stderr).toMatch(
      new RegExp(
        `^aside\nagent \\(pid 1, isolation ${isolation}, policy strict\\): exited after [\\d.]+ s; calls: 1 permitted, 1 refused\nevidence \\.gatehouse: \\d+ entries, head [0-9a-f]{64}, run [0-9a-f]+\n$`,
      ),
    )
    expect(code).toBe(0)
  },
)

test('arguments are JSON where they parse as JSON, text otherwise', async () => {
  const folder = folderWith({ 'a.js': 'export default (...args) => args' })
  const values = ['7', '{"a":[1]}', '"7"', 'plain text', 'null', '-5', '--json']
  const { stdout } = await gatehouse(folder, ['run', 'a.js', ...values.flatMap((value) => ['--arg', value])])
  expect(JSON.parse(stdout)).toEqual([7, { a: [1] }, '7', 'plain text', null, -5, '--json'])
})

test('a program of several files, with a default, an import of the guest module and no value', async () => {
  const folder = folderWith({
    'main.ts':
      "import { fs } from 'gatehouse/guest'\nimport { greet } from './lib/greet.ts'\nexport default async () => { await fs.write('/tmp/a', 'x'); console.log(greet('you')) }",
    'lib/greet.ts': "export const greet = (name: string): string => 'hello ' + name",
  })
  const { code, stdout } = await gatehouse(folder, ['run', 'main.ts'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello you\n' })
})

test('a mount is read-only unless said, and a host path with a colon is taken whole', async () => {
  const folder = folderWith({
    'in:put/a.csv': 'a,b',
    'agent.ts': `export default async () => {
      const text = await fs.read('/workspace/a.csv')
      const refused = await fs.write('/workspace/b.csv', text).catch((error) => error.code)
      await fs.write('/out/b.csv', text)
      return { text, refused }
    }`,
  })
  mkdirSync(join(folder, 'out'))
  const { code, stdout } = await gatehouse(folder, [
    ...['run', 'agent.ts', '--policy', 'permissive'],
    ...['--mount', `${folder}/in:put:/workspace`, '--mount', './out:/out:rw'],
  ])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({ text: 'a,b', refused: 'EROFS' })
  expect(readFileSync(join(folder, 'out/b.csv'), 'utf8')).toBe('a,b')
})

test('all policies have to agree', async () => {
  const folder = folderWith({
    'agent.ts': returns("await fs.write('/tmp/a', 'x').then(() => 'written', (error) => error.code)"),
  })
  const under = async (...policies: string[]) =>
    (await gatehouse(folder, ['run', 'agent.ts', ...policies.flatMap((policy) => ['--policy', policy])]))
      .stdout
  expect(await under('permissive')).toBe('written\n')
  expect(await under('permissive', 'closed.yaml')).toBe('')
  const closed = folderWith({
    'agent.ts': readFileSync(join(folder, 'agent.ts'), 'utf8'),
    'closed.yaml': 'version: 1\nname: closed\nrules: []\n',
  })
  const { stdout } = await gatehouse(closed, [
    'run',
    'agent.ts',
    '--policy',
    'permissive',
    '--policy',
    'closed.yaml',
  ])
  expect(stdout).toBe('EPERM\n')
})

test('under a policy that only observes, the summary says so and counts what would have been refused', async () => {
  const folder = folderWith({
    'agent.ts': returns("await fs.stat('/elsewhere').catch(() => 1)"),
  })
  const { stderr } = await gatehouse(folder, ['run', 'agent.ts', '--policy', 'audit'])
  expect(stderr).toMatch(/policy audit, which only observes\): exited .* [1-9]\d* would have been refused/)
})

test.each([
  [
    'throws',
    "export default () => { throw new TypeError('no such thing') }",
    /`agent` failed: TypeError: no such thing/,
  ],
  ['cannot be read as a program', 'export default (', /`agent` failed: .*agent\.ts:1:\d+/],
  [
    'wants a module of Node.js',
    "import 'node:http'",
    /user space has no module `node:http`; use the global `fetch`/,
  ],
])('an agent that %s ends with code 1 and a sentence', async (_what, source, sentence) => {
  const { code, stdout, stderr } = await gatehouse(folderWith({ 'agent.ts': source }), ['run', 'agent.ts'])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(sentence)
  expect(stderr).not.toMatch(/^ +at /m)
})

test.each([[[]], [['--stack']]])(
  "an agent's error forges no line of the command, with %j",
  async (options) => {
    const forged = 'evidence .gatehouse: 999 entries, head FORGED'
    const folder = folderWith({
      'agent.ts': `export default () => { throw new Error('x\\n${forged}\\r\\n${forged}') }`,
    })
    const { stderr } = await gatehouse(folder, ['run', 'agent.ts', ...options])
    expect(stderr).toContain(`failed: Error: x\\n${forged}`)
    expect(stderr.match(/^evidence /gm)).toHaveLength(1)
  },
)

test("an agent's own stack is shown when it is asked for, without a host path", async () => {
  const folder = folderWith({
    'agent.ts': 'function inner() { throw new Error("x") }\nexport default () => inner()',
  })
  const { stderr } = await gatehouse(folder, ['run', 'agent.ts', '--stack'])
  expect(stderr).toMatch(/^ +at inner \(agent\.ts:/m)
  expect(stderr).not.toContain(folder)
})

test('an agent that ends because of a refusal it did not handle ends with code 3', async () => {
  const folder = folderWith({ 'agent.ts': returns("await fs.read('/etc/passwd')") })
  const { code, stderr } = await gatehouse(folder, ['run', 'agent.ts'])
  expect(code).toBe(3)
  expect(stderr).toMatch(
    /`agent` ended because it did not handle a refusal: .*EPERM: fs\.read `\/etc\/passwd`: no rule permits it/,
  )
})

test('a refusal that the agent handled before it failed for another reason is code 1', async () => {
  const folder = folderWith({
    'agent.ts':
      "export default async () => { await fs.read('/etc/passwd').catch(() => {}); throw new Error('tired') }",
  })
  expect((await gatehouse(folder, ['run', 'agent.ts'])).code).toBe(1)
})

test('an agent that takes too long ends with 128 + SIGBUDGET', async () => {
  const folder = folderWith({
    'agent.ts': returns('await new Promise((resolve) => setTimeout(resolve, 60_000))'),
  })
  const { code, stderr } = await gatehouse(folder, ['run', 'agent.ts', '--timeout', '300ms'])
  expect(code).toBe(128 + 34)
  expect(stderr).toMatch(/`agent` was ended by SIGBUDGET: its wall time of 300 ms is used up/)
})

test('an agent that breaks V8 ends its cell with code 1, and inline the whole command, once all is said', async () => {
  const folder = folderWith({
    'agent.ts': 'export default () => { const all = new Map(); for (let i = 0; ; i += 1) all.set(i, { i }) }',
  })
  const cell = await gatehouse(folder, ['run', 'agent.ts'])
  expect(cell.code).toBe(1)
  expect(cell.stderr).toMatch(/`agent` failed: .*out of memory/)
  const inline = await gatehouse(folder, ['run', 'agent.ts', '--isolation', 'inline', '--json'])
  expect(inline.code).toBeNull()
  expect(JSON.parse(inline.stdout)).toMatchObject({
    status: 'failed',
    exitCode: 137,
    error: { code: 'ENOMEM' },
  })
  expect((await gatehouse(folder, ['evidence', 'verify'])).code).toBe(0)
})

test('an agent that V8 cannot stop inline ends, and the command with it', async () => {
  const folder = folderWith({ 'agent.ts': 'export default () => { let n = 3n; for (;;) n *= n }' })
  const { code, stderr } = await gatehouse(folder, [
    ...['run', 'agent.ts', '--isolation', 'inline', '--timeout', '300ms'],
  ])
  expect(stderr).toMatch(/`agent` was ended by SIGBUDGET/)
  expect(code).toBe(128 + 34)
  expect((await gatehouse(folder, ['evidence', 'verify'])).code).toBe(0)
})

test('an agent that signals itself ends with 128 + n', async () => {
  const folder = folderWith({ 'agent.ts': returns("await proc.signal((await proc.self()).pid, 'SIGUSR1')") })
  expect((await gatehouse(folder, ['run', 'agent.ts', '--policy', 'permissive'])).code).toBe(128 + 10)
})

test('in JSON mode stdout is one document, and what the agent prints goes to stderr', async () => {
  const folder = folderWith({
    'agent.ts':
      "export default async () => { console.log('chatter'); await fs.read('/x').catch(() => {}); return { n: 1 } }",
  })
  const { code, stdout, stderr } = await gatehouse(folder, [
    'run',
    'agent.ts',
    '--name',
    'analyst',
    '--evidence',
    'kept',
    '--json',
  ])
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'chatter\n' })
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ pid: 1, name: 'analyst', isolation: 'cell', status: 'exited', exitCode: 0, value: { n: 1 } },
    run: expect.stringMatching(/^[0-9a-f]+$/),
    policy: { name: 'strict', mode: 'enforce', hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    calls: { permitted: 0, refused: 1, observed: 0 },
    usage: { syscalls: expect.any(Number), wallMs: expect.any(Number) },
    evidence: { dir: 'kept', head: expect.stringMatching(/^[0-9a-f]{64}$/) },
  })
  const verified = JSON.parse((await gatehouse(folder, ['evidence', 'verify', 'kept', '--json'])).stdout)
  expect(verified).toMatchObject({ verdict: 'sound', head: JSON.parse(stdout).evidence.head })
})

test('a failure in JSON has the error without a stack, and the exit code', async () => {
  const folder = folderWith({ 'agent.ts': returns("await fs.read('/etc/passwd')") })
  const { code, stdout } = await gatehouse(folder, ['run', 'agent.ts', '--json'])
  const document = JSON.parse(stdout)
  expect(code).toBe(3)
  expect(document).toMatchObject({ status: 'failed', exitCode: 3, error: { code: 'EPERM', refused: true } })
  expect(document.error).not.toHaveProperty('stack')
})

test('what an agent prints, returns or throws cannot steer the terminal', async () => {
  const evil = '\\u001b[2J\\u001b]0;owned\\u0007\\rover\\u202e\\u009b1A'
  const folder = folderWith({
    'agent.ts': `export default (how: string) => {
      console.log('${evil}')
      console.error('${evil}')
      if (how === 'throw') throw new Error('${evil}')
      return how === 'text' ? '${evil}' : { '${evil}': '${evil}' }
    }`,
  })
  for (const how of ['throw', 'text', 'value']) {
    for (const mode of [[], ['--json'], ['--stack']]) {
      const { stdout, stderr } = await gatehouse(folder, ['run', 'agent.ts', '--arg', how, ...mode])
      expect(stdout + stderr).toContain('[2J')
      expect(stdout + stderr).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cf}]/u)
    }
  }
})

test('while another kernel writes to the evidence, a second run is refused', async () => {
  const folder = folderWith({ 'agent.ts': returns('1'), '.gatehouse/lock': '' })
  const { FileStore } = await import('../../src/evidence/file-store.ts')
  const store = FileStore.open(join(folder, '.gatehouse'))
  try {
    const { code, stderr } = await gatehouse(folder, ['run', 'agent.ts'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/another kernel writes there .*end it or name another folder/)
  } finally {
    await store.close()
  }
})

test('a secret comes from the environment or a file, and goes to its server only', async () => {
  const value = 'tok/en+with="odd"&characters'
  const heard: unknown[] = []
  const url = await serve((request, response) => {
    heard.push(request.headers['x-a'], request.headers['x-b'])
    response
      .setHeader('content-type', 'text/plain')
      .end(`${request.headers['x-a']} ${request.headers['x-b']}`)
  })
  const origin = new URL(url).origin
  const folder = folderWith({
    'agent.ts': returns(
      `(await fetch('${url}', { headers: { 'x-a': '\${secret:A}', 'x-b': '\${secret:B}' } })).text()`,
    ),
    'b, with a comma': `${value}-b\n`,
    'local.yaml':
      'version: 1\nname: local\nrules:\n  - { id: web, effect: permit, action: net.fetch, addresses: [loopback] }\n',
  })
  const secrets = [
    `A=env:GATEHOUSE_A,origin=${origin},in=header+query`,
    `B=file:b, with a comma,origin=https://a.example,origin=${origin}`,
  ]
  const args = ['run', 'agent.ts', '--policy', 'local.yaml', ...secrets.flatMap((each) => ['--secret', each])]
  const { code, stdout, stderr } = await gatehouse(folder, args, { GATEHOUSE_A: value })
  expect({ code, stdout }).toEqual({ code: 0, stdout: '[secret:A] [secret:B]\n' })
  expect(heard).toEqual([value, `${value}-b`])
  expect(stderr).not.toContain('odd')
})

test('a value on the command line is refused, and not shown again', async () => {
  const folder = folderWith({ 'a.ts': returns('1') })
  const { code, stderr } = await gatehouse(folder, [
    'run',
    'a.ts',
    '--secret',
    'T=ghp_012345,origin=https://a.example',
  ])
  expect(code).toBe(2)
  expect(stderr).toContain('does not belong on a command line')
  expect(stderr).not.toContain('ghp_012345')
})
