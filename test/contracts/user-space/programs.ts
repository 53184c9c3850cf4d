/** Programs: modules with nothing to import but `gatehouse/guest`, and bundles of several files. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exitValue, kernelErrorOf, main, tempFolder } from '../../support/kernel.ts'
import type { Place } from '../user-space.ts'

function project(files: Readonly<Record<string, string>>): string {
  const folder = tempFolder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return join(folder, 'agent.ts')
}

const foreign = ['node:fs', 'fs', 'gatehouse', 'gatehouse:boot', 'gatehouse:entry', './other.js', 'left-pad']

export function programsContract({ run, kernel }: Place): void {
  const execute = (file: string, ...args: readonly unknown[]) => kernel().execute({ file }, ...args)

  describe('refused', () => {
    test.each(foreign)('an import of `%s` is EINVAL', async (name) => {
      const exit = await run(`import * as it from '${name}'\nexport default () => Object.keys(it)`)
      expect(exit).toMatchObject({ status: 'failed', error: { code: 'EINVAL' } })
      expect(exit.error?.message).toContain(`\`${name}\``)
    })

    test.each(foreign)('a dynamic import of `%s` rejects', async (name) => {
      const exit = await run(main(`return import('${name}').then(() => 'imported', () => 'refused')`))
      expect(exit.value).not.toBe('imported')
    })

    test.each(['node:http', 'net', 'node:child_process', 'worker_threads'])(
      'a file that imports `%s` is refused with file and line, before it runs',
      async (name) => {
        const file = project({
          'agent.ts': "import { go } from './lib/helper.ts'\nexport default () => go()\n",
          'lib/helper.ts': `// a comment\nimport * as host from '${name}'\nexport const go = () => Object.keys(host)\n`,
        })
        const error = await kernelErrorOf(() => execute(file))
        expect(error.code).toBe('EINVAL')
        expect(error.message).toMatch(/lib\/helper\.ts:2:\d+/)
        expect(error.message).toContain(`user space has no module \`${name}\``)
      },
    )

    test('a file that is not there is ENOENT, a file with a mistake EINVAL with its place', async () => {
      expect(await kernelErrorOf(() => execute('/no/such/agent.ts'))).toMatchObject({ code: 'ENOENT' })
      const broken = await kernelErrorOf(() => execute(project({ 'agent.ts': 'export default (\n' })))
      expect(broken.code).toBe('EINVAL')
      expect(broken.message).toContain('agent.ts:2:')
    })
  })

  test('the doors are exports of `gatehouse/guest` too, and the same', async () => {
    const exit = await run(
      `import * as guest from 'gatehouse/guest'
       const { fs: own } = guest
       export default () => [own === fs, guest.sys === sys, guest.proc === proc, Object.keys(guest).sort()]`,
    )
    expect(exitValue(exit)).toEqual([true, true, true, ['fetch', 'fs', 'ipc', 'llm', 'proc', 'sys', 'tools']])
  })

  test('a module may await at its top, and without a function it just ends', async () => {
    const exit = await run(`await fs.write('/mem/working/top.txt', 'from the top')`, { name: 'topper' })
    expect(exit.status).toBe('exited')
    expect(await kernel().vfs('topper').read('/mem/working/top.txt')).toBe('from the top')
  })

  test('a default export is called after the top of the module, with the arguments', async () => {
    const exit = await run(
      `const order = ['top']
       await new Promise((resolve) => setTimeout(resolve, 5))
       order.push('awaited')
       export default (...args) => [...order, ...args]`,
      { args: [1, 'two'] },
    )
    expect(exitValue(exit)).toEqual(['top', 'awaited', 1, 'two'])
  })

  test('a default export that is no function gives no value', async () => {
    const exit = await run('export default 42')
    expect(exit).toMatchObject({ status: 'exited' })
    expect(exit.value).toBeUndefined()
  })

  test('TypeScript in several files runs as one program, with types, enums of its own and JSON', async () => {
    const file = project({
      'agent.ts': `import { fs } from 'gatehouse/guest'
        import { total } from './lib/sum.ts'
        import table from './lib/table.json' with { type: 'json' }
        interface Row { readonly n: number }
        enum Kind { Sum = 'sum' }
        export default async (extra: Row): Promise<string> => {
          await fs.write('/tmp/a', Kind.Sum)
          return (await fs.read('/tmp/a')) + total([...table, extra.n])
        }`,
      'lib/sum.ts':
        'export const total = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)',
      'lib/table.json': '[1, 2]',
    })
    expect(await execute(file, { n: 4 })).toBe('sum7')
  })

  test('an error in a bundled file names no folder of the host', async () => {
    const file = project({ 'agent.ts': `export default () => { throw new Error('own') }\n` })
    const exit = await kernel().spawn({ file }).exit
    expect(exit.error?.stack).toContain('agent.ts:')
    expect(JSON.stringify(exit)).not.toContain(join(file, '..'))
  })
}
