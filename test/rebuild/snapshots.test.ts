/** Snapshots of a kernel's state: what comes back with one is what comes back from the whole record. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KernelOptions, KernelSpace } from '../../src/index.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf, tempFolder } from '../support/kernel.ts'
import { Random } from '../support/random.ts'
import { doubling, endOf, flying, resumed } from './support.ts'

const agents = ['ann', 'bob', 'cleo']
const snapshotsIn = (dir: string) => readdirSync(dir).filter((name) => /^snapshot-\d+\.jsonl$/.test(name))

/** What a kill at this moment leaves behind; without snapshots where so asked. */
function left(dir: string, snapshots = true): string {
  const copy = tempFolder()
  for (const name of readdirSync(dir))
    if (/^(log|pack)-/.test(name) || (snapshots && name.startsWith('snapshot-')))
      cpSync(join(dir, name), join(copy, name))
  return copy
}

/** Waits for one that is newer than what is there now, and for a signature over the entry that names it. */
async function taken(
  kernel: KernelSpace,
  dir: string,
  work: () => Promise<unknown> = () =>
    ask(kernel, `for (let n = 0; n < 20; n += 1) await fs.write('/tmp/x', 'x')`),
): Promise<void> {
  const before = entriesOf(kernel, 'snapshot').length
  for (let n = 0; entriesOf(kernel, 'snapshot').length === before; n += 1) {
    await work()
    expect(n, 'a snapshot is taken').toBeLessThan(50)
  }
  await kernel.evidence.checkpoint()
  expect(snapshotsIn(dir).length).toBeGreaterThan(0)
}

/** All that outlives processes: files with their labels, messages. */
async function stateOf(kernel: KernelSpace) {
  const state: Record<string, unknown> = {}
  for (const agent of agents) {
    const files = kernel.vfs(agent)
    const walk = async (path: string): Promise<void> => {
      const { type, size } = await files.stat(path)
      const content = type === 'file' ? await files.read(path) : undefined
      state[`${agent} ${path}`] = { type, size, content, labels: files.labels(path) }
      if (type === 'folder') for (const { name } of await files.list(path)) await walk(`${path}/${name}`)
    }
    await walk('/mem')
    await walk('/state')
    const empty = `const all = []
      for (;;) {
        const next = await ipc.receive({ timeoutMs: 1 }).catch(() => undefined)
        if (next === undefined) return all
        all.push(next)
      }`
    state[`${agent} messages`] = await ask(kernel, empty, { name: agent })
  }
  return state
}

/** A run of an agent that does what chance says. */
function deeds(random: Random): string {
  const paths = [
    '/mem/a',
    '/mem/b',
    '/mem/working/c',
    '/mem/working/d',
    '/state/e',
    '/mem/episodic/f',
    '/mem/dir/g',
  ]
  const path = (): string => random.pick(paths)
  const deed = (): string =>
    random.pick<() => string>([
      () => `fs.write('${path()}', '${random.between(0, 1_000)}')`,
      () => `fs.append('${path()}', '${random.between(0, 1_000)};')`,
      () => `fs.append('${path()}', '${random.between(0, 1_000)};')`,
      () => `fs.mkdir('/mem/dir')`,
      () => `fs.move('${path()}', '${path()}')`,
      () => `fs.move('/mem/dir', '/mem/working/${random.pick(['p', 'q'])}')`,
      () => `fs.remove('${path()}')`,
      () => `fs.remove('/mem/${random.pick(['dir', 'working/p', 'working/q'])}', { recursive: true })`,
      () => `ipc.send('${random.pick(agents)}', ${random.between(0, 1_000)})`,
      () => `ipc.receive({ timeoutMs: 1 })`,
      () => `fs.read('/mem/secret')`,
    ])()
  return Array.from({ length: random.between(1, 12) }, () => `await ${deed()}.catch(() => {})`).join('\n')
}

const labelling = policyOf([
  { id: 'secret', effect: 'permit', action: 'fs.read', resource: '/mem/secret', label: ['secret'] },
  { id: 'all', effect: 'permit', action: ['fs.*', 'ipc.*', 'proc.*'] },
])

describe('what comes back', () => {
  test.each([1, 2, 3, 4])(
    'is the same with a snapshot and without, whatever was done (seed %i)',
    {
      timeout: 60_000,
    },
    async (seed) => {
      const random = new Random(seed)
      const dir = tempFolder()
      const options: KernelOptions = { policy: labelling }
      const first = boot({ ...options, evidence: { dir, snapshotEvery: random.between(20, 60) } })
      for (const agent of agents) await first.vfs(agent).write('/mem/secret', agent, { labels: ['given'] })
      for (const agent of agents) first.register({ source: main('') }, { name: agent })
      const some = async () => {
        for (let n = random.between(3, 8); n > 0; n -= 1)
          await ask(first, deeds(random), { name: random.pick(agents) })
      }
      await some()
      await first.evidence.checkpoint()
      first.spawn(
        {
          source: main(
            `await fs.append('/tmp/own', 'x'); return (await ipc.receive()).message + await fs.read('/tmp/own')`,
          ),
        },
        { name: 'keeper' },
      )
      await flying(first, 'ipc.receive')
      await some()
      await taken(first, dir)
      await some()
      const copies = [left(dir), left(dir, false)]
      const [withOne, without] = copies.map((copy) => resumed(copy, options))
      if (withOne === undefined || without === undefined) throw new Error('two kernels')
      const state = await stateOf(withOne)
      expect(state).toEqual(await stateOf(without))
      expect(state).toEqual(await stateOf(first))
      await ask(withOne, `await ipc.send('keeper', 'end')`)
      expect(exitValue(await endOf(withOne))).toBe('endx')
      expect(withOne.evidence.verify()).toMatchObject({ ok: true })
    },
  )
})

/**
 * A folder whose kernel took a snapshot while `keeper` waited; runs came before, whose record nobody needs with it. `keeper`
 * tells what it has when a message comes.
 */
async function kept(options: KernelOptions = {}) {
  const dir = tempFolder()
  const kernel = boot({ ...options, evidence: { dir, snapshotEvery: 30 } })
  const early = `await fs.write('/mem/file', 'replaced'); await fs.write('/mem/file', 'first;'); await fs.mkdir('/mem/working/x')`
  await ask(kernel, early, { name: 'ann' })
  await kernel.evidence.checkpoint()
  const keeper = `
    await fs.append('/tmp/own', 'own;')
    await fs.append('/mem/mine', 'before;')
    const { message } = await ipc.receive()
    await fs.append('/mem/mine', 'after;')
    return { message, mine: await fs.read('/mem/mine'), own: await fs.read('/tmp/own') }`
  kernel.spawn({ source: main(keeper) }, { name: 'keeper' })
  await flying(kernel, 'ipc.receive')
  await taken(kernel, dir)
  await ask(kernel, `await fs.append('/mem/file', 'second;')`, { name: 'ann' })
  return { dir, kernel }
}

/** Goes on from a folder, and tells what came back. */
async function goesOn(dir: string, options: KernelOptions = {}) {
  const kernel = resumed(dir, options)
  const file = await kernel.vfs('ann').read('/mem/file')
  await ask(kernel, `await ipc.send('keeper', 'go')`)
  return { file, keeper: exitValue(await endOf(kernel)) }
}

const whole = {
  file: 'first;second;',
  keeper: { message: 'go', mine: 'before;after;', own: 'own;' },
}

/** Changes an entry of the runs that came before: only who reads the whole record finds out. */
function damage(dir: string): string {
  const path = join(dir, 'log-000001.jsonl')
  const text = readFileSync(path, 'utf8')
  expect(text).toContain('"agent":"ann"')
  writeFileSync(path, text.replace('"agent":"ann"', '"agent":"abc"'))
  return dir
}

const change = (dir: string, how: (text: string) => string): string => {
  for (const name of snapshotsIn(dir)) {
    const path = join(dir, name)
    writeFileSync(path, how(readFileSync(path, 'utf8')))
  }
  return dir
}

describe('what is believed', () => {
  test('with a snapshot nothing is read of what came before it; without, all of it', async () => {
    const { dir } = await kept()
    expect(await goesOn(left(dir))).toEqual(whole)
    expect(await goesOn(left(dir, false))).toEqual(whole)
    expect(await goesOn(damage(left(dir)))).toEqual(whole)
    expect(() => resumed(damage(left(dir, false)))).toThrow(/not whole/)
  })

  test('a snapshot that is torn, changed, of another log or of another place counts for nothing', async () => {
    const { dir } = await kept()
    const other = await kept()
    const cases: Record<string, (copy: string) => string> = {
      torn: (copy) => change(copy, (text) => text.slice(0, -20)),
      empty: (copy) => change(copy, () => ''),
      changed: (copy) => change(copy, (text) => text.replaceAll('/file"', '/fine"')),
      longer: (copy) => change(copy, (text) => `${text}\n`),
      'of another log': (copy) => {
        const texts = snapshotsIn(other.dir).map((name) => readFileSync(join(other.dir, name), 'utf8'))
        return change(copy, () => texts[0] ?? '')
      },
      'of another place': (copy) => {
        const [first = '', ...rest] = snapshotsIn(copy)
        const moved = first.replace(/\d+/, (digits) =>
          String(Number(digits) + 3).padStart(digits.length, '0'),
        )
        renameSync(join(copy, first), join(copy, moved))
        for (const name of rest) rmSync(join(copy, name))
        return copy
      },
      'a link': (copy) => {
        for (const name of snapshotsIn(copy)) {
          renameSync(join(copy, name), join(copy, `${name}.there`))
          symlinkSync(`${name}.there`, join(copy, name))
        }
        return copy
      },
    }
    for (const [name, spoil] of Object.entries(cases)) {
      expect(await goesOn(spoil(left(dir))), name).toEqual(whole)
      expect(() => resumed(damage(spoil(left(dir)))), name).toThrow(/not whole/)
    }
  })

  test('a snapshot counts only where a signature covers the entry that names it, and what follows is in order', async () => {
    const { dir } = await kept()
    const path = (copy: string) => join(copy, 'log-000001.jsonl')
    const cutAfterSnapshot = (copy: string): string => {
      const lines = readFileSync(path(copy), 'utf8').split('\n')
      const at = lines.findIndex((line) => line.includes('"kind":"snapshot"'))
      writeFileSync(path(copy), `${lines.slice(0, at + 1).join('\n')}\n`)
      return copy
    }
    expect(() => resumed(damage(cutAfterSnapshot(left(dir))))).toThrow(/not whole/)
    const changedLater = (copy: string): string => {
      const text = readFileSync(path(copy), 'utf8')
      const at = text.lastIndexOf('"resource":"/mem/file"')
      writeFileSync(path(copy), `${text.slice(0, at)}"resource":"/mem/fine"${text.slice(at + 22)}`)
      return copy
    }
    expect(() => resumed(changedLater(left(dir)))).toThrow(/not whole/)
  })

  test('the newest that is sound is used, and a few are kept', { timeout: 30_000 }, async () => {
    const { dir, kernel } = await kept()
    for (let n = 0; n < 6; n += 1) await taken(kernel, dir)
    const names = snapshotsIn(dir).sort()
    expect(names).toHaveLength(4)
    const copy = left(dir)
    for (const name of names.slice(2)) writeFileSync(join(copy, name), 'nonsense')
    expect(await goesOn(damage(copy))).toEqual(whole)
  })
})

describe('what is kept of it', () => {
  test('no text of a file or message lies in a snapshot, and what is deleted from the record does not come back', async () => {
    const { dir, kernel } = await kept()
    await ask(kernel, `await ipc.send('ann', 'a message'); await fs.write('/mem/file', 'confidential')`, {
      name: 'ann',
    })
    await taken(kernel, dir)
    const texts = snapshotsIn(dir)
      .map((name) => readFileSync(join(dir, name), 'utf8'))
      .join('')
    expect(texts).toContain('/file')
    for (const text of ['confidential', 'first;', 'a message', 'before;']) expect(texts).not.toContain(text)
    const entries = entriesOf(kernel, 'intent', 'fs.write').filter(({ agent }) => agent === 'ann')
    const [replaced, , last] = entries.map(({ seq }) => seq)
    const gone = (seq: number | undefined): string => {
      const copy = left(dir)
      const { hash = '' } = (entries.find((entry) => entry.seq === seq)?.args ?? {}) as { hash?: string }
      const pack = join(copy, 'pack-000001.jsonl')
      const lines = readFileSync(pack, 'utf8').split('\n')
      expect(lines.filter((line) => line.includes(hash))).toHaveLength(1)
      writeFileSync(pack, lines.filter((line) => !line.includes(hash)).join('\n'))
      return copy
    }
    // What was replaced since is not needed any more.
    expect(resumed(gone(replaced)).restored).toHaveLength(1)
    expect(() => resumed(gone(last))).toThrow(/cannot be (?:brought back|done again)/)
  })

  test('where a rule keeps texts out of the record, none comes to lie in a snapshot', async () => {
    const policy = policyOf([
      { id: 'quiet', effect: 'permit', action: 'fs.mkdir', resource: '/mem/**', log: 'digest' },
      { id: 'rest', effect: 'permit', action: ['fs.*', 'ipc.*'] },
    ])
    const dir = tempFolder()
    const kernel = boot({ policy, evidence: { dir, snapshotEvery: 10 } })
    const work = `for (let n = 0; n < 20; n += 1) await fs.write('/tmp/x', String(n))`
    await taken(kernel, dir, () => ask(kernel, work))
    await ask(kernel, `await fs.mkdir('/mem/about-a-customer')`)
    const count = entriesOf(kernel, 'snapshot').length
    for (let n = 0; n < 3; n += 1) await ask(kernel, work)
    const texts = snapshotsIn(dir).map((name) => readFileSync(join(dir, name), 'utf8'))
    expect(texts.join('')).not.toContain('customer')
    expect(entriesOf(kernel, 'snapshot').length - count).toBeLessThanOrEqual(1)
  })

  test('a device that does not take it costs the snapshot and nothing else', async () => {
    const dir = tempFolder()
    const kernel = boot({ evidence: { dir, snapshotEvery: 10 } })
    mkdirSync(join(dir, 'snapshot.new'))
    const work = `for (let n = 0; n < 30; n += 1) await fs.write('/mem/x', String(n)); return fs.read('/mem/x')`
    expect(await ask(kernel, work)).toBe('29')
    expect(entriesOf(kernel, 'snapshot')).toEqual([])
    await kernel.shutdown()
    const again = boot({ evidence: { dir, snapshotEvery: 10 } })
    expect(await ask(again, work)).toBe('29')
    expect(again.evidence.verify()).toMatchObject({ ok: true })
  })
})

describe('what goes on', () => {
  test('budget, labels and rules that count come back as without', async () => {
    const policy = policyOf(
      [
        { id: 'once', effect: 'permit', action: 'tool.call', once: true, label: ['secret'] },
        { id: 'rest', effect: 'permit', action: ['ipc.*', 'fs.*'] },
      ],
      { budget: { syscalls: 60 } },
    )
    const effects: number[] = []
    const options = { policy, tools: doubling(effects) }
    const dir = tempFolder()
    const kernel = boot({ ...options, evidence: { dir, snapshotEvery: 30 } })
    const source = main(`
      await tools.double({ n: 1 })
      await fs.write('/mem/labelled', 'x')
      await ipc.receive()
      const again = await tools.double({ n: 2 }).catch((error) => error.message)
      const self = await proc.self()
      return { again, labels: self.labels, left: self.budget.syscalls }`)
    kernel.spawn({ source }, { name: 'limited' })
    await flying(kernel, 'ipc.receive')
    await taken(kernel, dir)
    for (const copy of [left(dir), left(dir, false)]) {
      const next = resumed(copy, options)
      expect(next.vfs('limited').labels('/mem/labelled')).toEqual(['secret'])
      await ask(next, `await ipc.send('limited', 1)`, { name: 'friend' })
      expect(exitValue(await endOf(next))).toEqual({
        ...{ again: expect.stringContaining('it has been done'), labels: ['secret'], left: 55 },
      })
    }
    expect(effects).toEqual([1])
  })

  test('a fork begins at the snapshot before it, and at none that comes after it', async () => {
    const { dir, kernel } = await kept()
    const [proc] = kernel.ps().filter(({ name }) => name === 'keeper')
    const run = proc?.run ?? ''
    const end = kernel.evidence.head().entries - 1
    const late = boot({ evidence: { dir: damage(left(dir)), fork: { run, seq: end } } })
    expect(await late.vfs('ann').read('/mem/file')).toBe('first;second;')
    await ask(late, `await ipc.send('keeper', 'go')`)
    expect(exitValue(await endOf(late))).toEqual(whole.keeper)
    const [snapshot] = entriesOf(kernel, 'snapshot')
    const before = Number(snapshot?.after) - 1
    expect(() => boot({ evidence: { dir: damage(left(dir)), fork: { run, seq: before } } })).toThrow(
      /not whole/,
    )
    const early = boot({ evidence: { dir: left(dir), fork: { run, seq: before } } })
    expect(await early.vfs('ann').read('/mem/file')).toBe('first;')
    // What another result would have led to is in no snapshot.
    const [edited] = entriesOf(kernel, 'outcome').filter((entry) => entry.run === run && entry.seq < before)
    const replies = { [edited?.seq ?? 0]: null }
    expect(() => boot({ evidence: { dir: damage(left(dir)), fork: { run, seq: end, replies } } })).toThrow(
      /not whole/,
    )
  })

  test('a forked kernel takes snapshots of its own state, with what it has from the other one', async () => {
    const { dir, kernel } = await kept()
    const run = kernel.ps().find(({ name }) => name === 'keeper')?.run ?? ''
    const copy = left(dir)
    const fork = { run, seq: kernel.evidence.head().entries - 1 }
    const second = boot({ evidence: { dir: copy, fork, snapshotEvery: 30 } })
    await flying(second, 'ipc.receive')
    await taken(second, copy)
    await ask(second, `await fs.append('/mem/file', 'forked;')`, { name: 'ann' })
    const third = await goesOn(damage(left(copy)))
    expect(third).toEqual({ ...whole, file: 'first;second;forked;' })
  })

  test('a kernel that went on takes snapshots too, and the next one begins there', async () => {
    const { dir } = await kept()
    const copy = left(dir)
    const second = boot({ evidence: { dir: copy, resume: true, snapshotEvery: 30 } })
    await flying(second, 'ipc.receive')
    await taken(second, copy)
    await ask(second, `await fs.append('/mem/file', 'third;')`, { name: 'ann' })
    const third = await goesOn(damage(left(copy)))
    expect(third).toEqual({ ...whole, file: 'first;second;third;' })
  })
})
