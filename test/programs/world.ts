/** One kernel with both isolations, and the servers that it lets agents reach: a model's, and one of MCP tools. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type Agent, type Exit, KernelSpace, type PolicyDocument } from '../../src/index.ts'
import { type McpServer, openMcp } from '../support/providers/mcp.ts'
import { openProvider, type Provider } from '../support/providers/provider.ts'
import { celsius, forecast, greeting } from './programs.ts'

export const agentFile = (name: string): string =>
  fileURLToPath(new URL(`./agents/${name}.ts`, import.meta.url))

/** What agents have in place of the key; the provider takes only the true one. */
export const placeholder = '$' + '{secret:MODEL_KEY}'
export const key = 'sk-local-7c1e90'

export interface World extends AsyncDisposable {
  readonly kernel: KernelSpace
  /** Of its evidence; gone with the world. */
  readonly dir: string
  readonly provider: Provider
  readonly mcp: McpServer
  /**
   * Runs an agent in a cell and inline at once, to its end; its program is bundled once for all of its runs.
   * Streamed answers wait in their middle until both have printed something.
   */
  run(agent: string, args: readonly unknown[]): Promise<readonly Run[]>
}

export const isolations = ['cell', 'inline'] as const

/** Which of some processes have printed. */
class Prints {
  readonly #pids = new Set<number>()
  readonly #all = Promise.withResolvers<void>()
  readonly #wanted: number

  constructor(wanted: number) {
    this.#wanted = wanted
  }

  /** Resolves when all have. */
  get all(): Promise<void> {
    return this.#all.promise
  }

  add(pid: number): void {
    if (this.#pids.add(pid).size >= this.#wanted) this.#all.resolve()
  }
}

export interface Run {
  readonly pid: number
  readonly exit: Exit
}

const calls = ['Oslo', 'Lima'].map((city) => ({ name: 'weather', args: { city } }))

function weather({ city }: Readonly<Record<string, unknown>>): number {
  const degrees = celsius[String(city)]
  if (degrees === undefined) throw new Error(`no weather of ${city}`)
  return degrees
}

export async function openWorld(): Promise<World> {
  const provider = await openProvider({ key })
  provider.script('forecaster', [{ calls }, { text: forecast }])
  const mcp = await openMcp([
    {
      name: 'weather',
      description: 'The temperature in a city',
      inputSchema: { type: 'object', properties: { city: { type: 'string' } } },
      execute: (args) => `${weather(args)} °C`,
    },
  ])
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-programs-'))
  const kernel = new KernelSpace({
    policy: policyFor(provider.url, new URL(mcp.url).origin),
    isolation: 'inline',
    evidence: { dir },
    secrets: { MODEL_KEY: { value: key, origins: [provider.url, new URL(mcp.url).origin] } },
  })
  kernel.tool('weather', {
    description: 'The temperature in a city',
    parameters: z.strictObject({ city: z.string() }),
    execute: (args) => ({ celsius: weather(args) }),
  })
  let printed = new Prints(isolations.length)
  kernel.on('output', ({ pid }) => printed.add(pid))
  provider.script('greeter', [{ text: greeting, halfway: () => printed.all }])
  const agents = new Map<string, Agent>()
  const agentOf = (name: string): Agent => {
    const agent = agents.get(name) ?? kernel.register({ file: agentFile(name) }, { name })
    agents.set(name, agent)
    return agent
  }
  return {
    kernel,
    dir,
    provider,
    mcp,
    run: (name, args) => {
      printed = new Prints(isolations.length)
      const spawned = isolations.map((isolation) => kernel.spawn(agentOf(name), { isolation, args }))
      return Promise.all(spawned.map(async ({ pid, exit }) => ({ pid, exit: await exit })))
    },
    [Symbol.asyncDispose]: async () => {
      await kernel.shutdown()
      await Promise.all([provider.close(), mcp.close()])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const policyFor = (...origins: readonly string[]): PolicyDocument => ({
  version: 1,
  name: 'programs',
  budget: { memory: '128MiB' },
  rules: [
    ...origins.map((origin, index) => ({
      id: `server-${index}`,
      effect: 'permit' as const,
      action: 'net.fetch',
      resource: `${origin}/**`,
      addresses: ['loopback' as const],
    })),
    { id: 'weather', effect: 'permit', action: 'tool.call', resource: 'weather' },
  ],
})
