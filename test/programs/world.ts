/** One kernel with both isolations, and the servers that it lets agents reach: a model's, and one of MCP tools. */
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
  readonly provider: Provider
  readonly mcp: McpServer
  /** Runs an agent to its end; its program is bundled once for all of its runs. */
  run(agent: string, isolation: 'cell' | 'inline', args: readonly unknown[]): Promise<Run>
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
  provider.script('greeter', [{ text: greeting }])
  provider.script('forecaster', [{ calls }, { text: forecast }])
  const mcp = await openMcp([
    {
      name: 'weather',
      description: 'The temperature in a city',
      inputSchema: { type: 'object', properties: { city: { type: 'string' } } },
      execute: (args) => `${weather(args)} °C`,
    },
  ])
  const kernel = new KernelSpace({
    policy: policyFor(provider.url, new URL(mcp.url).origin),
    isolation: 'inline',
    evidence: 'memory',
    secrets: { MODEL_KEY: { value: key, origins: [provider.url, new URL(mcp.url).origin] } },
  })
  kernel.tool('weather', {
    description: 'The temperature in a city',
    parameters: z.strictObject({ city: z.string() }),
    execute: (args) => ({ celsius: weather(args) }),
  })
  const agents = new Map<string, Agent>()
  const agentOf = (name: string): Agent => {
    const agent = agents.get(name) ?? kernel.register({ file: agentFile(name) }, { name })
    agents.set(name, agent)
    return agent
  }
  return {
    kernel,
    provider,
    mcp,
    run: async (name, isolation, args) => {
      const { pid, exit } = kernel.spawn(agentOf(name), { isolation, args })
      return { pid, exit: await exit }
    },
    [Symbol.asyncDispose]: async () => {
      await kernel.shutdown()
      await Promise.all([provider.close(), mcp.close()])
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
