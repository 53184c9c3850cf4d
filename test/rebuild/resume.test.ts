/** A kernel that was killed: the next one on its evidence goes on with what it had. */
import { expect, test } from 'vitest'
import { ask, boot, entriesOf, exitValue, main, tempFolder } from '../support/kernel.ts'
import { busy, cut, doubling, endOf, flying, left, linesOf, resumed } from './support.ts'

test('files, what was read, and the guest come back; a message sent later is received', async () => {
  const dir = tempFolder()
  const first = boot({ evidence: { dir } })
  await first.vfs('worker').write('/mem/task.txt', 'from the host')
  const proc = first.spawn(
    {
      source: main(`
        const rand = Math.random()
        await fs.write('/tmp/own', 'a')
        await fs.append('/mem/log', 'once;')
        await fs.mkdir('/mem/working/dir')
        await fs.write('/mem/working/dir/x', await fs.read('/mem/task.txt'))
        const { pid } = await proc.spawn('export default async () => { await fs.append("/mem/log", "child;"); return 5 }')
        const child = await proc.wait(pid)
        const { message } = await ipc.receive()
        await fs.append('/mem/log', 'twice;')
        return { args, pid, child: child.value, message, same: rand === args[1] || typeof rand, tmp: await fs.read('/tmp/own'), log: await fs.read('/mem/log'), x: await fs.read('/mem/working/dir/x'), self: (await proc.self()).pid }`),
    },
    { name: 'worker', args: ['hello'] },
  )
  await flying(first, 'ipc.receive')
  const copy = left(dir)
  const kernel = resumed(copy)
  const [back] = kernel.restored
  expect(back).toMatchObject({ pid: proc.pid, name: 'worker' })

  await flying(kernel, 'ipc.receive')
  await ask(kernel, `await ipc.send('worker', 'go')`, { name: 'friend' })
  expect(exitValue((await back?.exit) as never)).toMatchObject({
    ...{ args: ['hello'], pid: proc.pid + 1, child: 5, message: 'go', tmp: 'a', self: proc.pid },
    ...{ log: 'once;child;twice;', x: 'from the host' },
  })
  expect(kernel.evidence.verify()).toMatchObject({ ok: true })
  expect(entriesOf(kernel, 'rebuild')).toMatchObject([{ pid: proc.pid, cause: 'resume' }])
})

test('wherever a run is cut off, it comes to the same end', { timeout: 90_000 }, async () => {
  const dir = tempFolder()
  const whole = boot({ evidence: { dir }, tools: doubling([]) })
  const expected = exitValue(await whole.spawn({ source: busy }, { name: 'parent' }).exit)
  const entries = linesOf(dir).length
  const first = linesOf(dir).findIndex((line) => line.includes('"kind":"spawn"'))
  for (let count = first + 1; count < entries; count += 1) {
    const effects: number[] = []
    const copy = cut(dir, count)
    const isOver = linesOf(copy).some((line) => line.includes('"kind":"exit"') && line.includes('"pid":1'))
    const kernel = resumed(copy, { tools: doubling(effects) }, 'retry')
    if (isOver) {
      expect(kernel.restored).toEqual([])
      continue
    }
    console.log('cut', count, entries, performance.now() | 0)
    const exit = await endOf(kernel)
    expect(exit, `cut after ${count} of ${entries}`).toMatchObject({ status: 'exited', value: expected })
    expect(kernel.evidence.verify(), `cut after ${count}`).toMatchObject({ ok: true })
    await kernel.shutdown()
  }
})
