/** The file that npm links says what to do where it cannot work: an old Node.js, a package that is not built. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { folderWith, runCommand } from '../support/cli.ts'

const text = readFileSync(fileURLToPath(new URL('../../bin/gatehouse.js', import.meta.url)), 'utf8')

const withBin = (more: Readonly<Record<string, string>> = {}): string =>
  folderWith({ 'bin/gatehouse.js': text, 'package.json': '{ "type": "module" }', ...more })

test('an old Node.js is told which one is needed, before anything else is loaded', async () => {
  const pretend =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.18.9' } })"
  const folder = withBin({ 'old.mjs': pretend, 'dist/cli/main.js': "throw new Error('loaded')" })
  const { code, stdout, stderr } = await runCommand(
    [process.execPath, '--import', './old.mjs', 'bin/gatehouse.js'],
    folder,
  )
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toBe(
    'gatehouse: needs Node.js 22.19 or newer and runs on 22.18.9; install a newer Node.js\n',
  )
})

test('it is written so that an old Node.js can read it', () => {
  expect(text).not.toMatch(/\?\.|\?\?|^import\s[^(]|\b(await|async|class)\b/m)
})

test('a package that is not built is told so', async () => {
  const { code, stderr } = await runCommand(
    [process.execPath, join('bin', 'gatehouse.js'), 'version'],
    withBin(),
  )
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: 'gatehouse: is not built; run `npm run build` in its folder\n',
  })
})

test('a missing dependency is named', async () => {
  const folder = withBin({ 'dist/cli/main.js': "import 'no-such-package-at-all'" })
  const { code, stderr } = await runCommand([process.execPath, 'bin/gatehouse.js'], folder)
  expect(code).toBe(2)
  expect(stderr).toMatch(
    /^gatehouse: a package it needs is missing; run `npm ci` or `npm install` \(.*no-such-package-at-all/,
  )
})

test('the exit code of the command becomes that of the process, and a command that never ends well is no success', async () => {
  const bin = [process.execPath, 'bin/gatehouse.js', 'a', 'b']
  const main = 'export const main = async (argv, io) => { io.stdout.write(argv.join()); return 7 }'
  expect(await runCommand(bin, withBin({ 'dist/cli/main.js': main }))).toEqual({
    code: 7,
    stdout: 'a,b',
    stderr: '',
  })
  const stuck = 'export const main = () => new Promise(() => {})'
  expect((await runCommand(bin, withBin({ 'dist/cli/main.js': stuck }))).code).toBe(1)
})
