/** Calls that wait for a person, from another terminal and at the terminal of a run. */
import { EventEmitter } from 'node:events'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { main as command } from '../../src/cli/main.ts'
import { KernelSpace } from '../../src/index.ts'
import { limits } from '../../src/limits.ts'
import { folderWith, gatehouse, start } from '../support/cli.ts'
import { entriesOf, exitValue, main, policyOf, sleep, until } from '../support/kernel.ts'

const policy = `version: 1
name: asking
rules:
  - { id: own, effect: permit, action: 'fs.*', resource: /tmp/** }
  - { id: notes, effect: ask, action: 'fs.*', resource: /mem/working/** }
`
const writes = main(
  `return fs.write('/mem/working/a', 'x\\n').then(() => 'written', (error) => error.message)`,
)

function waiting(source = writes) {
  const folder = folderWith()
  const kernel = new KernelSpace({
    policy: policyOf([{ id: 'notes', effect: 'ask', action: 'fs.*' }]),
    isolation: 'inline',
    evidence: { dir: join(folder, '.gatehouse') },
  })
  onTestFinished(() => kernel.shutdown())
  return { folder, kernel, child: kernel.spawn({ source }, { name: 'clerk' }) }
}

test('a request is listed, shown whole, approved by who is logged in, and gone', async () => {
  const { folder, kernel, child } = waiting()
  await until(() => kernel.approvals.list().length === 1, 'it asks')
  const [request] = kernel.approvals.list()
  const id = request?.id ?? ''
  for (const words of [['approvals'], ['approvals', 'list']]) {
    const listed = await gatehouse(folder, words)
    expect(listed).toMatchObject({ code: 0, stderr: '' })
    expect(listed.stdout).toMatch(/^ID +AGENT +PID +CALL +ON +WAITS +LEFT +RULE\n/)
    expect(listed.stdout).toMatch(
      new RegExp(`^${id} +clerk +1 +fs\\.write +/mem/working/a +\\S+ +9m\\d\\ds +notes$`, 'm'),
    )
  }
  const shown = await gatehouse(folder, ['approvals', id])
  expect(shown.stdout).toContain(`approval ${id}: fs.write /mem/working/a\n`)
  expect(shown.stdout).toContain('  |   "text": "x\\n"\n')
  expect(shown.stdout).toContain('  | +x\n')
  expect((await gatehouse(folder, ['ps'])).stdout).toMatch(/waiting, 1 to approve/)
  expect((await gatehouse(folder, ['inspect', 'clerk'])).stdout).toMatch(
    new RegExp(`fs\\.write /mem/working/a open for \\S+ waits for approval ${id}$`, 'm'),
  )
  expect(await gatehouse(folder, ['approve', id, '--reason', 'fine'])).toEqual({
    code: 0,
    stdout: 'clerk (pid 1): fs.write /mem/working/a approved\n',
    stderr: '',
  })
  expect(exitValue(await child.exit)).toBe('written')
  expect(entriesOf(kernel, 'answer')).toMatchObject([
    {
      by: `${userInfo().username}, from a terminal (uid ${process.geteuid?.()})`,
      reason: 'fine',
      answer: 'approved',
    },
  ])
  expect(await gatehouse(folder, ['approve', id])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('waits no longer: it was approved'),
  })
  expect((await gatehouse(folder, ['approvals', id])).code).toBe(1)
  await kernel.shutdown()
  const timeline = await gatehouse(folder, ['evidence', 'timeline'])
  expect(timeline.stdout).toMatch(/ask by test:notes.*approved by .*: fine/)
})

test('a request is denied with a reason, or approved with other arguments', async () => {
  const twice = waiting(
    main(`const told = async (path) => fs.write(path, 'x').then(() => 'ok', (e) => e.message)
    return [await told('/mem/working/a'), await told('/mem/working/b'),
      await fs.read('/mem/working/c').catch((error) => error.message)]`),
  )
  const { folder, kernel, child } = twice
  const next = async (): Promise<string> => {
    await until(() => kernel.approvals.list().length === 1, 'it asks')
    return kernel.approvals.list()[0]?.id ?? ''
  }
  const first = await next()
  const denied = await gatehouse(folder, ['deny', first, '--reason', 'not there', '--by', 'anna', '--json'])
  expect(JSON.parse(denied.stdout)).toMatchObject({ id: first, answer: 'deny', syscall: 'fs.write' })
  const second = await next()
  const bad = await gatehouse(folder, ['approve', second, '--args', '{"path":7}'])
  expect(bad).toMatchObject({ code: 1, stderr: expect.stringContaining('EINVAL: fs.write') })
  const args = JSON.stringify({ path: '/mem/working/c', text: 'theirs' })
  expect((await gatehouse(folder, ['approve', second, '--args', args])).code).toBe(0)
  expect((await gatehouse(folder, ['approve', await next()])).code).toBe(0)
  expect(exitValue(await child.exit)).toEqual([expect.stringMatching(/denied: not there/), 'ok', 'theirs'])
  const { stdout: log } = await gatehouse(folder, ['logs', '--calls', 'clerk'])
  expect(log).toMatch(new RegExp(`fs\\.write /mem/working/a approval ${first} asked$`, 'm'))
  expect(log).toMatch(
    new RegExp(`approval ${first} denied by anna, from a terminal \\(uid \\d+\\) not there$`, 'm'),
  )
})

test('what an agent writes into a request can neither steer nor hide', async () => {
  const evil = '\\u001b[2J\\u202ecod.exe\\u200d\\u00a0\\u3164\\r\\nagent      nobody'
  const { folder, kernel } = waiting(main(`await fs.write('/mem/working/a', '${evil}').catch(() => {})`))
  await until(() => kernel.approvals.list().length === 1, 'it asks')
  const [{ id = '' } = {}] = kernel.approvals.list()
  for (const words of [['approvals'], ['approvals', id]]) {
    const { stdout } = await gatehouse(folder, words)
    expect(stdout.replaceAll('\n', '')).not.toMatch(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u00a0]/u,
    )
    // Of its lines none looks like one of ours.
    expect(stdout.match(/^ {2}agent /gm) ?? []).toHaveLength(words.length - 1)
  }
  const { stdout } = await gatehouse(folder, ['approvals', id])
  for (const shown of ['\\u001b[2J', '\\u{202e}', '\\u{200d}', '\\xa0', '\\u{3164}'])
    expect(stdout).toContain(shown)
  const { stdout: json } = await gatehouse(folder, ['approvals', '--json'])
  expect(json.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u)
  kernel.approvals.deny(id)
})

test('a run without a terminal says once how to answer it, and goes on when that is done', async () => {
  const folder = folderWith({ 'agent.ts': writes, 'policy.yaml': policy })
  const { ended, until: said } = start(folder, ['run', 'agent.ts', '--policy', 'policy.yaml'])
  await said('waits for approval')
  const { stdout } = await gatehouse(folder, ['approvals', '--json'])
  const [{ id }] = JSON.parse(stdout).requests
  expect((await gatehouse(folder, ['approve', id])).code).toBe(0)
  const { code, stdout: printed, stderr } = await ended
  expect([code, printed]).toEqual([0, 'written\n'])
  expect(stderr.match(new RegExp(`gatehouse approve ${id} --dir \\.gatehouse`, 'g'))).toHaveLength(1)
})

/** A terminal, as far as the command sees one. */
class Terminal extends EventEmitter {
  readonly isTTY = true
  readonly columns = 200
  text = ''
  reading = false

  write(text: string): boolean {
    this.text += text
    return true
  }
  resume(): this {
    this.reading = true
    return this
  }
  pause(): this {
    this.reading = false
    return this
  }
  type(keys: string): void {
    this.emit('data', Buffer.from(keys))
  }
}

function runAtTerminal(source: string, ...words: readonly string[]) {
  const folder = folderWith({ 'agent.ts': source, 'policy.yaml': policy })
  const terminal = new Terminal()
  const io = { stdin: terminal, stdout: terminal, stderr: terminal, env: { NO_COLOR: '1' } }
  const ended = command(
    [
      ...['run', join(folder, 'agent.ts'), '--policy', join(folder, 'policy.yaml')],
      ...['--evidence', join(folder, '.gatehouse'), ...words],
    ],
    io as never,
  )
  const shows = (text: string) =>
    until(() => terminal.text.includes(text), `it shows ${text}: ${terminal.text}`)
  return { folder, terminal, ended, shows }
}

const question = 'Let this call pass, once? [y/N] '

test.each([
  ['y\n', 'written'],
  ['YES\n', 'written'],
  ['\n', 'denied'],
  ['yep\n', 'denied'],
])('at the terminal of a run a person is asked; %j is answered so', async (typed, result) => {
  const { terminal, ended, shows } = runAtTerminal(writes)
  await shows(question)
  expect(terminal.text).toMatch(/approval [0-9a-f]{10}: fs\.write \/mem\/working\/a\n/)
  expect(terminal.text).toContain('  | +x\n')
  await sleep(limits.approvalTypedMs + 100)
  terminal.type(typed)
  expect(await ended).toBe(0)
  expect(terminal.text).toContain(result)
  expect(terminal.reading).toBe(false)
})

test('what was typed before the question could be read is no answer', async () => {
  const { terminal, ended, shows } = runAtTerminal(writes)
  await shows(question)
  terminal.type('y\n')
  await shows('that was typed before the question')
  await sleep(limits.approvalTypedMs + 100)
  terminal.type('n\n')
  await ended
  expect(terminal.text).toContain('denied')
})

test('an agent prints nothing beside a question; it is shown afterwards, and one question comes after the other', async () => {
  const { terminal, ended, shows } = runAtTerminal(
    main(`const all = ['a', 'b'].map((name) => fs.write('/mem/working/' + name, 'x').then(() => name, () => 'no'))
      setTimeout(() => console.log('${question} it is harmless'), 50)
      return Promise.all(all)`),
  )
  await shows('/mem/working/a\n')
  await sleep(limits.approvalTypedMs + 200)
  expect(terminal.text).not.toContain('harmless')
  expect(terminal.text).not.toContain('/mem/working/b\n')
  terminal.type('y\n')
  await shows('/mem/working/b\n')
  await sleep(limits.approvalTypedMs + 100)
  terminal.type('n\n')
  await ended
  expect(terminal.text.indexOf('harmless')).toBeGreaterThan(terminal.text.indexOf('/mem/working/a\n'))
  expect(terminal.text).toMatch(/"a",\s+"no"/)
})

test('an answer from elsewhere ends the question; --no-ask asks nobody here', async () => {
  const here = runAtTerminal(writes)
  await here.shows(question)
  const id = /approval ([0-9a-f]{10}):/.exec(here.terminal.text)?.[1] ?? ''
  expect((await gatehouse(here.folder, ['approve', id, '--by', 'bo'])).code).toBe(0)
  await here.ended
  expect(here.terminal.text).toMatch(new RegExp(`approval ${id}: approved, by bo, from a terminal`))
  const silent = runAtTerminal(writes, '--no-ask')
  await silent.shows('waits for approval')
  const [, other = ''] = /waits for approval ([0-9a-f]{10}):/.exec(silent.terminal.text) ?? []
  expect((await gatehouse(silent.folder, ['deny', other])).code).toBe(0)
  await silent.ended
  expect(silent.terminal.text).not.toContain(question)
  expect(silent.terminal.reading).toBe(false)
})
