/** Decorated methods and wrapped functions of compiled files, run by the real kernel. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'
import { expect, test } from 'vitest'
import { governedMethods, type KernelSpace } from '../../src/index.ts'
import { boot, entriesOf, kernelErrorOf, tempFolder } from '../support/kernel.ts'

const desk = `
export const make = (kernel) => {
  class Desk {
    @kernel.govern async triage(ticket: { text: string }) {
      await fs.write('/tmp/ticket', ticket.text)
      return { words: ticket.text.split(' ').length }
    }
    @kernel.govern({ name: 'closer', policy: 'strict' }) static async close(path: string) {
      return fs.read(path)
    }
  }
  return { Desk, twice: kernel.govern(async (n: number) => n * 2) }
}`

interface Compiled {
  make(kernel: KernelSpace): {
    Desk: {
      new (): { triage(ticket: { text: string }): Promise<unknown> }
      close(path: string): Promise<unknown>
    }
    twice(n: number): Promise<number>
  }
}

async function compiled(experimentalDecorators: boolean): Promise<Compiled> {
  const tsconfigRaw = { compilerOptions: { experimentalDecorators } }
  const { code } = transformSync(desk, { loader: 'ts', target: 'es2022', tsconfigRaw })
  const file = join(tempFolder(), 'desk.mjs')
  writeFileSync(file, code)
  return import(pathToFileURL(file).href)
}

test.each([
  ['standard', false],
  ['legacy', true],
] as const)(
  '%s decorators: each call is a process of its own, judged and on record',
  async (_mode, legacy) => {
    const { make } = await compiled(legacy)
    const kernel = boot({ isolation: 'cell' })
    const { Desk, twice } = make(kernel)
    expect(await new Desk().triage({ text: 'the door is open' })).toEqual({ words: 4 })
    expect(await twice(21)).toBe(42)
    expect(await kernelErrorOf(() => Desk.close('/workspace/x'))).toMatchObject({ code: 'EPERM' })
    expect(entriesOf(kernel, 'spawn').map(({ agent }) => agent)).toEqual(['triage', 'function', 'closer'])
    expect(governedMethods(Desk).map(({ name }) => name.replace('Desk.', ''))).toEqual(
      expect.arrayContaining(['triage']),
    )
  },
)
