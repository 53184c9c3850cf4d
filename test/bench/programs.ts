/** What the kernel costs an agent's loop of tool calls, and how long agents made of real packages take to start. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { KernelSpace } from 'gatehouse'
import { z } from 'zod'
import { bundleProgram } from '../../src/config/program.ts'
import { programs } from '../programs/programs.ts'
import { agentFile, openWorld, placeholder, type World } from '../programs/world.ts'
import { openProvider, type Provider } from '../support/providers/provider.ts'
import { openaiLoop } from './loops/openai.ts'
import { type Contender, compare, percentile, type Round } from './measure.ts'
import { progress, shown, type Table } from './report.ts'

const calls = 100
const toolMs = 5
const rounds = 10

type Source = { readonly file: string } | { readonly source: string }

/** A tool that takes 5 ms, and knows how long it was from its first call to the last one. */
class Work {
  #times: number[] = []

  readonly execute = async (): Promise<string> => {
    this.#times.push(performance.now())
    await sleep(toolMs)
    return 'done'
  }

  /** @returns µs from the beginning of one call to the beginning of the next */
  async over(loop: () => Promise<unknown>): Promise<number> {
    this.#times = []
    await loop()
    const [first = 0] = this.#times
    const last = this.#times.at(-1) ?? 0
    if (this.#times.length !== calls + 1) throw new Error(`the loop made ${this.#times.length} calls`)
    return ((last - first) * 1_000) / calls
  }
}

async function onHost(loop: (work: Work) => Promise<unknown>): Promise<Round> {
  const work = new Work()
  return { run: () => work.over(() => loop(work)), close: async () => {} }
}

/** A kernel that keeps its evidence on disk, as one in use does; the program is there from the first round on. */
async function inUserSpace(
  isolation: 'cell' | 'inline',
  program: Source,
  provider: Provider,
): Promise<Round> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  const origin = provider.url
  const kernel = new KernelSpace({
    isolation,
    evidence: { dir },
    policy: {
      version: 1,
      name: 'bench',
      budget: { memory: '128MiB' },
      rules: [
        { id: 'work', effect: 'permit', action: 'tool.call', resource: 'work' },
        {
          id: 'model',
          effect: 'permit',
          action: 'net.fetch',
          resource: `${origin}/**`,
          addresses: ['loopback'],
        },
      ],
    },
    secrets: { MODEL_KEY: { value: modelKey, origins: [origin] } },
  })
  const work = new Work()
  kernel.tool('work', { description: 'Takes 5 ms', parameters: z.strictObject({}), execute: work.execute })
  const agent = kernel.register(program, { name: 'worker' })
  return {
    run: () => work.over(() => kernel.execute(agent, origin, placeholder)),
    close: async () => {
      await kernel.shutdown()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const modelKey = 'sk-local-90ab3f'
const plainProgram = `export default async () => { for (let call = 0; call <= ${calls}; call += 1) await tools.work({}) }`
const openaiFile = fileURLToPath(new URL('./loops/openai-agent.ts', import.meta.url))

async function plainLoop({ execute }: Work): Promise<void> {
  for (let call = 0; call <= calls; call += 1) await execute()
}

/** The loop of 100 tool calls, ungoverned beside governed. */
export async function programLoops(): Promise<Table> {
  const provider = await openProvider({ key: modelKey })
  const asks = [{ name: 'work', args: {} }]
  provider.script('worker', ({ turn }) => (turn <= calls ? { calls: asks } : { text: 'enough' }))
  const contender = (name: string, open: () => Promise<Round>): Contender => ({ name, open })
  const places = ['inline', 'cell'] as const
  const plain = await compare(
    [
      contender('a plain loop on the host, ungoverned', () => onHost(plainLoop)),
      ...places.map((place) =>
        contender(`… in user space, ${place}`, () => inUserSpace(place, { source: plainProgram }, provider)),
      ),
    ],
    rounds,
  )
  const openai = await compare(
    [
      contender('`openai` on the host, ungoverned', () =>
        onHost((work) => openaiLoop(provider.url, modelKey, work.execute)),
      ),
      ...places.map((place) =>
        contender(`… in user space, ${place}`, () => inUserSpace(place, { file: openaiFile }, provider)),
      ),
    ],
    rounds,
  )
  await provider.close()
  return {
    columns: ['loop', 'p50, µs a call', 'p90', 'p99', 'ratio'],
    rows: [...plain, ...openai].map(({ name, p50, p90, p99, ratio }) => [
      name,
      ...[p50, p90, p99].map((value) => value.toFixed(0)),
      ratio.toFixed(2),
    ]),
    notes: [
      `Each loop makes ${calls} calls of a tool that takes ${toolMs} ms. The model of \`openai\` is a server on this machine that answers at once, and gets the whole conversation anew with every call; the ratio is that to the loop on the host.`,
    ],
  }
}

const baseline = 'export default async (server) => { await fetch(server, { method: "POST" }) }'

/** From the spawn to the first request, of each agent of test/programs. */
export async function programStarts(): Promise<Table> {
  await using world = await openWorld()
  const rows: string[][] = []
  const bare = await startsOf(world, { source: baseline }, 'bare')
  rows.push(['a `fetch` and nothing else', '–', '–', shown(bare.inline), shown(bare.cell), '1.00', '1.00'])
  for (const { agent, packages } of programs) {
    progress(`  ${agent}`)
    const begun = performance.now()
    const { text } = await bundleProgram(agentFile(agent))
    const bundled = performance.now() - begun
    const { inline, cell } = await startsOf(world, { file: agentFile(agent) }, agent)
    const size = `${Math.round(Buffer.byteLength(text) / 1_024)}`
    const ratios = [inline / bare.inline, cell / bare.cell].map((ratio) => ratio.toFixed(2))
    rows.push([packages.join(', '), size, shown(bundled), shown(inline), shown(cell), ...ratios])
  }
  return {
    columns: [
      'agent made of',
      'bundle, KiB',
      'bundled, ms',
      'inline, ms',
      'cell, ms',
      'ratio inline',
      'ratio cell',
    ],
    rows,
    notes: [
      'Bundling happens at the first start of a file, and again when one of its files has changed. The other times are medians from a later spawn to the first request of the agent, judged; the ratio is that to the first row.',
    ],
  }
}

async function startsOf({ kernel, provider, mcp }: World, program: Source, name: string) {
  const agent = kernel.register(program, { name: `${name}-start` })
  const times = { inline: [] as number[], cell: [] as number[] }
  for (let round = -1; round < rounds; round += 1) {
    for (const isolation of ['inline', 'cell'] as const) {
      const begun = performance.now()
      let asked = 0
      const server = name === 'mcp' ? mcp.url : provider.url
      const { pid, exit } = kernel.spawn(agent, { isolation, args: [server, placeholder] })
      const stop = kernel.on('decision', (event) => {
        if (event.pid === pid && event.syscall === 'net.fetch' && asked === 0) asked = performance.now()
      })
      await exit
      stop()
      if (asked === 0) throw new Error(`\`${name}\` asked for nothing`)
      if (round >= 0) times[isolation].push(asked - begun)
    }
  }
  return { inline: percentile(times.inline, 0.5), cell: percentile(times.cell, 0.5) }
}
