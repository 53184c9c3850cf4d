/** Labels arrive with whatever a process learns, and nothing that a guest does takes one off. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf, refusalOf, tempFolder } from '../support/kernel.ts'
import { bootLabelled, carries, labelsNow } from '../support/labels.ts'

const page = 'await tools.read_page({})'

describe('a result', () => {
  test('carries the label of its rule, from before the guest sees it', async () => {
    const kernel = bootLabelled()
    const value = await ask(kernel, `const before = ${labelsNow}; ${page}; return [before, ${labelsNow}]`)
    expect(value).toEqual([[], ['untrusted']])
  })

  test('carries those of every rule that permits it, and of its tool', async () => {
    const kernel = bootLabelled({
      policy: policyOf([
        { id: 'all', effect: 'permit', action: '*', label: ['seen'] },
        { id: 'web', effect: 'permit', action: 'tool.call', resource: 'read_page', label: ['untrusted'] },
      ]),
    })
    await carries(kernel, `${page}; await tools.fails({}).catch(() => {})`, ['seen', 'untrusted'])
  })

  test('of an error that a driver throws carries the same', async () => {
    await carries(bootLabelled(), 'await tools.fails({}).catch(() => {})', ['untrusted'])
  })

  test('that is refused carries nothing', async () => {
    const kernel = bootLabelled({
      policy: policyOf([
        { id: 'no', effect: 'forbid', action: 'fs.write' },
        { id: 'all', effect: 'permit', action: '*' },
      ]),
    })
    await carries(kernel, "await fs.write('/tmp/a', 'x').catch(() => {})", [])
  })

  test('of a move carries the labels of all three questions', async () => {
    const kernel = bootLabelled({
      policy: policyOf([
        { id: 'all', effect: 'permit', action: '*' },
        { id: 'target', effect: 'permit', action: 'fs.write', resource: '/tmp/b', label: ['moved'] },
      ]),
    })
    await carries(kernel, "await fs.write('/tmp/a', 'x'); await fs.move('/tmp/a', '/tmp/b')", ['moved'])
  })

  test('of a mount carries those of the mount, also where there is nothing', async () => {
    const folder = tempFolder()
    writeFileSync(join(folder, 'a'), 'x')
    const kernel = bootLabelled({ mounts: { '/secret': { host: folder, labels: ['confidential'] } } })
    for (const call of [
      "fs.read('/secret/a')",
      "fs.stat('/secret/a')",
      "fs.list('/secret')",
      "fs.read('/secret/none')",
    ])
      await carries(kernel, `await ${call}.catch(() => {})`, ['confidential'])
  })
})

describe('a condition', () => {
  test('on labels refuses what untrusted data may not lead to, and nothing before', async () => {
    const kernel = bootLabelled({
      policy: policyOf([
        { id: 'all', effect: 'permit', action: '*' },
        { id: 'web', effect: 'permit', action: 'tool.call', resource: 'read_page', label: ['untrusted'] },
        {
          id: 'no-echo',
          effect: 'forbid',
          action: 'tool.call',
          resource: 'echo',
          when: '"untrusted" in labels',
        },
      ]),
    })
    const echo = "await tools.echo({ text: 'x' }).then(() => 'sent', (error) => error.code)"
    expect(await ask(kernel, `return [${echo}, (${page}, ${echo})]`)).toEqual(['sent', 'EPERM'])
  })
})

describe('a file', () => {
  const taint = `const text = ${page}`

  test('carries what its writer carried, to a process that reads it much later', async () => {
    const kernel = bootLabelled()
    await ask(kernel, `${taint}; await fs.write('/mem/note', text)`, { name: 'reader' })
    await carries(kernel, "await fs.read('/mem/note')", ['untrusted'])
    await carries(kernel, "await fs.stat('/mem/note')", ['untrusted'])
    expect(kernel.vfs('reader').labels('/mem/note')).toEqual(['untrusted'])
  })

  test('carries it through rename, move of its folder and append', async () => {
    const kernel = bootLabelled()
    await ask(
      kernel,
      `await fs.mkdir('/mem/in'); await fs.write('/mem/log', 'begun'); await fs.mkdir('/mem/other')
      ${taint}; await fs.write('/mem/in/note', text); await fs.append('/mem/log', text)`,
      { name: 'reader' },
    )
    await ask(
      kernel,
      "await fs.move('/mem/in', '/mem/other/out'); await fs.move('/mem/other/out/note', '/mem/b')",
      {
        name: 'reader',
      },
    )
    for (const path of ['/mem/b', '/mem/log'])
      await carries(kernel, `await fs.read('${path}')`, ['untrusted'])
  })

  test('loses it only by being replaced by a process that does not carry it', async () => {
    const kernel = bootLabelled()
    await ask(kernel, `${taint}; await fs.write('/mem/note', text)`, { name: 'reader' })
    await carries(kernel, "await fs.append('/mem/note', 'clean')", [])
    await carries(kernel, "await fs.read('/mem/note')", ['untrusted'])
    await carries(kernel, "await fs.write('/mem/note', 'clean')", [])
    await carries(kernel, "await fs.read('/mem/note')", [])
  })

  test('that a labelled process moves tells where it was put', async () => {
    const kernel = bootLabelled()
    await kernel.vfs('reader').write('/mem/a', 'clean')
    await kernel.vfs('reader').mkdir('/mem/folder')
    await kernel.vfs('reader').write('/mem/folder/in', 'clean')
    await ask(
      kernel,
      `${page}; await fs.move('/mem/a', '/mem/b'); await fs.move('/mem/folder', '/mem/moved')`,
      {
        name: 'reader',
      },
    )
    await carries(kernel, "await fs.read('/mem/b')", ['untrusted'])
    await carries(kernel, "await fs.read('/mem/moved/in')", ['untrusted'])
    await carries(kernel, "await fs.read('/mem/a').catch(() => {})", ['untrusted'])
  })

  test('does not leave the label behind that a rule gives to its place', async () => {
    const kernel = bootLabelled({
      policy: policyOf([
        { id: 'all', effect: 'permit', action: '*' },
        { id: 'inbox', effect: 'permit', action: 'fs.read', resource: '/mem/inbox/**', label: ['untrusted'] },
      ]),
    })
    const files = kernel.vfs('reader')
    await files.mkdir('/mem/inbox')
    await files.mkdir('/mem/inbox/sub')
    await files.write('/mem/inbox/a', 'x')
    await carries(kernel, "await fs.move('/mem/inbox/a', '/mem/b')", ['untrusted'])
    await carries(kernel, "await fs.read('/mem/b')", ['untrusted'])
    const whole = refusalOf("fs.move('/mem/inbox', '/mem/c')")
    expect(await ask(kernel, `return ${whole}`, { name: 'reader' })).toMatch(
      'keeps the folder from being moved',
    )
  })

  test('tells that its folder is there: all in a folder carries what its maker carried', async () => {
    const kernel = bootLabelled()
    await ask(kernel, `${page}; await fs.mkdir('/mem/made')`, { name: 'reader' })
    await carries(kernel, "await fs.write('/mem/made/a', 'x')", ['untrusted'])
    await carries(kernel, "await fs.write('/mem/a', 'x')", [])
  })

  test('names carry labels: what a folder holds, and that a file is there or gone', async () => {
    const kernel = bootLabelled()
    await kernel.vfs('reader').write('/mem/working/was', 'clean')
    await ask(
      kernel,
      `${page}; await fs.write('/mem/semantic/attack-at-dawn', ''); await fs.remove('/mem/working/was')`,
      {
        name: 'reader',
      },
    )
    await carries(kernel, "await fs.list('/mem/semantic')", ['untrusted'])
    await carries(kernel, "await fs.read('/mem/working/was').catch(() => {})", ['untrusted'])
    await carries(kernel, "await fs.mkdir('/mem/semantic/attack-at-dawn').catch(() => {})", ['untrusted'])
    await carries(kernel, "await fs.list('/mem/procedural')", [])
  })

  test('of the application carries what the application says', async () => {
    const kernel = bootLabelled()
    await kernel.vfs('reader').write('/mem/note', 'x', { labels: ['confidential'] })
    await carries(kernel, "await fs.read('/mem/note')", ['confidential'])
    await expect(kernel.vfs('reader').write('/mem/note', 'x', { labels: ['Not A Label'] })).rejects.toThrow(
      '`Not A Label` is no label',
    )
  })

  test('on the host carries it too, in every mount that shows the same file', async () => {
    const folder = tempFolder()
    const kernel = bootLabelled({
      mounts: { '/out': { host: folder, mode: 'rw' }, '/again': { host: folder, mode: 'ro' } },
    })
    await ask(kernel, `${taint}; await fs.mkdir('/out/sub'); await fs.write('/out/sub/note', text)`)
    for (const path of ['/out/sub/note', '/again/sub/note'])
      await carries(kernel, `await fs.read('${path}')`, ['untrusted'])
    await kernel.vfs('reader').move('/out/sub', '/out/clean')
    await carries(kernel, "await fs.read('/again/clean/note')", ['untrusted'])
    await carries(kernel, "await fs.list('/again')", ['untrusted'])
  })

  test('of /proc carries what its process carries; what is counted over all, what anybody does', async () => {
    const kernel = bootLabelled()
    const other = kernel.spawn({
      source: main(`${page}; await new Promise((wake) => setTimeout(wake, 60_000))`),
    })
    const own = "await fs.read('/proc/' + (await proc.self()).pid + '.json')"
    const waits = `while (JSON.parse(await fs.read('/proc/${other.pid}.json')).labels.length === 0);`
    expect(await ask(kernel, `${own}; return ${labelsNow}`)).toEqual([])
    expect(await ask(kernel, `${waits} return ${labelsNow}`)).toEqual(['untrusted'])
    for (const path of ['/proc', '/audit/log.jsonl', '/ipc'])
      await carries(kernel, `await fs.${path.includes('.') ? 'read' : 'list'}('${path}')`, ['untrusted'])
    await carries(kernel, "await fs.list('/policy'); await fs.list('/tools')", [])
  })
})

describe('between processes', () => {
  test('a message carries what its sender carried when it sent', async () => {
    const kernel = bootLabelled()
    const receiver = kernel.spawn(
      {
        source: main(
          `const seen = []; for (let n = 0; n < 2; n += 1) { await ipc.receive(); seen.push(${labelsNow}) } return seen`,
        ),
      },
      { name: 'receiver' },
    )
    await ask(
      kernel,
      `await ipc.send('receiver', 'clean'); const text = ${page}; await ipc.send('receiver', text)`,
    )
    expect(exitValue(await receiver.exit)).toEqual([[], ['untrusted']])
  })

  test('a child begins with what its parent carries at that moment, and gives back what it carries in the end', async () => {
    const kernel = bootLabelled()
    const child = (body: string): string =>
      `await proc.spawn(${JSON.stringify(`export default async () => { ${body} }`)})`
    const value = await ask(
      kernel,
      `const clean = ${child(`return ${labelsNow}`)}
      const reading = ${child(`await tools.read_page({}); return 1`)}
      const early = await proc.wait(clean.pid), between = ${labelsNow}
      const late = await proc.wait(reading.pid), after = ${labelsNow}
      const last = ${child(`return ${labelsNow}`)}
      return [early, between, late, after, (await proc.wait(last.pid)).value]`,
    )
    expect(value).toEqual([
      { status: 'exited', value: [] },
      [],
      { status: 'exited', value: 1, labels: ['untrusted'] },
      ['untrusted'],
      ['untrusted'],
    ])
  })

  test('an error of a child carries it as its value does', async () => {
    const kernel = bootLabelled()
    const source = 'export default async () => { throw new Error(await tools.read_page({})) }'
    const value = await ask(
      kernel,
      `const { pid } = await proc.spawn(${JSON.stringify(source)}); const { status } = await proc.wait(pid); return [status, ${labelsNow}]`,
    )
    expect(value).toEqual(['failed', ['untrusted']])
  })

  test('a signal tells its target who sends', async () => {
    const kernel = bootLabelled()
    const target = kernel.spawn({
      source: main(
        `const { promise, resolve } = Promise.withResolvers(); await proc.on('SIGUSR1', resolve); console.log('ready'); await promise; return ${labelsNow}`,
      ),
    })
    await new Promise<void>((ready) => kernel.on('output', () => ready()))
    await ask(kernel, `${page}; await proc.signal(${target.pid}, 'SIGUSR1')`)
    expect(exitValue(await target.exit)).toEqual(['untrusted'])
  })

  test('a tool that gives back what it got takes nothing off', async () => {
    await carries(bootLabelled(), `const text = ${page}; await tools.echo({ text })`, ['untrusted'])
  })

  test('what the application says of a process at its start is carried on', async () => {
    const kernel = bootLabelled()
    const exit = await kernel.spawn({ source: main(`return ${labelsNow}`) }, { labels: ['confidential'] })
      .exit
    expect(exit).toMatchObject({ value: ['confidential'], labels: ['confidential'] })
  })
})

test('a guest can read its labels everywhere, and change them nowhere', async () => {
  const kernel = bootLabelled()
  const value = await ask(
    kernel,
    `${page}
    const self = await proc.self(); self.labels.length = 0
    const codes = []
    for (const [name, args] of [['proc.self', { labels: [] }], ['fs.write', { path: '/tmp/a', text: '', labels: [] }], ['proc.exit', { value: 1, labels: [] }], ['proc.spawn', { source: '', labels: [] }]])
      codes.push(await sys(name, args).then(() => 'ok', (error) => error.code))
    return [${labelsNow}, JSON.parse(await fs.read('/proc/' + self.pid + '.json')).labels, codes]`,
  )
  expect(value).toEqual([['untrusted'], ['untrusted'], ['EINVAL', 'EINVAL', 'EINVAL', 'EINVAL']])
})

test('a policy of a guest gives no labels: their names are the application’s', async () => {
  const policy = {
    version: 1,
    name: 'own',
    rules: [{ id: 'a', effect: 'permit', action: '*', label: ['mine'] }],
  }
  const call = `proc.spawn('', { policy: ${JSON.stringify(policy)} }).catch((error) => error.code)`
  expect(await ask(boot(), `return ${call}`)).toBe('EINVAL')
})

test('who would carry more labels than are kept is ended, and what it knows goes nowhere without them', async () => {
  const many = Array.from({ length: limits.labelsMax }, (_, n) => `l${n}`)
  const kernel = bootLabelled({
    policy: policyOf([
      { id: 'all', effect: 'permit', action: '*' },
      { id: 'many', effect: 'permit', action: 'fs.write', label: many },
      { id: 'web', effect: 'permit', action: 'tool.call', resource: 'read_page', label: ['untrusted'] },
    ]),
  })
  const exit = await kernel.spawn({
    source: main(`await fs.write('/tmp/a', ''); return await tools.read_page({})`),
  }).exit
  expect(exit).toMatchObject({
    status: 'killed',
    signal: 'SIGPOLICY',
    reason: 'it would carry more than 32 labels',
  })
  expect(exit.labels).toEqual([...many, 'untrusted'].sort())
})

test('the record says what a process carried before a call, and what the result did', async () => {
  const kernel = bootLabelled()
  const proc = kernel.spawn({
    source: main(`const text = ${page}; await fs.write('/mem/a', text); return 1`),
  })
  const events: unknown[] = []
  kernel.on('syscall', ({ syscall, labels }) => events.push([syscall, labels]))
  await proc.exit
  const labels = (kind: string, syscall?: string) =>
    entriesOf(kernel, kind, syscall).map((entry) => entry.labels)
  expect(labels('spawn')).toEqual([[]])
  expect(labels('intent', 'tool.call')).toEqual([undefined])
  expect(labels('intent', 'fs.write')).toEqual([['untrusted']])
  expect(labels('outcome')).toEqual([['untrusted'], undefined, undefined])
  expect(labels('exit')).toEqual([['untrusted']])
  expect(events).toContainEqual(['tool.call', ['untrusted']])
  expect(kernel.ps({ all: true })).toMatchObject([{ labels: ['untrusted'] }])
  expect(kernel.inspect(proc.pid).process.labels).toEqual(['untrusted'])
  expect(kernel.evidence.verify().ok).toBe(true)
})
