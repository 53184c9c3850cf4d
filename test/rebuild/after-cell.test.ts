/** A cell that dies takes its guests with it, and not their processes: each guest is made again from the record. */
import { expect, test } from 'vitest'
import type { KernelSpace } from '../../src/index.ts'
import { boot, entriesOf, exitValue, main, sleep, tempFolder, until } from '../support/kernel.ts'

/** V8 cannot contain it: the whole cell ends. */
const crash = `new Array(1e9).fill(0)`

/** It holds values in its own memory across turns, and waits in between until it is told to go on. */
const keeper = main(`
  const seen = [Math.random(), crypto.randomUUID(), Date.now()]
  for (let n = 0; n < 3; n += 1) seen.push(await fs.stat('/mem/x' + n).catch((error) => error.code))
  await fs.write('/tmp/own', 'kept')
  await fs.append('/mem/log', 'once;')
  const { message } = await ipc.receive({ from: 'friend' })
  return [seen, message, await fs.read('/tmp/own'), await fs.read('/mem/log'), Math.random()]`)

/** Its neighbour by name and policy, who ends their cell when it is told to. */
const crasher = main(`await ipc.receive({ from: 'friend' }); ${crash}`)

const tell = (kernel: KernelSpace, to: string) =>
  kernel.spawn({ source: main(`await ipc.send('${to}', 'go on')`) }, { name: 'friend' }).exit

const waits = async (kernel: KernelSpace, pid: number): Promise<void> => {
  await until(() => kernel.ps().some((row) => row.pid === pid && row.state === 'waiting'), 'it waits')
  await until(
    () => kernel.inspect(pid).live?.inFlight.some(({ syscall }) => syscall === 'ipc.receive') ?? false,
    'it receives',
  )
}

test('what waits in a cell that its neighbour breaks goes on as if nothing had happened', async () => {
  const kernel = boot({ isolation: 'cell', evidence: { dir: tempFolder() } })
  const proc = kernel.spawn({ source: keeper }, { name: 'pair' })
  await waits(kernel, proc.pid)
  const bad = kernel.spawn({ source: main(crash) }, { name: 'pair' })
  expect((await bad.exit).error?.code).toBe('ENOMEM')
  await until(() => entriesOf(kernel, 'rebuild').length > 0, 'it is made again')
  await tell(kernel, 'pair')
  const [seen, message, own, log] = exitValue(await proc.exit) as never[][]
  expect({ message, own, log }).toEqual({ message: 'go on', own: 'kept', log: 'once;' })
  expect(seen?.slice(3)).toEqual(['ENOENT', 'ENOENT', 'ENOENT'])
  expect(entriesOf(kernel, 'rebuild')).toMatchObject([{ pid: proc.pid, cause: 'cell' }])
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
})
