/** A program in the place of a cell's: tries what a cell that was taken over would try, and reports what came of it. */
import { exec, fork, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { existsSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { open as openInspector, Session } from 'node:inspector'
import { connect, createServer } from 'node:net'
import { setPriority } from 'node:os'
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { giveUp } from '../../src/isolate/give-up.ts'

/** What the test hands over: where something listens, and a file that is there, and its own pid. */
const port = Number(process.argv[2])
const file = process.argv[3] ?? ''
const kernelPid = Number(process.argv[4])

interface Emitter {
  once(event: string, then: (value: unknown) => void): unknown
}
const settle = (emitter: Emitter, event: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    emitter.once('error', reject)
    emitter.once(event, resolve)
  })
const legacy = (name: string): unknown =>
  (process as unknown as { binding(name: string): unknown }).binding(name)

const attempts: Readonly<Record<string, () => unknown>> = {
  'read a file': () => readFileSync(file),
  'read its environment': () => readFileSync('/proc/self/environ'),
  'ask for a file': () => statSync(file),
  'ask whether a file exists': () => existsSync(file),
  'list a folder': () => readdirSync('/'),
  'open a file': () => openSync(file, 'a'),
  'write a file': () => writeFileSync(`${file}.new`, 'x'),
  'open a database': async () => {
    const { DatabaseSync } = await import('node:sqlite')
    return new DatabaseSync(`${file}.db`)
  },
  'load a variable file': () => process.loadEnvFile(file),
  'change the folder': () => process.chdir('/'),
  'write a heap snapshot': () => writeHeapSnapshot(`${file}.heap`),
  'write a report': () => process.report.writeReport(`${file}.report`),
  'mount a folder for WASI': async () => {
    const { WASI } = await import('node:wasi')
    return new WASI({ version: 'preview1', preopens: { '/': '/' } })
  },
  'import other code': () => import(file),
  'run a command': () => settle(exec('true'), 'exit'),
  'run a command and wait': () => {
    const { error } = spawnSync('true')
    if (error !== undefined) throw error
  },
  'fork itself': () => fork(import.meta.filename),
  'start a worker': () => new Worker('1', { eval: true }),
  'use a binding of Node.js': () => legacy('spawn_sync'),
  'open the inspector': () => openInspector(0),
  'inspect itself': () => new Session().connect(),
  'raise its priority': () => setPriority(0, 0),
  connect: () => settle(connect(port, '127.0.0.1'), 'connect'),
  listen: () => settle(createServer().listen(0, '127.0.0.1'), 'listening'),
  'fetch a page': () =>
    fetch(`http://127.0.0.1:${port}/`).catch((error) => Promise.reject(error.cause ?? error)),
  'resolve a name': () => lookup('localhost'),
  'send a datagram': () =>
    new Promise((resolve, reject) => {
      const socket = createSocket('udp4')
      socket.once('error', reject)
      socket.send('x', port, '127.0.0.1', (error) => (error ? reject(error) : resolve(undefined)))
    }),
  'signal the kernel': () => process.kill(kernelPid, 0),
  'load a library': () => process.dlopen({ exports: {} }, file),
  'set flags of V8': () => setFlagsFromString('--allow-natives-syntax'),
}

const afterwards: typeof attempts = {
  'read its own program': () => readFileSync(import.meta.filename),
  'load a library': () => process.dlopen({ exports: {} }, file),
}

// Refusals may come as events of things that are gone already.
let late: (error: Error) => void = () => undefined
process.on('uncaughtException', (error) => late(error))
async function outcomesOf(of: typeof attempts): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {}
  for (const [name, attempt] of Object.entries(of)) {
    const refused = new Promise<never>((_, reject) => {
      late = reject
    })
    refused.catch(() => undefined)
    outcomes[name] = await Promise.race([(async () => attempt())(), refused]).then(
      () => 'done',
      (error) => String(error.code ?? error.message),
    )
  }
  return outcomes
}

const before = await outcomesOf(attempts)
giveUp()
const after = await outcomesOf(afterwards)
writeSync(
  3,
  JSON.stringify({ before, after, environment: Object.keys(process.env).sort(), cwd: process.cwd() }),
)
process.kill(process.pid, 'SIGKILL')
process.abort()
