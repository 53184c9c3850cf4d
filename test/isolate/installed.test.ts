/** Cells start with all that is taken from them wherever the built package is installed. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { tempFolder } from '../support/kernel.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const modules = join(root, 'node_modules')
const native = ['isolated-vm', 'node-gyp-build']

/** Runs an agent of one line, which needs a text that the build has made, in a cell of the package that is installed in this application. */
const program = `import { KernelSpace } from 'gatehouse'
const kernel = new KernelSpace({ isolation: 'cell' })
console.log(await kernel.execute({ source: 'export default () => Number(new URL("https://a.b:42").port)' }))
await kernel.shutdown()
`

/** An application with the package; of others all but what cells read is linked. */
function install(folder: string): string {
  const into = join(folder, 'node_modules')
  const place = join(into, 'gatehouse')
  mkdirSync(place, { recursive: true })
  for (const part of ['dist', 'policies', 'package.json'])
    cpSync(join(root, part), join(place, part), { recursive: true })
  const wanted = `${process.platform}-${process.arch}`
  const filter = (path: string) => !/prebuilds\/./.test(path) || path.includes(`prebuilds/${wanted}`)
  for (const name of native)
    cpSync(join(modules, name), join(into, name), { recursive: true, dereference: true, filter })
  for (const name of readdirSync(modules))
    if (!existsSync(join(into, name)) && !name.startsWith('.'))
      symlinkSync(join(modules, name), join(into, name))
  writeFileSync(join(folder, 'main.mjs'), program)
  return folder
}

const run = (folder: string): string =>
  execFileSync(process.execPath, [join(folder, 'main.mjs')], { encoding: 'utf8', cwd: '/' }).trim()

describe.runIf(existsSync(join(root, 'dist', 'isolate', 'bootstrap.js')))('the built package', () => {
  test('below a folder with spaces and commas in its name', () => {
    expect(run(install(join(tempFolder(), 'my app, 2')))).toBe('42')
  })

  test('by way of a symbolic link to the application', () => {
    const folder = tempFolder()
    install(join(folder, 'real'))
    symlinkSync(join(folder, 'real'), join(folder, 'link'))
    expect(run(join(folder, 'link'))).toBe('42')
  })

  test('with packages that are links, each beside those it asks for (pnpm)', () => {
    const folder = install(join(tempFolder(), 'app'))
    const into = join(folder, 'node_modules')
    const store = join(folder, 'store', 'node_modules')
    mkdirSync(store, { recursive: true })
    for (const name of native) renameSync(join(into, name), join(store, name))
    symlinkSync(join(store, 'isolated-vm'), join(into, 'isolated-vm'))
    expect(run(folder)).toBe('42')
  })

  test('with a folder of packages that is itself a link', () => {
    const folder = install(join(tempFolder(), 'app'))
    const real = join(folder, 'node_modules', 'gatehouse')
    mkdirSync(join(folder, 'workspace'))
    renameSync(real, join(folder, 'workspace', 'gatehouse'))
    symlinkSync(join(folder, 'workspace', 'gatehouse'), real)
    symlinkSync(join(folder, 'node_modules'), join(folder, 'workspace', 'gatehouse', 'node_modules'))
    expect(run(folder)).toBe('42')
  })
})
