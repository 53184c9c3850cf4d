/** The same work through the kernel: each question is a syscall, judged, charged and on record. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KernelSpace } from 'gatehouse'
import { kibibyte } from './bare.ts'
import { type Round, timed } from './measure.ts'

const program = `
export default async (calls, width) => {
  await fs.write('/tmp/file', '${kibibyte}')
  const round = async () => {
    for (let done = 0; done < calls; done += width) {
      const batch = []
      for (let index = 0; index < width; index += 1) batch.push(fs.read('/tmp/file'))
      await Promise.all(batch)
    }
    console.log('done')
  }
  await proc.on('SIGUSR1', round)
  console.log('ready')
  await new Promise(() => {})
}`

const policy = {
  version: 1,
  name: 'bench',
  rules: [{ id: 'files', effect: 'permit', action: 'fs.*', resource: '/tmp/**' }],
} as const

/** A kernel that keeps its evidence on disk, as one in use does. */
function boot(isolation: 'cell' | 'inline'): {
  kernel: KernelSpace
  dir: string
  close: () => Promise<void>
} {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  const kernel = new KernelSpace({ isolation, policy, evidence: { dir } })
  const close = async (): Promise<void> => {
    await kernel.shutdown()
    rmSync(dir, { recursive: true, force: true })
  }
  return { kernel, dir, close }
}

/** Reads 1 KiB `calls` times, `width` at once; each round begins with a signal and ends with a line of output. */
export async function governed(
  isolation: 'cell' | 'inline',
  calls: number,
  width: number,
): Promise<Round & { readonly dir: string }> {
  const { kernel, dir, close } = boot(isolation)
  let finish = (): void => {}
  const finished = (): Promise<void> =>
    new Promise((resolve) => {
      finish = resolve
    })
  kernel.on('output', () => finish())
  const ready = finished()
  const reader = kernel.spawn({ source: program }, { name: 'reader', args: [calls, width] })
  await ready
  const once = (): Promise<void> => {
    const done = finished()
    reader.signal('SIGUSR1')
    return done
  }
  return { run: async () => (await timed(once)) / calls, close, dir }
}

/** From `spawn` to the first result, in a kernel that is up; the cell of the agent is warm. */
export async function spawning(isolation: 'cell' | 'inline'): Promise<Round> {
  const { kernel, close } = boot(isolation)
  return {
    run: () => timed(() => kernel.execute({ source: 'export default () => 1' })),
    close,
  }
}
