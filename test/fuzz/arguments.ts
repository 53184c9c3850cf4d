/** Fuzzes the arguments of every syscall, through the gate of a whole kernel, and checks what each call left behind. */
import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { makeAgent } from '../../src/agents.ts'
import type { ListEntry, Mount } from '../../src/drivers/vfs/mount.ts'
import { inFolder } from '../../src/drivers/vfs/path.ts'
import type { Tree } from '../../src/drivers/vfs/tree.ts'
import { isErrno } from '../../src/errors.ts'
import type { Entry } from '../../src/evidence/entry.ts'
import { MemoryStore } from '../../src/evidence/memory-store.ts'
import type { Stream } from '../../src/evidence/store.ts'
import type { Guest, GuestEvents, GuestSpec, Tenancy, UserSpace } from '../../src/isolate/guest.ts'
import { limits } from '../../src/limits.ts'
import type { Process } from '../../src/proc/process.ts'
import { System } from '../../src/system.ts'
import { VirtualClock } from '../simulation/clock.ts'
import type { Random } from '../support/random.ts'
import { isUnsound, someArguments } from './values.ts'

/** No argument is this text, so that no child is taken for it. */
const program = 'the program that is fuzzed'

/** Guests that do what they are told from outside, and note what is delivered. */
class Puppets implements UserSpace {
  events: GuestEvents | undefined
  readonly replies: (readonly [number, unknown])[] = []

  start(_tenancy: Tenancy, spec: GuestSpec, events: GuestEvents): Guest {
    const isFirst = spec.program === program
    if (isFirst) this.events = events
    queueMicrotask(() => {
      // Children end at once, so that who waits for them goes on.
      if (!isFirst) return events.fault({ code: 'EFAULT', reason: 'a child' })
      // With a handler it may wait for what comes, without being taken for deadlocked.
      events.call(4_000_000_000, 'proc.sigaction', '{"signal":"SIGUSR2","disposition":"handler"}')
      events.turn({ cpuMs: 0, heapBytes: 1 })
    })
    return {
      deliver: (_time, batch) => {
        if (isFirst) this.replies.push(...(JSON.parse(batch) as [number, unknown][]))
        queueMicrotask(() => events.turn({ cpuMs: 0, heapBytes: 1 }))
      },
      freeze: async () => ({ how: 'idle', stack: [], depth: 0 }),
      thaw: async () => {},
      end: async () => {},
    }
  }

  async close(): Promise<void> {}
}

/** Keeps what is appended, so that one call's entries can be looked at. */
class WatchedStore extends MemoryStore {
  readonly fresh: Entry[] = []
  override append(stream: Stream, line: string): void {
    if (stream === 'log') this.fresh.push(JSON.parse(line))
    super.append(stream, line)
  }
}

const policy = {
  version: 1,
  name: 'fuzz',
  rules: [
    { id: 'all', effect: 'permit', action: ['fs.*', 'tool.call', 'ipc.*', 'proc.*'] },
    // Literal addresses that no rule opens: refused before anything leaves the machine.
    {
      id: 'near',
      effect: 'permit',
      action: 'net.fetch',
      resource: ['http://127.0.0.1/**', 'http://10.0.0.1/**'],
    },
    { id: 'not', effect: 'forbid', action: 'fs.*', resource: '/mem/working/b/**' },
  ],
} as const

const hostText = new RegExp(
  [process.cwd(), homedir(), '/node_modules/', '\\.ts:\\d', 'at Object', 'at async']
    .map((it) => it.replaceAll('/', '\\/'))
    .join('|'),
)

async function settle(): Promise<void> {
  for (let round = 0; round < 2; round += 1) await new Promise((resolve) => setImmediate(resolve))
}

export class ArgumentFuzz {
  readonly #random: Random
  readonly #clock = new VirtualClock()
  readonly #store = new WatchedStore()
  readonly #puppets = new Puppets()
  readonly #system: System
  readonly #defects: string[] = []
  #process: Process
  #tree: Tree
  #number = 0
  calls = 0
  readonly answers = new Map<string, number>()

  constructor(random: Random) {
    this.#random = random
    this.#system = new System(
      {
        policy,
        seed: 1,
        tools: {
          echo: {
            description: 'gives back what it gets',
            parameters: { type: 'object', properties: {} },
            execute: (args: never) => args,
          },
        },
      },
      () => false,
      { clock: this.#clock, space: this.#puppets, store: this.#store },
    )
    this.#system.observers.on('error', ({ where, error }) => {
      if (where === 'kernel') this.#defects.push(error instanceof Error ? (error.stack ?? '') : String(error))
    })
    this.#process = this.#spawn()
    this.#tree = this.#system.drivers.treeOf(this.#process)
  }

  /** One call from its frame to its answer. @throws AssertionError where a promise is broken */
  async call(given = someArguments(this.#random)): Promise<void> {
    await settle()
    if (this.#process.over) this.#process = this.#spawn()
    await settle()
    const { name, text } = given
    const shown = `${name} ${text.slice(0, 300)}`
    this.calls += 1
    this.#number += 1
    this.#store.fresh.length = 0
    this.#puppets.replies.length = 0
    this.#tree = this.#system.drivers.treeOf(this.#process)
    const before = this.#files()
    this.#puppets.events?.call(this.#number, name, text)
    await this.#answered()
    assert.deepEqual(this.#defects, [], `${shown}: the kernel has a defect`)
    const entry = this.#checkRecord(shown, before)
    if (isUnsound(text)) assert.equal(entry?.kind, 'refusal', `${shown}: it was admitted, and is not sound`)
    this.#checkReplies(shown)
  }

  /** @throws AssertionError where evidence does not verify or the kernel does not end */
  async close(): Promise<void> {
    const down = this.#system.shutdown()
    await settle()
    while (this.#clock.fire()) await settle()
    await down
    const { ok, problems, unsettled } = this.#system.log.verify()
    assert.ok(ok, `the evidence does not verify: ${JSON.stringify(problems.slice(0, 3))}`)
    assert.equal(unsettled, 0, 'calls have no outcome on record')
    assert.deepEqual(this.#defects, [])
  }

  #spawn(): Process {
    const agent = makeAgent({ source: program }, { name: 'fuzzed', budget: { wall: '100h' } }, 'cell')
    return this.#system.spawner.spawn(agent, [])
  }

  /** Lets time pass until there is an answer, or none can come. */
  async #answered(): Promise<void> {
    await settle()
    for (let timers = 0; timers < 5 && !this.#isAnswered; timers += 1) {
      if (!this.#clock.fire()) break
      await settle()
    }
    if (this.#isAnswered) return
    // It waits for something that only another could bring: it is ended, and that is on record.
    this.#process.signal(this.#process.held ? 'SIGCONT' : 'SIGKILL', 'by the fuzzer')
    await settle()
    if (!this.#isAnswered) this.#process.kill('SIGKILL', 'by the fuzzer')
    await settle()
  }

  get #isAnswered(): boolean {
    return this.#process.over || this.#puppets.replies.some(([number]) => number === this.#number)
  }

  #checkRecord(shown: string, before: string): Entry | undefined {
    const own = this.#store.fresh.filter(({ pid }) => pid === this.#process.pid)
    const judged = own.filter(
      ({ kind, call }) => (kind === 'intent' || kind === 'refusal') && call === this.#number,
    )
    assert.equal(judged.length, 1, `${shown}: ${judged.length} entries for one call`)
    const [entry] = judged
    const outcomes = own.filter(({ kind, intent }) => kind === 'outcome' && intent === entry?.seq)
    assert.equal(outcomes.length, entry?.kind === 'intent' ? 1 : 0, `${shown}: ${outcomes.length} outcomes`)
    const failed = entry?.kind === 'refusal' || outcomes[0]?.status === 'failed'
    if (failed && /^fs\./.test(String(entry?.syscall)))
      assert.equal(this.#files(), before, `${shown}: it failed, and files have changed`)
    if (entry?.kind === 'refusal')
      assert.equal(this.#files(), before, `${shown}: a refusal has touched files`)
    return entry
  }

  #checkReplies(shown: string): void {
    const replies = this.#puppets.replies.filter(
      ([number, reply]) => number === this.#number && !Object.hasOwn(Object(reply), 'signal'),
    )
    if (replies.length === 0) {
      assert.ok(this.#process.over, `${shown}: no answer, and the process is ${this.#process.state}`)
      return this.#count('the process ended')
    }
    assert.equal(replies.length, 1, `${shown}: ${replies.length} answers`)
    const reply = replies[0]?.[1] as { ok?: unknown; error?: { code: string; message: string } }
    assert.equal(Object.keys(reply).length, 1, `${shown}: ${JSON.stringify(reply).slice(0, 200)}`)
    if (reply.error === undefined) {
      assert.notEqual(reply.ok, undefined, `${shown}: an answer without a result`)
      return this.#count('ok')
    }
    const { code, message } = reply.error
    assert.ok(isErrno(code), `${shown}: the errno ${code}`)
    assert.ok(message.isWellFormed(), `${shown}: a message that is not text`)
    assert.ok(
      message.length < 2 * limits.errorTextMax + limits.urlMax,
      `${shown}: a message of ${message.length} characters`,
    )
    assert.doesNotMatch(message, hostText, `${shown}: a message that names the host`)
    assert.notEqual(code, 'EIO', `${shown}: ${message}`)
    this.#count(code)
  }

  #count(what: string): void {
    this.answers.set(what, (this.answers.get(what) ?? 0) + 1)
  }

  /** Every file that the process could change, as one text. */
  #files(): string {
    return ['/mem', '/mem/episodic', '/state', '/tmp']
      .map((at) => `${at}\n${shown(this.#tree.resolve(at).mount, '/')}`)
      .join('\n')
  }
}

/** Mounts in memory answer at once. */
function shown(mount: Mount, folder: string): string {
  return (mount.list(folder) as readonly ListEntry[])
    .map(({ name, type }) => {
      const at = inFolder(folder, name)
      if (type === 'folder') return `${at}\n${shown(mount, at)}`
      const bytes = Buffer.from(mount.read(at, 0, undefined) as Uint8Array)
      return `${at} ${bytes.length} ${bytes.subarray(0, 200).toString('base64')}`
    })
    .join('\n')
}
