/** Real packages run in user space as they are: their requests are syscalls, their keys are put in on the way out. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleProgram } from '../../src/config/program.ts'
import { exitValue } from '../support/kernel.ts'
import { programsPage, type Row } from './page.ts'
import { type ProgramCase, programs } from './programs.ts'
import { agentFile, key, openWorld, placeholder, type Run, type World } from './world.ts'

const isolations = ['cell', 'inline'] as const
let world: World

beforeAll(async () => {
  world = await openWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

/** What ran, for the table. */
const rows = new Map<string, Row>()

describe.each(programs)('$agent', (program) => {
  const { agent, requests, value } = program

  test('comes back with what it was told, whole, streamed and by tools', async () => {
    const server = agent === 'mcp' ? world.mcp.url : world.provider.url
    const [before, beforeMcp] = [world.provider.heard.length, world.mcp.heard.length]
    const runs = await Promise.all(
      isolations.map((isolation) => world.run(agent, isolation, [server, placeholder])),
    )
    for (const { exit } of runs) expect(exitValue(exit)).toEqual(value)

    const heard = [
      ...world.provider.heard
        .slice(before)
        .map(({ method, path, headers }) => ({ asked: `${method} ${path}`, headers })),
      ...world.mcp.heard
        .slice(beforeMcp)
        .map(({ method, headers }) => ({ asked: `${method} /mcp`, headers })),
    ]
    for (const { headers } of heard) expect(headers.authorization).toBe(`Bearer ${key}`)
    expect(heard.map(({ asked }) => asked).toSorted()).toEqual([...requests, ...requests].toSorted())
    for (const run of runs) expect(fetchesOf(run)).toEqual(requests.map(pathOf).toSorted())
    rows.set(agent, await rowOf(program))
  })

  test('a host that the policy does not name is refused, and its error says so', async () => {
    const server = agent === 'mcp' ? 'https://mcp.example/mcp' : 'https://api.openai.com'
    const [cell, inline] = await Promise.all(
      isolations.map((isolation) => world.run(agent, isolation, [server, 'none', 0])),
    )
    for (const run of [cell, inline]) {
      expect(run?.exit.error?.message).toMatch(/EPERM: net\.fetch `https:.*no rule permits it/)
    }
  })
})

test('no key is on record, in an answer or an error', () => {
  const shown = JSON.stringify(world.kernel.evidence.entries())
  expect(shown).toContain('net.fetch')
  expect(shown).not.toContain(key)
})

test('docs/programs.md shows what ran (`npx vitest run test/programs -u` prints it)', async () => {
  expect(rows.size).toBe(programs.length)
  await expect(programsPage([...rows.values()])).toMatchFileSnapshot('../../docs/programs.md')
})

const pathOf = (request: string): string => request.split(' ')[1] ?? ''

/** The paths that a process asked for on the network, as evidence has them. */
function fetchesOf({ pid }: Run): readonly string[] {
  const { evidence } = world.kernel
  return evidence
    .entries({ pid })
    .flatMap((entry) => (entry.kind === 'intent' && entry.syscall === 'net.fetch' ? [entry] : []))
    .map((entry) => new URL(entry.resource ?? '').pathname)
    .toSorted()
}

async function rowOf({ agent, packages, runs }: ProgramCase): Promise<Row> {
  const { text } = await bundleProgram(agentFile(agent))
  return {
    packages: packages.map((name) => `${name} ${versionOf(name)}`),
    runs,
    bytes: Buffer.byteLength(text),
  }
}

function versionOf(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')).version
}
