import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compilers, type Decorators, fixtures, node, temporaryFolder } from './compilers.ts'

const timeout = 120_000

/** The line, from 1, that a fixture marks. */
function marked(file: string, mark: string): number {
  const lines = readFileSync(join(fixtures, file), 'utf8').split('\n')
  return lines.findIndex((line) => line.includes(`// mark: ${mark}`)) + 1
}

const own = { standard: 'refused-private.ts', legacy: 'refused-legacy.ts' } as const

for (const compiler of compilers) {
  for (const decorators of ['standard', 'legacy'] satisfies Decorators[]) {
    describe(`${compiler.name}, ${decorators} decorators`, () => {
      const files = ['desk.ts', 'modern.ts', 'refused.ts', own[decorators]]
      let run: (file: string) => Promise<string>
      let remove = (): void => {}
      beforeAll(async () => {
        const made = temporaryFolder()
        remove = made.remove
        run = await compiler.prepare(made.folder, decorators, files)
      }, timeout)
      afterAll(() => remove())

      test(
        'a function that uses what agents lack is refused with the name and the line of the author',
        async () => {
          const { messages, host } = JSON.parse(await run('refused.ts'))
          const at = (mark: string) => `refused.ts:${marked('refused.ts', mark)}`
          expect(messages.method).toMatch(/^`Desk\.triage` cannot travel into user space: it uses `this` \(/)
          expect(messages.method).toContain(at('this'))
          expect(messages.method).toMatch(new RegExp(`\`db\` \\([^)]*${at('db')}\\)`))
          expect(messages.imports).toMatch(
            new RegExp(`\`join\` \\(imported from \`node:path\`, [^)]*${at('join')}\\)`),
          )
          expect(messages.imports).toMatch(new RegExp(`\\(imported from \`node:url\`, [^)]*${at('url')}\\)`))
          // Old targets look `super` up at the head of the method, a line before.
          const superLine = marked('refused.ts', 'super')
          expect(messages.super).toMatch(
            new RegExp(`\`super\` \\([^)]*refused\\.ts:(${superLine - 1}|${superLine})\\)`),
          )
          expect(messages.wrapper).toMatch(new RegExp(`\`process\` \\([^)]*${at('process')}\\)`))
          expect(messages.method).toMatch(
            /; pass values as arguments, .*`spawn\(\{ file \}\)`, .*tool or use `isolation: 'host'`$/,
          )
          expect(host).toBe('a/1')
        },
        timeout,
      )

      test(
        'what is not a method is refused by what it is',
        async () => {
          const { messages, private: result } = JSON.parse(await run(own[decorators]))
          for (const [kind, message] of Object.entries(messages))
            expect(message, kind).toMatch(
              /cannot be governed: it is an? \w+, and only methods and functions are/,
            )
          expect(messages.field).toContain('it is a field')
          expect(messages.class).toContain('it is a class')
          if (decorators === 'standard') expect(result).toBe(2)
        },
        timeout,
      )

      test(
        'the text that travels gives the results of the function',
        async () => {
          const { results } = JSON.parse(await run('desk.ts'))
          expect(results).toEqual({
            triage: 'NO LIGHT!',
            summarize: { kept: ['a', 'b'], mark: 'x', length: 2 },
            summarizeShort: { kept: ['a'], length: 2 },
            count: 6,
            computed: 12,
            symbol: 'symbol',
            dash: 'dash',
            inherited: 'inherited',
            factorial: 120,
            wrapped: 42,
          })
        },
        timeout,
      )

      test(
        'what an old target rewrites is refused by its helper, and runs as written for a new one',
        async () => {
          const outcome = await run('modern.ts').catch((error: { stderr: string }) => error.stderr)
          if (compiler.name.includes('ES2016'))
            expect(outcome).toMatch(
              /`Desk\.count` .*added by the compiler for a target before ES2022.*compile for ES2022/,
            )
          else expect(JSON.parse(outcome)).toBe(6)
        },
        timeout,
      )

      test(
        'what was governed is kept as metadata and can be listed',
        async () => {
          const { listed, listedOfInstance, wrapper, metadata } = JSON.parse(await run('desk.ts'))
          expect(listed).toEqual([
            ['[secret]', false, null],
            ['computed', false, null],
            ['count', true, null],
            ['inherited', false, null],
            ['summarize', false, 'summary'],
            ['triage', false, null],
            ['with-dash', false, null],
          ])
          expect(listedOfInstance).toBe(6)
          expect(wrapper).toEqual(['triage', 1, { name: 'twice' }])
          expect(metadata).toBe('summary')
        },
        timeout,
      )
    })
  }
}

test(
  'Node.js itself, stripping types: the wrapper runs and a refusal names the line',
  async () => {
    const { result, message } = JSON.parse(
      await node(join(import.meta.dirname, 'run-fixture.ts'), join(fixtures, 'wrapped.ts')),
    )
    expect(result).toBe('X')
    expect(message).toContain(
      `\`join\` (imported from \`node:path\`, test/fixtures/decorators/wrapped.ts:${marked('wrapped.ts', 'join')})`,
    )
  },
  timeout,
)
