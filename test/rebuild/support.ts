/** Runs that are cut off, and kernels that go on from what is left of them. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EvidenceFolder } from '../../src/evidence/read.ts'
import type { Exit, KernelOptions, KernelSpace } from '../../src/index.ts'
import { InlineSpace } from '../../src/isolate/inline.ts'
import { withLineage } from '../../src/rebuild/lineage.ts'
import { readRun } from '../../src/replay/recorded-run.ts'
import { type ReplayedRun, replayRun } from '../../src/replay/replay.ts'
import { boot, main, tempFolder, until } from '../support/kernel.ts'

/** What a kill at this moment leaves behind. */
export function left(dir: string): string {
  const copy = tempFolder()
  for (const name of readdirSync(dir))
    if (/^(log|pack)-/.test(name)) cpSync(join(dir, name), join(copy, name))
  return copy
}

export const linesOf = (dir: string): readonly string[] =>
  readFileSync(join(dir, 'log-000001.jsonl'), 'utf8').trimEnd().split('\n')

/** What a kill leaves behind that came when so many entries were written. */
export function cut(dir: string, entries: number): string {
  const copy = left(dir)
  mkdirSync(copy, { recursive: true })
  writeFileSync(join(copy, 'log-000001.jsonl'), `${linesOf(dir).slice(0, entries).join('\n')}\n`)
  return copy
}

export type Unsettled = 'fail' | 'retry' | 'ask'

export const resumed = (dir: string, options: KernelOptions = {}, unsettled?: Unsettled): KernelSpace =>
  boot({ ...options, evidence: { dir, resume: unsettled === undefined ? true : { unsettled } } })

/** How the only run ends that goes on. */
export async function endOf(kernel: KernelSpace): Promise<Exit> {
  const [proc] = kernel.restored
  if (proc === undefined) throw new Error('nothing goes on')
  return proc.exit
}

export const flying = (kernel: KernelSpace, syscall: string) =>
  until(
    () =>
      kernel
        .ps()
        .some(
          ({ pid }) => kernel.inspect(pid).live?.inFlight.some((call) => call.syscall === syscall) ?? false,
        ),
    `a call of ${syscall} is in flight`,
  )

/** Files, timers, a child, messages both ways, signals that are handled, and a tool: its value is always the same. */
export const busy = main(`
  const seen = []
  let signalled = 0
  await proc.on('SIGUSR1', () => { signalled += 1 })
  await fs.write('/tmp/own', 'a')
  const { pid } = await proc.spawn(\`export default async () => {
    for (let n = 0; n < 3; n += 1) {
      const { message } = await ipc.receive()
      await fs.append('/mem/log', message + ';')
      await ipc.send('parent', message * 2)
    }
    await proc.signal('parent', 'SIGUSR1')
    return 'child'
  }\`, { name: 'child' })
  for (let n = 1; n <= 3; n += 1) {
    const timer = new Promise((resolve) => setTimeout(resolve, 5))
    const [tool] = await Promise.all([tools.double({ n }), timer, fs.append('/tmp/own', String(n))])
    await ipc.send('child', tool)
    seen.push(tool, (await ipc.receive()).message)
  }
  const child = await proc.wait(pid)
  while (signalled === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  return { seen, child: child.value, own: await fs.read('/tmp/own'), signalled, names: (await fs.list('/tmp')).map(({ name }) => name) }`)

/** A tool whose effects are counted outside. */
export function doubling(effects: number[], idempotent = true) {
  return {
    double: {
      description: 'doubles',
      parameters: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
      idempotent,
      execute: ({ n }: { readonly n: number }) => {
        effects.push(n)
        return n * 2
      },
    } as never,
  }
}

/** Whether a run, with what it goes on from, does the same again. */
export async function replayOf(dir: string, run: string): Promise<ReplayedRun> {
  const source = withLineage(new EvidenceFolder(dir))
  const space = new InlineSpace()
  try {
    return await replayRun(readRun(source, run), { source, space })
  } finally {
    await space.close()
  }
}
