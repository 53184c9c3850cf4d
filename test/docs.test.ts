import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { printedFiles } from '../scripts/docs/files.ts'
import { argumentsOf } from '../scripts/docs/json-schema.ts'
import { bundleProgram } from '../src/config/program.ts'
import { guestGlobalNames } from '../src/govern/guest-globals.ts'
import { parsePolicy } from '../src/policy/parse.ts'
import { syscallNames, syscalls } from '../src/syscalls.ts'
import { tempFolder } from './support/kernel.ts'
import { typeErrors } from './support/type-check.ts'

const root = resolve(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const pages = [
  ...globSync('docs/**/*.md', { cwd: root }),
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
].filter((page) => existsSync(join(root, page)))

describe('printed files', () => {
  test.each(Object.entries(printedFiles))(
    '%s is what the tables say (npm run docs prints it)',
    (path, print) => {
      expect(read(path)).toBe(print())
    },
  )

  test('every argument of every syscall has a meaning', () => {
    const silent = syscallNames.flatMap((name) =>
      argumentsOf(syscalls[name])
        .filter(({ meaning }) => meaning === '')
        .map((argument) => `${name}: ${argument.name}`),
    )
    expect(silent).toEqual([])
  })
})

/** Text outside fenced code. */
const proseOf = (text: string): string => text.replaceAll(/^```.*?^```$/gms, '')

/** Ids that a page's headings have on the web. */
const anchorsOf = (text: string): readonly string[] =>
  [...proseOf(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )

test.each(pages)('every link of %s leads somewhere', (page) => {
  const links = [...proseOf(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  const broken = links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : relative(root, resolve(root, dirname(page), path))
    if (!existsSync(join(root, target))) return true
    return anchor !== undefined && !anchorsOf(read(target)).includes(anchor)
  })
  expect(broken).toEqual([])
})

/** Fenced code whose language is followed by the word `kind`: it says that the whole snippet works. */
const snippets = (language: string, kind: string): readonly (readonly [string, string])[] =>
  pages.flatMap((page) =>
    [...read(page).matchAll(new RegExp(`^\`\`\`${language} ${kind}\\n(.*?)^\`\`\`$`, 'gms'))].map(
      ([, text = '']) => [page, text] as const,
    ),
  )

test.each(snippets('yaml', 'policy'))('a policy of %s loads', (page, text) => {
  expect(parsePolicy(text, page).rules.length).toBeGreaterThan(0)
})

test.each(snippets('ts', 'agent'))('an agent of %s compiles and can be bundled', async (_page, text) => {
  const file = join(tempFolder(), 'agent.ts')
  writeFileSync(file, text)
  expect(typeErrors(file)).toEqual([])
  expect((await bundleProgram(file)).text).toContain('export {')
})

test('docs/user-space.md lists the globals of user space, and no others', () => {
  const [, section = ''] = /^## Globals$(.*?)^## /ms.exec(read('docs/user-space.md')) ?? []
  const rows = [...section.matchAll(/^\| ([a-z ]+) \| (`.*) \|$/gm)]
  const listed = rows.flatMap(([, what, names = '']) =>
    [...names.matchAll(/`(\w+)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => what !== 'on newer engines' || name in globalThis),
  )
  expect(listed.toSorted()).toEqual(guestGlobalNames.toSorted())
})
