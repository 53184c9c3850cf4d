/** A whole kernel against cells that lie: it stays up, ends the liar with a reason, and lets the others go on. */
import assert from 'node:assert/strict'
import { makeAgent } from '../../src/agents.ts'
import { CellPool } from '../../src/isolate/cell-pool.ts'
import { limits } from '../../src/limits.ts'
import type { Process } from '../../src/proc/process.ts'
import { System } from '../../src/system.ts'
import type { Random } from '../support/random.ts'
import { type Conduct, MemoryCell } from './cells.ts'
import { type Lie, lieNames, lies } from './lies.ts'

const usage = '{"cpuMs":0,"heapBytes":1}'

const mixture = 'mixture'
/** What may leave a frame that is not whole behind. */
const unfinished = new Set([mixture, 'any bytes', 'never whole'])

/** Several lies at once: their pieces in any order, some of them torn. */
const mixed: Lie = {
  demand: 'none',
  bytes: (guest, random) => {
    const names = Array.from({ length: random.between(2, 6) }, () => random.pick(lieNames))
    const pieces = names.flatMap((name) => lies[name]?.bytes(guest, random) ?? []).slice(0, 200)
    return pieces
      .map((piece) => ({ piece, place: random.u32() }))
      .toSorted((a, b) => a.place - b.place)
      .flatMap(({ piece }) => {
        const at = random.between(0, piece.length)
        return random.chance(0.2) ? [piece.subarray(0, at), piece.subarray(at)] : [piece]
      })
  },
}

/** Lets everything run that is ready, pipes included. */
async function settle(rounds = 6): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Timers that go on when they are told to; the cells' deadlines are of the host's own clock. */
export interface Timers {
  tick(ms: number): void
}

export class BoundaryFuzz {
  readonly #random: Random
  readonly #timers: Timers
  readonly #system: System
  readonly #cells = new Map<string, MemoryCell>()
  readonly #defects: string[] = []
  readonly #bystander: Process
  /** Turns of the process that does its work beside the liars. */
  #bystanderTurns = 0
  frames = 0
  readonly ends = new Map<string, number>()

  constructor(random: Random, timers: Timers) {
    this.#random = random
    this.#timers = timers
    const pool = new CellPool({}, () => new MemoryCell((program) => this.#conductOf(program)).asLaunched)
    this.#system = new System({ policy: 'permissive', isolation: 'cell', seed: 1 }, () => false, {
      space: pool,
    })
    this.#system.observers.on('error', ({ where, error }) => this.#defects.push(`${where}: ${String(error)}`))
    this.#bystander = this.#spawn('bystander')
  }

  /** One liar from its start to its end. @throws AssertionError where a promise is broken */
  async lie(name: string = this.#someName()): Promise<void> {
    const { demand, bytes } =
      name === mixture ? mixed : (lies[name] ?? assert.fail(`no lie is called ${name}`))
    const liar = this.#spawn('liar')
    await settle()
    const cell = this.#cells.get('liar') ?? assert.fail('the liar has no cell')
    const before = this.#bystanderTurns
    for (const piece of bytes(this.#guestOf(liar), this.#random)) {
      this.frames += 1
      cell.send(piece)
      if (this.#random.chance(0.05)) await settle(1)
    }
    await settle()
    this.#timers.tick(1)
    await settle()
    if (demand === 'cell dies') assert.ok(cell.killed, `${name}: the cell was not killed`)
    if (demand !== 'none') assert.ok(liar.over, `${name}: the process goes on as ${liar.state}`)
    assert.ok(this.#bystanderTurns > before, `${name}: the process beside it made no turn`)
    await this.#end(name, liar)
    // Half a frame may stand in its pipe; where none does, the next liar may come into the same cell.
    if (unfinished.has(name) || this.#random.chance(0.5)) cell.kill()
    await settle()
    assert.equal(this.#bystander.over, false, `${name}: the process beside it ended`)
    assert.deepEqual(this.#defects, [], `${name}: the kernel has a defect`)
  }

  /** @throws AssertionError where evidence does not verify or the kernel does not end */
  async close(): Promise<void> {
    const down = this.#system.shutdown()
    let over = false
    void down.then(() => {
      over = true
    })
    for (let round = 0; round < 20 && !over; round += 1) {
      await settle()
      this.#timers.tick(500)
    }
    assert.ok(over, 'the shutdown does not end')
    const { ok, problems, unsettled } = this.#system.log.verify()
    assert.ok(ok, `the evidence does not verify: ${JSON.stringify(problems.slice(0, 3))}`)
    assert.equal(unsettled, 0, 'calls have no outcome on record')
    assert.deepEqual(this.#defects, [], 'the kernel has a defect')
  }

  #someName(): string {
    return this.#random.chance(0.3) ? mixture : this.#random.pick(lieNames)
  }

  /** A turn has its time; who is silent for longer than that is ended, and who waits can be killed. */
  async #end(name: string, liar: Process): Promise<void> {
    const waits = (): boolean => liar.state === 'waiting' && liar.inFlight.size > 0
    // What wakes it may begin a turn that has a time of its own.
    for (let round = 0; round < 6 && !liar.over && (round === 0 || !waits()); round += 1) {
      this.#timers.tick(limits.turnMs + limits.turnGraceMs + limits.cellGraceMs + limits.cellStartMs + 1)
      // What it sent is taken in turns of a few real milliseconds each, of which a slow machine needs many.
      for (let turn = 0; turn < 200 && !liar.over && !waits(); turn += 1) await settle()
    }
    assert.ok(liar.over || waits(), `${name}: the process hangs as ${liar.state}`)
    liar.kill('SIGKILL', 'the round is over')
    await settle()
    const exit = await Promise.race([liar.exit, settle(50)])
    assert.ok(exit, `${name}: its exit never came`)
    assert.ok(exit.status === 'exited' || (exit.reason ?? '') !== '', `${name}: it ended without a reason`)
    assert.doesNotMatch(
      exit.reason ?? '',
      /\/(home|root|usr|src|wt)\/|\.ts:/,
      `${name}: its end names the host`,
    )
    this.ends.set(
      exit.error?.code ?? exit.signal ?? exit.status,
      (this.ends.get(exit.error?.code ?? exit.signal ?? exit.status) ?? 0) + 1,
    )
  }

  #spawn(name: 'liar' | 'bystander'): Process {
    return this.#system.spawner.spawn(
      makeAgent({ source: name }, { name, budget: { cpu: '60s' } }, 'cell'),
      [],
    )
  }

  /** Cells count their guests from 1; a liar may come into the cell of the one before. */
  #guestOf(_liar: Process): number {
    return this.#lastGuest
  }
  #lastGuest = 0

  #conductOf(program: string): Conduct {
    if (program === 'bystander') return this.#honest
    return {
      started: (guest, cell) => {
        this.#lastGuest = guest
        this.#cells.set('liar', cell)
        // Its first turn goes on, so that what follows comes within it; or it waits for a long sleep.
        if (this.#random.chance(0.5)) {
          cell.frame('call', guest, '{"ms":1000000}', 77, 'clock.sleep')
          cell.frame('turn', guest, usage)
        }
      },
      delivered: (guest, _batch, cell) => {
        if (this.#random.chance(0.7)) cell.frame('turn', guest, usage)
      },
    }
  }

  readonly #honest: Conduct = {
    started: (guest, cell) => this.#work(guest, cell),
    delivered: (guest, batch, cell) => {
      assert.doesNotThrow(() => JSON.parse(batch))
      this.#bystanderTurns += 1
      this.#work(guest, cell)
    },
  }

  /** A little work, and a sleep that the next tick ends. */
  #work(guest: number, cell: MemoryCell): void {
    cell.frame('call', guest, '{"ms":1}', this.#bystanderTurns + 1, 'clock.sleep')
    cell.frame('turn', guest, usage)
  }
}
