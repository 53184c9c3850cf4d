/** Runs attacks of the corpus beside others, and holds the kernel to what it promises after each. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import {
  type Exit,
  type KernelEvents,
  KernelSpace,
  type PolicyDocument,
  type ProcessHandle,
} from '../../src/index.ts'
import { type Attack, type Ending, program } from './attack.ts'
import { liveCells } from './children.ts'
import { ArenaHost } from './corpus-host.ts'
import { ArenaWeb } from './corpus-web.ts'

/** What every attacker may use, unless its attack says otherwise. One turn may take as long, by the clock on the wall. */
const budget = { cpu: '2s', memory: '32MiB', wall: '20s' } as const
/** Within this a fresh process has to run to its value, and a bystander to make a call, in ms. */
const boundMs = 8_000
/** How often an attack that goes on is probed, in ms. */
const longMs = 1_000
/** Between the checks after one attack and the next attack, in ms. */
const settleMs = 5
const nanosecondsPerMs = 1e6
/** A larger record is verified when the arena closes, not after each attack too. */
const verifiedBytesMax = 1024 * 1024

/** Everything that is not structural, except what belongs to others. */
const policyFor = ({ api, thief }: ArenaWeb['ports']): PolicyDocument => ({
  version: 1,
  name: 'corpus',
  rules: [
    { id: 'everything', effect: 'permit', action: '*' },
    {
      id: 'web',
      effect: 'permit',
      action: 'net.fetch',
      resource: [api, thief].map((port) => `http://*:${port}/**`),
      addresses: ['loopback'],
    },
    {
      id: 'others',
      effect: 'forbid',
      action: ['proc.signal', 'ipc.send', 'proc.spawn'],
      resource: ['bystander', 'probe'],
    },
    { id: 'closed', effect: 'forbid', action: 'fs.*', resource: '/tmp/closed/**' },
  ],
})

/** Permits everything; processes of different ones share no cell. */
const tenancy = (generation: number): PolicyDocument => ({
  version: 1,
  name: `generation-${generation}`,
  rules: [
    { id: 'all', effect: 'permit', action: '*' },
    // What is open on this machine the corpus's own policy says.
    { id: 'local', effect: 'permit', action: 'net.fetch', addresses: ['loopback'] },
  ],
})

const bystander = program(`let going = true, n = 0
  await proc.on('SIGUSR1', () => { going = false })
  for (; going; n += 1) {
    await fs.write('/mem/working/count', String(n))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return n`)

const repository = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')

/** What user space and evidence never show. An attack may name some of it itself. */
const hostTexts: readonly string[] = [
  ...['node:internal', 'node_modules', 'isolated-vm boundary', 'file://', 'src/isolate', 'src/gate'],
  ...['gate.ts', 'isolate.ts', 'cell-process', 'admission.ts', 'bootstrap.js'],
]

/** What an attack did, as far as a benchmark wants to know. */
export interface Outcome {
  readonly exit: Exit
  /** From the end of the attack until a fresh process had its value. */
  readonly probeMs: number
  /** The longest that the bystander had to wait between the ends of two of its calls. */
  readonly stallMs: number
  /** The longest pause of the kernel's event loop until the checks of the arena began. */
  readonly pauseMs: number
}

/** A kernel with something to steal, and others beside the attacker. */
export class Arena {
  readonly kernel: KernelSpace
  readonly #host: ArenaHost
  readonly #web: ArenaWeb
  readonly #bystander: ProcessHandle
  readonly #defects: unknown[] = []
  readonly #output = new Map<number, string>()
  readonly #pauses = monitorEventLoopDelay({ resolution: 1 })
  #calledAt = performance.now()
  #stallMs = 0
  #generation = 0

  static async open(isolation: 'cell' | 'inline'): Promise<Arena> {
    const host = new ArenaHost()
    const web = new ArenaWeb()
    await Promise.all([host.listen(), web.listen()])
    const arena = new Arena(isolation, host, web)
    await arena.#progress()
    return arena
  }

  private constructor(isolation: 'cell' | 'inline', host: ArenaHost, web: ArenaWeb) {
    this.#host = host
    this.#web = web
    const { folder, secrets } = this.#host
    this.#pauses.enable()
    this.kernel = new KernelSpace({
      policy: policyFor(web.ports),
      isolation,
      secrets: web.secrets,
      evidence: { dir: join(folder, 'evidence') },
      mounts: {
        '/workspace': { host: join(folder, 'mounted'), mode: 'ro' },
        '/scratch': { host: join(folder, 'scratch'), mode: 'rw' },
      },
      tools: { echo: tool((args) => args), breaks: tool(() => fail(secrets.tool)) },
    })
    this.kernel.vfs('bystander').write('/mem/working/secret', secrets.memory)
    this.kernel.on('error', ({ where, error }) => where === 'kernel' && this.#defects.push(error))
    this.kernel.on('syscall', (event) => this.#called(event))
    this.kernel.on('output', ({ pid, text }) =>
      this.#output.set(pid, `${this.#output.get(pid) ?? ''}${text}`),
    )
    this.#bystander = this.kernel.spawn({ source: bystander }, { name: 'bystander' })
  }

  /**
   * Runs one attack to its end.
   * @throws AssertionError that says which promise was broken
   */
  async run(attack: Attack): Promise<Outcome> {
    this.#host.newEvidence()
    // The checks after the attack before are no pause of this one.
    await new Promise((resolve) => setTimeout(resolve, settleMs))
    this.#pauses.reset()
    this.#stallMs = 0
    this.#calledAt = performance.now()
    const attacker = this.kernel.spawn(
      { source: attack.source },
      {
        name: 'attacker',
        args: [{ port: this.#host.port, bystander: this.#bystander.pid, ...this.#web.ports }],
        budget: { ...budget, ...attack.budget },
        policy: [tenancy(this.#generation), ...(attack.policy === undefined ? [] : [attack.policy].flat())],
      },
    )
    const [exit, hindered] = await Promise.all([attacker.exit, this.#probeDuring(attacker)])
    // Where V8 did not let go of it, its cell is killed later, with whoever came to live there.
    if (exit.status !== 'exited') this.#generation += 1
    const left = this.kernel.ps().filter(({ pid }) => pid !== this.#bystander.pid)
    const probeMs = await this.#probe()
    await this.#progress()
    const pauseMs = this.#pauses.max / nanosecondsPerMs
    if (hindered !== undefined) throw hindered
    assertEnding(attack, exit)
    assert.deepEqual(left, [], 'no process of the attacker is left')
    assert.deepEqual(this.#defects.splice(0), [], 'the kernel meets no defect of its own')
    assert.ok(this.#stallMs < boundMs, `the bystander waited ${Math.round(this.#stallMs)} ms`)
    this.#host.assertUntouched()
    this.#web.assertNotStolen()
    this.#assertNothingLeaked(attack, exit)
    if (this.#host.evidenceBytes < verifiedBytesMax) this.#assertVerified()
    return { exit, probeMs, stallMs: this.#stallMs, pauseMs }
  }

  /**
   * @param then what to do with the evidence, before its folder is gone
   * @throws AssertionError where the bystander or the whole record came to harm, or the kernel does not end
   */
  async close(then: (dir: string) => unknown = () => {}): Promise<void> {
    try {
      this.#bystander.signal('SIGUSR1')
      const { status, value } = await within('the bystander ends', this.#bystander.exit)
      assert.deepEqual([status, Number(value) > 0], ['exited', true], 'the bystander ends in order')
      this.#assertVerified()
      await within('the kernel shuts down', this.kernel.shutdown())
      assert.deepEqual(liveCells(), [], 'no cell is left')
      await then(join(this.#host.folder, 'evidence'))
    } finally {
      this.#pauses.disable()
      await this.kernel.shutdown()
      this.#host.close()
      this.#web.close()
    }
  }

  /** A fresh process runs to its value. @returns how long that took, in ms */
  async #probe(): Promise<number> {
    const beganAt = performance.now()
    const { exit } = this.kernel.spawn({ source: program('return "alive"') }, { name: 'probe' })
    const { value, reason } = await within('a fresh process has its value', exit)
    assert.equal(value ?? reason, 'alive', 'a fresh process has its value')
    return performance.now() - beganAt
  }

  /** @returns what was broken while the attack went on */
  async #probeDuring(attacker: ProcessHandle): Promise<unknown> {
    let goesOn = true
    void attacker.exit.then(() => {
      goesOn = false
    })
    for (;;) {
      let timer: NodeJS.Timeout | undefined
      const pause = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, longMs)
      })
      await Promise.race([pause, attacker.exit])
      clearTimeout(timer)
      if (!goesOn) return undefined
      try {
        await this.#probe()
      } catch (error) {
        return error
      }
    }
  }

  /** The bystander makes two more calls. */
  async #progress(): Promise<void> {
    const calls = (): number =>
      this.kernel.ps().find(({ pid }) => pid === this.#bystander.pid)?.syscalls ?? Number.NaN
    const before = calls()
    const deadline = performance.now() + boundMs
    while (!(calls() >= before + 2)) {
      assert.ok(performance.now() < deadline, 'the bystander lives and makes progress')
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  #called({ pid }: KernelEvents['syscall']): void {
    if (pid !== this.#bystander.pid) return
    const now = performance.now()
    this.#stallMs = Math.max(this.#stallMs, now - this.#calledAt)
    this.#calledAt = now
  }

  #assertVerified(): void {
    const { ok, problems } = this.kernel.evidence.verify()
    assert.deepEqual({ ok, problems }, { ok: true, problems: [] }, 'evidence verifies')
  }

  /** Output of its children counts too. */
  #assertNothingLeaked(attack: Attack, exit: Exit): void {
    const output = [...this.#output.values()].join('')
    this.#output.clear()
    const named = hostTexts.filter((text) => !attack.source.includes(text))
    const own = [this.#host.folder, repository, process.execPath, process.cwd()]
    const hidden = [...Object.values(this.#host.secrets), ...this.#web.traces, ...own, ...named]
    const shown = { exit: JSON.stringify(exit), output, evidence: this.#host.newEvidence() }
    for (const [where, text] of Object.entries(shown))
      for (const what of hidden)
        assert.ok(!text.includes(what), `${where} shows \`${what}\`: ${around(text, what)}`)
  }
}

const tool = (execute: (args: unknown) => unknown) => ({
  description: 'of the corpus',
  parameters: { type: 'object' },
  execute,
})

function fail(message: string): never {
  throw new Error(message)
}

function assertEnding(attack: Attack, exit: Exit): void {
  if (attack.ends.some((ending) => isEnding(ending, exit))) return
  const { usage: _, ...shown } = exit
  assert.deepEqual(shown, attack.ends, `\`${attack.name}\` ends as it must`)
}

function isEnding(ending: Ending, { status, value, signal, reason = '', error }: Exit): boolean {
  if ('value' in ending) return status === 'exited' && isSame(value, ending.value)
  if ('killed' in ending)
    return status === 'killed' && signal === ending.killed && (ending.reason?.test(reason) ?? true)
  return status === 'failed' && error?.code === ending.failed && (ending.message?.test(error.message) ?? true)
}

function isSame(actual: unknown, expected: unknown): boolean {
  try {
    assert.deepEqual(actual, expected)
    return true
  } catch {
    return false
  }
}

async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const error = new assert.AssertionError({ message: `${what} within ${boundMs} ms` })
    timer = setTimeout(() => reject(error), boundMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

const around = (text: string, what: string): string => {
  const at = text.indexOf(what)
  return text.slice(Math.max(0, at - 80), at + 80)
}
