/** Snapshots of a kernel's state: what comes back with one is what comes back from the whole record. */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KernelOptions, KernelSpace } from '../../src/index.ts'
import { ask, boot, entriesOf, exitValue, main, policyOf, tempFolder, until } from '../support/kernel.ts'
import { makeRandom, type Random } from '../support/random.ts'
import { endOf, flying, resumed } from './support.ts'

const agents = ['ann', 'bob', 'cleo']
const snapshotsIn = (dir: string) => readdirSync(dir).filter((name) => /^snapshot-\d+\.jsonl$/.test(name))

/** What a kill at this moment leaves behind; without snapshots where so asked. */
function left(dir: string, snapshots = true): string {
  const copy = tempFolder()
  for (const name of readdirSync(dir))
    if (/^(log|pack)-/.test(name) || (snapshots && name.startsWith('snapshot')))
      cpSync(join(dir, name), join(copy, name))
  return copy
}

/** Waits for one that is newer than what is there now, and for a signature over the entry that names it. */
async function taken(kernel: KernelSpace, dir: string): Promise<void> {
  const before = entriesOf(kernel, 'snapshot').length
  for (let n = 0; entriesOf(kernel, 'snapshot').length === before; n += 1) {
    await ask(kernel, `for (let n = 0; n < 20; n += 1) await fs.write('/tmp/x', 'x')`)
    expect(n, 'a snapshot is taken').toBeLessThan(50)
  }
  await kernel.evidence.checkpoint()
  expect(snapshotsIn(dir).length).toBeGreaterThan(0)
}

/** All that outlives processes: files with their times and labels, messages. */
async function stateOf(kernel: KernelSpace) {
  const state: Record<string, unknown> = {}
  for (const agent of agents) {
    const files = kernel.vfs(agent)
    const walk = async (path: string): Promise<void> => {
      const { type, modified, size } = await files.stat(path)
      const content = type === 'file' ? await files.read(path) : undefined
      state[`${agent} ${path}`] = { type, modified, size, content, labels: files.labels(path) }
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
  const path = () => random.pick(paths)
  const deed = () =>
    random.pick([
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
      const random = makeRandom(seed)
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
