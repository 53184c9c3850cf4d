/**
 * Fuzzes the boundary: `npm run fuzz -- --frames 10000000 --lies 20000 --calls 200000 [--seed N]`.
 * Each part has its own streams of seeds; a failure prints the seed that repeats it. Exits with 1 where one was found.
 */
import { mock } from 'node:test'
import { parseArgs } from 'node:util'
import { collectGarbage } from '../support/garbage.ts'
import { Random } from '../support/random.ts'
import { ArgumentFuzz } from './arguments.ts'
import { BoundaryFuzz } from './boundary.ts'
import { fuzzStream } from './frames.ts'

const { values } = parseArgs({
  options: {
    frames: { type: 'string', default: '0' },
    lies: { type: 'string', default: '0' },
    calls: { type: 'string', default: '0' },
    seed: { type: 'string', default: '0' },
  },
})
const first = Number(values.seed)
const liesPerKernel = 50
const callsPerKernel = 60

/** A part whose heap grows by more than this from its first tenth to its end holds on to something, in MiB. */
const growthMax = 32

interface Figures {
  done: number
  /** After its first tenth, in MiB. */
  heap: number
  seeds: number
  failures: number
}

/** Runs one part on seed after seed until enough is done, or it has failed a few times. */
async function part(
  name: 'frames' | 'lies' | 'calls',
  run: (seed: number) => Promise<number> | number,
): Promise<Figures> {
  const wanted = Number(values[name])
  const figures = { done: 0, heap: 0, seeds: 0, failures: 0 }
  for (let seed = first; figures.done < wanted && figures.failures < 5; seed += 1) {
    figures.seeds += 1
    try {
      figures.done += await run(seed)
      if (figures.heap === 0 && figures.done >= wanted / 10) figures.heap = await heapMiB()
    } catch (error) {
      figures.failures += 1
      console.log(`\n${name}, seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`)
      console.log(`again: node test/fuzz/main.ts --${name} 1 --seed ${seed}`)
    }
  }
  const grown = (await heapMiB()) - figures.heap
  if (figures.failures === 0 && grown > growthMax) {
    figures.failures += 1
    console.log(`\n${name}: the heap has grown by ${grown} MiB`)
  }
  return figures
}

function add(from: ReadonlyMap<string, number>, to: Map<string, number>): void {
  for (const [name, count] of from) to.set(name, (to.get(name) ?? 0) + count)
}
const shown = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .toSorted((a, b) => b[1] - a[1])
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

/** @returns what is held, once the garbage is gone */
async function heapMiB(): Promise<number> {
  // What was let go of a moment ago is garbage only when the event loop has come round.
  for (let round = 0; round < 3; round += 1) await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20)
}

const report = async (
  what: string,
  { done, heap, seeds, failures }: Figures,
  ms: number,
  more: string,
): Promise<void> =>
  console.log(
    `${what}: ${done} in ${Math.round(ms / 100) / 10} s, ${seeds} seeds, ${failures} failures, heap ${heap} to ${await heapMiB()} MiB; ${more}`,
  )

const found: Figures[] = []

if (Number(values.frames) > 0) {
  let flaws = 0
  const began = performance.now()
  const figures = await part('frames', (seed) => {
    const stream = fuzzStream(new Random(`frames ${seed}`))
    flaws += stream.flaws
    return stream.frames
  })
  await report('frames through the decoder', figures, performance.now() - began, `${flaws} flaws`)
  found.push(figures)
}

if (Number(values.calls) > 0) {
  const answers = new Map<string, number>()
  const began = performance.now()
  const figures = await part('calls', async (seed) => {
    const fuzz = new ArgumentFuzz(new Random(`calls ${seed}`))
    for (let count = 0; count < callsPerKernel; count += 1) await fuzz.call()
    await fuzz.close()
    add(fuzz.answers, answers)
    return fuzz.calls
  })
  await report('calls through the gate', figures, performance.now() - began, `${shown(answers)}`)
  found.push(figures)
}

if (Number(values.lies) > 0) {
  const ends = new Map<string, number>()
  let frames = 0
  const began = performance.now()
  // The deadlines of cells are of the host's own clock, which has to pass at once here.
  mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const figures = await part('lies', async (seed) => {
    const fuzz = new BoundaryFuzz(new Random(`lies ${seed}`), mock.timers)
    for (let count = 0; count < liesPerKernel; count += 1) await fuzz.lie()
    await fuzz.close()
    frames += fuzz.frames
    add(fuzz.ends, ends)
    return liesPerKernel
  })
  mock.timers.reset()
  await report(
    'lies of cells to a kernel',
    figures,
    performance.now() - began,
    `${frames} frames, ends: ${shown(ends)}`,
  )
  found.push(figures)
}

if (found.length === 0) console.log('Nothing to do; say how much: --frames N, --lies N, --calls N')
if (found.some(({ failures }) => failures > 0)) process.exitCode = 1
