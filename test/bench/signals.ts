/** How fast signals work: freezing, resuming and killing guests in every situation, beside others that spin. */
import { MeteredKernel, type Place, type Spawned } from './metered.ts'
import { progress, shown, spread, type Table } from './report.ts'

/** What a guest does when the signal comes, and how it is seen that it goes on. */
interface Situation {
  readonly name: string
  readonly source: string
  /** Share of the rounds; what takes seconds is done less often. */
  readonly share: number
  readonly freezes: number
  /** The name of its agent, where it has no cell in common with those that spin. */
  readonly agent?: string
  /** Whether it has to have somebody beside it. */
  readonly shared?: true
  readonly kills: 'running' | 'frozen'
}

interface Samples {
  readonly freeze: number[]
  readonly resume: number[]
  readonly kill: number[]
  readonly end: number[]
  /** How it was proved that a guest stands still, or what became of it. */
  readonly hows: Map<string, number>
}

const spinning = `export default () => { console.log('begun'); let n = 0; for (;;) n += 1 }`
const waiting = `export default async () => { console.log('begun'); for (;;) await tools.wait({}) }`
const matching = `export default () => { console.log('begun'); /^(a+)+$/.test('a'.repeat(99) + 'b') }`
/** One product takes a second or more. */
const multiplying = `export default async () => { const n = 3n ** 40_000_000n; console.log('begun'); for (;;) n * n }`

const situations: readonly Situation[] = [
  { name: 'spinning', source: spinning, share: 1, freezes: 5, kills: 'running' },
  { name: 'frozen', source: spinning, share: 1, freezes: 1, kills: 'frozen' },
  { name: 'in a call', source: waiting, share: 1, freezes: 5, kills: 'running' },
  { name: 'in a regular expression', source: matching, share: 1, freezes: 5, kills: 'running' },
  {
    name: 'in a BigInt product, alone in its cell',
    ...{ source: multiplying, share: 0.25, freezes: 1, kills: 'running', agent: 'alone' },
  },
  {
    name: 'in a BigInt product, in a shared cell',
    ...{ source: multiplying, share: 0.1, freezes: 1, kills: 'running', shared: true },
  },
  {
    name: 'in a BigInt product, in a shared cell, killed at once',
    ...{ source: multiplying, share: 0.1, freezes: 0, kills: 'running', shared: true },
  },
]

const loads: readonly number[] = [1, 2, 5, 20]
/** A guest that begins is given this long to get where it is to be, in ms. */
const settleMs = 30
/** One turn may take 30 s; the guests that only spin are replaced before. */
const freshMs = 15_000
const agent = 'guest'
const by = 'by the benchmark'

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const since = (at: number): number => performance.now() - at

class Bench {
  readonly #kernel: MeteredKernel
  readonly #others: number
  readonly #stops = new Map<number, () => void>()
  /** Ends the calls that wait. */
  readonly #waits = new Map<number, () => void>()
  /** Told of calls that come. */
  readonly #calls = new Map<number, () => void>()
  #spinners: Spawned[] = []
  #spinSince = 0

  constructor(place: Place, others: number) {
    this.#others = others
    const wait = {
      description: 'answers when it is told to',
      parameters: { type: 'object' },
      execute: (_args: never, { pid }: { readonly pid: number }) => {
        this.#calls.get(pid)?.()
        return new Promise<null>((resolve) => this.#waits.set(pid, () => resolve(null)))
      },
    }
    this.#kernel = new MeteredKernel(place, { tools: { wait } })
    this.#kernel.system.observers.on('state', ({ pid, to }) => to === 'stopped' && this.#stops.get(pid)?.())
  }

  /** One guest from its start to its end. */
  async round(situation: Situation, samples: Samples): Promise<void> {
    await this.#spin()
    const guest = this.#kernel.spawn(situation.agent ?? agent, situation.source)
    await this.#kernel.begun(guest)
    await sleep(settleMs)
    for (let count = 0; count < situation.freezes; count += 1) {
      const isFrozen = await this.#freeze(guest, samples)
      if (!isFrozen) return
      await sleep(2)
      if (situation.kills === 'running') await this.#resume(guest, situation, samples)
      await sleep(2)
    }
    await this.#kill(guest, samples)
  }

  close(): Promise<void> {
    return this.#kernel.close()
  }

  /** Sees to it that so many others spin beside the guest. */
  async #spin(): Promise<void> {
    const isFresh = since(this.#spinSince) < freshMs
    if (isFresh && this.#spinners.every(({ process }) => !process.over)) return
    for (const { process } of this.#spinners) process.kill('SIGKILL', by)
    await Promise.all(this.#spinners.map(({ meter }) => meter().ended))
    for (const guest of this.#spinners) this.#kernel.forget(guest)
    this.#spinners = Array.from({ length: this.#others }, () => this.#kernel.spawn(agent, spinning))
    await Promise.all(this.#spinners.map((guest) => this.#kernel.begun(guest)))
    this.#spinSince = performance.now()
  }

  /** @returns whether it stands still; not where its cell was killed for it */
  async #freeze(guest: Spawned, { freeze, hows }: Samples): Promise<boolean> {
    const { process } = guest
    const stopped = new Promise<string>((resolve) => this.#stops.set(process.pid, () => resolve('stopped')))
    const at = performance.now()
    process.signal('SIGSTOP', by)
    const how = await Promise.race([
      stopped,
      process.exit.then(({ status, reason }) => (status === 'failed' ? 'its cell killed' : `${reason}`)),
    ])
    freeze.push(since(at))
    this.#stops.delete(process.pid)
    const proof = how === 'stopped' ? (process.frozen?.how ?? how) : how
    hows.set(proof, (hows.get(proof) ?? 0) + 1)
    return how === 'stopped'
  }

  /** Seen by what its cell confirms; of a guest in a call, by the next call that it makes when it has its answer. */
  async #resume(guest: Spawned, { source }: Situation, { resume }: Samples): Promise<void> {
    const { pid } = guest.process
    if (source !== waiting) {
      const at = performance.now()
      guest.process.signal('SIGCONT', by)
      resume.push((await guest.meter().thawed) - at)
      return
    }
    this.#waits.get(pid)?.()
    await sleep(2)
    const called = new Promise<void>((resolve) => this.#calls.set(pid, resolve))
    const at = performance.now()
    guest.process.signal('SIGCONT', by)
    await called
    resume.push(since(at))
  }

  async #kill(guest: Spawned, { kill, end }: Samples): Promise<void> {
    const at = performance.now()
    guest.process.signal('SIGKILL', by)
    const { ended } = guest.meter()
    await guest.process.exit
    kill.push(since(at))
    end.push((await ended) - at)
    this.#kernel.forget(guest)
  }
}

async function measure(place: Place, situation: Situation, spinners: number, rounds: number) {
  const samples: Samples = { freeze: [], resume: [], kill: [], end: [], hows: new Map() }
  // One that waits in a call or is frozen does not spin itself.
  const bench = new Bench(place, spinners - (situation.source === waiting ? 0 : 1))
  try {
    for (let round = 0; round < Math.max(1, Math.round(rounds * situation.share)); round += 1)
      await bench.round(situation, samples)
  } finally {
    await bench.close()
  }
  const { freeze, resume, kill, end, hows } = samples
  const how = [...hows].map(([text, count]) => `${count} ${text}`).join(', ')
  progress(`  ${place} ${situation.name}, ${spinners}: freeze ${spread(freeze)}, end ${spread(end)}; ${how}`)
  return [`${place}: ${situation.name}`, String(spinners), ...[freeze, resume, kill, end].map(spread), how]
}

/**
 * Pairs of SIGSTOP and SIGCONT at once, under load.
 * @returns how many of them were lost: of which no state was seen, or after which the guest did not obey any more
 */
async function lostPairs(place: Place, guests: number, pairs: number): Promise<readonly string[]> {
  const kernel = new MeteredKernel(place)
  const all = Array.from({ length: guests }, () => kernel.spawn(agent, spinning))
  await Promise.all(all.map((guest) => kernel.begun(guest)))
  let seen = 0
  kernel.system.observers.on('state', ({ to }) => {
    if (to === 'stopping' || to === 'running') seen += 1
  })
  const at = performance.now()
  for (let pair = 0; pair < pairs; pair += 1) {
    const { process } = all[pair % guests] as Spawned
    process.signal('SIGSTOP', by)
    process.signal('SIGCONT', by)
  }
  await Promise.all(all.map(({ meter }) => meter().thawed))
  const settledMs = since(at)
  let lost = 2 * pairs - seen
  for (const { process } of all) {
    const proof = Promise.withResolvers<void>()
    const off = kernel.system.observers.on('state', ({ pid, to }) => {
      if (pid === process.pid && to === 'stopped') proof.resolve()
    })
    process.signal('SIGSTOP', by)
    const obeyed = await Promise.race([proof.promise.then(() => true), sleep(10_000).then(() => false)])
    if (!obeyed) lost += 1
    off()
  }
  await kernel.close()
  progress(
    `  ${place}: ${pairs} pairs over ${guests} guests: ${lost} lost, settled in ${shown(settledMs)} ms`,
  )
  return [place, String(guests), String(pairs), shown(settledMs), String(lost)]
}

/** @param rounds guests of each situation, at each load */
export async function signals(rounds: number): Promise<Table> {
  const rows: (readonly string[])[] = []
  for (const situation of situations)
    for (const load of loads)
      if (load > 1 || !situation.shared) rows.push(await measure('cell', situation, load, rounds))
  for (const situation of situations.slice(0, 1))
    for (const load of loads) rows.push(await measure('inline', situation, load, rounds))
  return {
    columns: [
      'guest',
      'spinning at once',
      'freeze',
      'resume',
      'kill, until `exit`',
      'kill, until none of its code runs',
      'how it stood still',
    ],
    rows,
    notes: [
      'Freeze: from the signal until the state `stopped`. Resume: from the signal until the cell confirms that the guest goes on; in a call, until the guest has made its next one. Kill until `exit`: the end is on record. Spinning at once: guests that use CPU, the measured one included where it does.',
    ],
  }
}

/** A thousand pairs at once, to one guest and to twenty, in both places. */
export async function pairs(): Promise<Table> {
  const rows: (readonly string[])[] = []
  for (const place of ['cell', 'inline'] as const)
    for (const guests of [1, 20]) rows.push(await lostPairs(place, guests, 1_000))
  return {
    columns: ['isolation', 'guests spinning', 'pairs sent', 'until the last one goes on, ms', 'lost'],
    rows,
    notes: ['Lost: a signal whose state nobody saw, or a guest that did not stop when told once more.'],
  }
}
