/** Runs attacks of the corpus beside others, and holds the kernel to what it promises after each. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Exit,
  type KernelEvents,
  KernelSpace,
  type PolicyDocument,
  type ProcessHandle,
} from '../../src/index.ts'
import { type Attack, type Ending, program, type World } from './attack.ts'

/** What every attacker may use, unless its attack says otherwise. */
const budget = { cpu: '300ms', memory: '32MiB', wall: '20s' } as const
/** Within this a fresh process has to run to its value, and a bystander to make a call, in ms. */
const boundMs = 8_000

/** Everything that is not structural, except what belongs to others. */
const policy: PolicyDocument = {
  version: 1,
  name: 'corpus',
  rules: [
    { id: 'everything', effect: 'permit', action: '*' },
    { id: 'others', effect: 'forbid', action: ['proc.signal', 'ipc.send'], resource: ['bystander', 'probe'] },
    { id: 'names', effect: 'forbid', action: 'proc.spawn', resource: ['bystander', 'probe'] },
    { id: 'closed', effect: 'forbid', action: 'fs.*', resource: '/tmp/closed/**' },
  ],
}

const bystander = program(`for (let n = 0; ; n += 1) {
  await fs.write('/mem/working/count', String(n))
  await new Promise((resolve) => setTimeout(resolve, 5))
}`)

const repository = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')

/** What user space and evidence never show. An attack may name some of it itself. */
const hostTexts: readonly string[] = [
  ...['node:internal', 'node_modules', 'isolated-vm boundary', 'file://', 'src/isolate', 'src/gate'],
  ...['gate.ts', 'isolate.ts', 'cell-process', 'admission.ts', 'process.execPath', 'bootstrap.js'],
]

/** What an attack did, as far as a benchmark wants to know. */
export interface Outcome {
  readonly exit: Exit
  /** From the end of the attack until a fresh process had its value. */
  readonly probeMs: number
  /** The longest the bystander had to wait between two of its calls. */
  readonly stallMs: number
}

/** A kernel with something to steal, and others beside the attacker. */
export class Arena {
  readonly kernel: KernelSpace
  readonly #secrets: readonly string[]
  readonly #folder: string
  readonly #outside: ReadonlyMap<string, string>
  readonly #server: Server
  readonly #bystander: ProcessHandle
  readonly #defects: unknown[] = []
  readonly #output = new Map<number, string>()
  #asked = 0
  #calledAt = performance.now()
  #stallMs = 0
  #evidenceRead = new Map<string, number>()

  static async open(isolation: 'cell' | 'inline'): Promise<Arena> {
    const arena = new Arena(isolation)
    arena.#server.listen(0, '127.0.0.1')
    await new Promise((resolve) => arena.#server.once('listening', resolve))
    await arena.#progress()
    return arena
  }

  private constructor(isolation: 'cell' | 'inline') {
    const secret = (what: string): string => `canary-${what}-${randomUUID()}`
    const [file, environment, memory, tool] = [
      secret('file'),
      secret('env'),
      secret('memory'),
      secret('tool'),
    ]
    this.#secrets = [file, environment, memory, tool]
    process.env.GATEHOUSE_CANARY = environment
    this.#folder = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-corpus-')))
    this.#furnish(file)
    this.#outside = this.#readOutside()
    this.kernel = new KernelSpace({
      policy,
      isolation,
      evidence: { dir: join(this.#folder, 'evidence') },
      mounts: {
        '/workspace': { host: join(this.#folder, 'mounted'), mode: 'ro' },
        '/scratch': { host: join(this.#folder, 'scratch'), mode: 'rw' },
      },
      tools: {
        echo: { description: 'gives back', parameters: { type: 'object' }, execute: (args: unknown) => args },
        breaks: {
          description: 'throws',
          parameters: { type: 'object' },
          execute: () => {
            throw new Error(tool)
          },
        },
      },
    })
    this.kernel.vfs('bystander').write('/mem/working/secret', memory)
    this.kernel.on('error', ({ where, error }) => where === 'kernel' && this.#defects.push(error))
    this.kernel.on('syscall', (event) => this.#called(event))
    this.kernel.on('output', ({ pid, text }) =>
      this.#output.set(pid, `${this.#output.get(pid) ?? ''}${text}`),
    )
    this.#server = createServer((_request, response) => {
      this.#asked += 1
      response.end(file)
    })
    this.#bystander = this.kernel.spawn({ source: bystander }, { name: 'bystander' })
  }

  /** Runs one attack to its end. @throws AssertionError that says which promise was broken */
  async run(attack: Attack): Promise<Outcome> {
    this.#stallMs = 0
    this.#newEvidence()
    const world: World = {
      port: (this.#server.address() as AddressInfo).port,
      bystander: this.#bystander.pid,
    }
    const attacker = this.kernel.spawn(
      { source: attack.source },
      {
        name: 'attacker',
        args: [world],
        budget: { ...budget, ...attack.budget },
        ...(attack.policy !== undefined && { policy: attack.policy }),
      },
    )
    const exit = await attacker.exit
    const endedAt = performance.now()
    assert.equal(
      await this.#within(
        'a fresh process has its value',
        this.kernel
          .spawn({ source: program('return "alive"') }, { name: 'probe' })
          .exit.then(({ value }) => value),
      ),
      'alive',
    )
    const probeMs = performance.now() - endedAt
    await this.#progress()
    assert.equal(
      this.#bystander.state === 'running' || this.#bystander.state === 'waiting',
      true,
      'the bystander lives',
    )
    assertEnding(attack, exit)
    this.#assertQuiet()
    this.#assertNothingLeaked(attack, exit, attacker.pid)
    const { ok, problems } = this.kernel.evidence.verify()
    assert.deepEqual({ ok, problems }, { ok: true, problems: [] }, 'evidence verifies')
    return { exit, probeMs, stallMs: this.#stallMs }
  }

  async close(): Promise<void> {
    await this.kernel.shutdown()
    this.#server.close()
    rmSync(this.#folder, { recursive: true, force: true })
    delete process.env.GATEHOUSE_CANARY
  }

  /** Mounted folders, and beside them what no path may lead to. */
  #furnish(secret: string): void {
    for (const name of ['mounted/sub', 'scratch', 'beside'])
      mkdirSync(join(this.#folder, name), { recursive: true })
    writeFileSync(join(this.#folder, 'mounted/a.txt'), 'mounted')
    writeFileSync(join(this.#folder, 'beside/secret.txt'), secret)
    symlinkSync(join(this.#folder, 'beside'), join(this.#folder, 'mounted/out'))
    symlinkSync('../beside/secret.txt', join(this.#folder, 'mounted/link.txt'))
    symlinkSync(join(this.#folder, 'beside'), join(this.#folder, 'scratch/out'))
    symlinkSync('../beside/secret.txt', join(this.#folder, 'scratch/link.txt'))
  }

  /** The host's files that no attack may change. */
  #readOutside(): ReadonlyMap<string, string> {
    const files = ['mounted', 'beside'].flatMap((folder) =>
      readdirSync(join(this.#folder, folder)).map((name) => join(folder, name)),
    )
    return new Map(files.map((file) => [file, readIfFile(join(this.#folder, file))]))
  }

  #called({ pid }: KernelEvents['syscall']): void {
    if (pid !== this.#bystander.pid) return
    const now = performance.now()
    this.#stallMs = Math.max(this.#stallMs, now - this.#calledAt)
    this.#calledAt = now
  }

  /** The bystander makes two more calls. */
  async #progress(): Promise<void> {
    const calls = (): number => this.kernel.ps().find(({ pid }) => pid === this.#bystander.pid)?.syscalls ?? 0
    const before = calls()
    const deadline = performance.now() + boundMs
    while (calls() < before + 2) {
      assert.ok(performance.now() < deadline, 'the bystander makes progress')
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  async #within<T>(what: string, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new assert.AssertionError({ message: `${what} within ${boundMs} ms` })),
        boundMs,
      )
    })
    return Promise.race([work, late]).finally(() => clearTimeout(timer))
  }

  #assertQuiet(): void {
    assert.deepEqual(this.#defects, [], 'the kernel meets no defect of its own')
    assert.equal(this.#asked, 0, 'nobody asks the server of the host')
    assert.deepEqual(this.#readOutside(), this.#outside, 'files beside the mounts are as they were')
  }

  #assertNothingLeaked(attack: Attack, exit: Exit, pid: number): void {
    const shown = {
      exit: JSON.stringify(exit),
      output: this.#output.get(pid) ?? '',
      evidence: this.#newEvidence(),
    }
    this.#output.clear()
    const named = hostTexts.filter((text) => !attack.source.includes(text))
    const hidden = [...this.#secrets, this.#folder, repository, process.execPath, process.cwd(), ...named]
    for (const [where, text] of Object.entries(shown))
      for (const secret of hidden)
        assert.ok(!text.includes(secret), `${where} shows \`${secret}\`: ${around(text, secret)}`)
  }

  /** What the kernel has written since the last look, programs and arguments included. */
  #newEvidence(): string {
    const folder = join(this.#folder, 'evidence')
    const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
    return files
      .map((name) => {
        const bytes = readFileSync(join(folder, name))
        const from = this.#evidenceRead.get(name) ?? 0
        this.#evidenceRead.set(name, bytes.length)
        return bytes.toString('utf8', from)
      })
      .join('\n')
  }
}

function assertEnding(attack: Attack, exit: Exit): void {
  const { usage: _, ...shown } = exit
  const fits = attack.ends.some((ending) => isEnding(ending, exit))
  if (!fits) assert.deepEqual(shown, attack.ends, `\`${attack.name}\` ends as it must`)
}

function isEnding(ending: Ending, exit: Exit): boolean {
  if ('value' in ending) return exit.status === 'exited' && same(exit.value, ending.value)
  if ('killed' in ending)
    return (
      exit.status === 'killed' &&
      exit.signal === ending.killed &&
      (ending.reason?.test(exit.reason ?? '') ?? true)
    )
  return (
    exit.status === 'failed' &&
    exit.error?.code === ending.failed &&
    (ending.message?.test(exit.error.message) ?? true)
  )
}

function same(actual: unknown, expected: unknown): boolean {
  try {
    assert.deepEqual(actual, expected)
    return true
  } catch {
    return false
  }
}

function readIfFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return 'no file'
  }
}

const around = (text: string, secret: string): string => {
  const at = text.indexOf(secret)
  return text.slice(Math.max(0, at - 80), at + 80)
}
