/** The bare mechanism: a guest that asks and is answered over isolated-vm, with no kernel in between. */
import { spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import ivm from 'isolated-vm'
import type { Round } from './measure.ts'
import { timed } from './measure.ts'

/** Asks `calls` times, `width` at once, and posts number 0 when all are answered. */
const askingGuest = `
const post = $0
const waiting = new Map()
let number = 0
const ask = () => new Promise((resolve) => { number += 1; waiting.set(number, resolve); post(number, 'fs.read', JSON.stringify({ path: '/tmp/file' })) })
return {
  deliver: (text) => { for (const [at, reply] of JSON.parse(text)) { const resolve = waiting.get(at); waiting.delete(at); resolve(reply) } },
  run: async (calls, width) => {
    for (let done = 0; done < calls; done += width) {
      const batch = []
      for (let index = 0; index < width; index += 1) batch.push(ask())
      await Promise.all(batch)
    }
    post(0, '', '')
  },
}
`

export const kibibyte = 'x'.repeat(1_024)

export interface BareGuest {
  run(calls: number, width: number): void
  deliver(batch: string): void
}

/** @param post is called for each question, and with 0 at the end */
export async function bareGuest(post: (number: number) => void): Promise<BareGuest> {
  const isolate = new ivm.Isolate({ memoryLimit: 64 })
  const context = await isolate.createContext()
  const callback = new ivm.Callback(post, { ignored: true })
  const doors = await context.evalClosure(askingGuest, [callback], { result: { reference: true } })
  const deliver = await doors.get('deliver', { reference: true })
  const run = await doors.get('run', { reference: true })
  return {
    run: (calls, width) => run.applyIgnored(undefined, [calls, width]),
    deliver: (batch) => deliver.applyIgnored(undefined, [batch]),
  }
}

/** Answers of one pass of the event loop go in one delivery, as a fair peer would do it. */
export function answering(send: (batch: string) => void): (number: number) => void {
  let replies: string[] = []
  return (number) => {
    replies.push(`[${number},"${kibibyte}"]`)
    if (replies.length > 1) return
    queueMicrotask(() => {
      const batch = `[${replies.join(',')}]`
      replies = []
      send(batch)
    })
  }
}

/** A bare guest in this process. */
export async function bareInline(calls: number, width: number): Promise<Round> {
  let finish = (): void => {}
  const answer = answering((batch) => guest.deliver(batch))
  const guest = await bareGuest((number) => (number === 0 ? finish() : answer(number)))
  const once = (): Promise<void> =>
    new Promise((resolve) => {
      finish = resolve
      guest.run(calls, width)
    })
  return { run: async () => (await timed(once)) / calls, close: async () => {} }
}

/** A bare guest in a child process, over a pipe with one JSON line a message. */
export async function bareCell(calls: number, width: number): Promise<Round> {
  const file = fileURLToPath(new URL('./bare-cell.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--no-node-snapshot', '--disable-warning=ExperimentalWarning', file],
    { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] },
  )
  const pipe = child.stdio[3] as Duplex
  let finish = (): void => {}
  const answer = answering((batch) => pipe.write(`${batch}\n`))
  eachLine(pipe, (line) => (line === '0' ? finish() : answer(Number(line))))
  const once = (): Promise<void> =>
    new Promise((resolve) => {
      finish = resolve
      pipe.write(`${calls} ${width}\n`)
    })
  const close = async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  return { run: async () => (await timed(once)) / calls, close }
}

/** Calls back with every line that comes over a pipe. */
export function eachLine(pipe: Duplex, take: (line: string) => void): void {
  let rest = ''
  pipe.setEncoding('utf8')
  pipe.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(take)
  })
}
