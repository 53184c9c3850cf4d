import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { readHostLine, readSourceMap } from '../../src/config/source-map.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-map-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const script = pathToFileURL(join(folder, 'dist/desk.js')).href
/** The first character of the script comes from line 3 (from 0) of the source. */
const map = JSON.stringify({ version: 3, sources: ['../src/desk.ts'], names: [], mappings: 'AAGA' })
const inline = `data:application/json;base64,${Buffer.from(map).toString('base64')}`

const unreadable: readonly (readonly [what: string, mapUrl: string])[] = [
  ['no map', ''],
  ['a map on another host', 'https://example.org/desk.js.map'],
  ['a file that is not there', 'missing.js.map'],
  ['text that is not JSON', 'data:application/json,nothing'],
  ['JSON that is not a map', 'data:application/json,{}'],
  ['an escape that is none', 'data:application/json,%E0%A4%A'],
]

for (const [what, mapUrl] of unreadable) {
  test(`${what} gives no map, and no error`, () => {
    expect(readSourceMap(mapUrl, script)).toBeUndefined()
  })
}

test('sources are relative to the script of an inline map, and to the file of another', () => {
  const source = pathToFileURL(join(folder, 'src/desk.ts')).href
  expect(readSourceMap(inline, script)?.find(0, 0)).toEqual({ url: source, line: 3 })
  expect(readSourceMap(`data:application/json,${encodeURIComponent(map)}`, script)?.find(0, 0)?.url).toBe(
    source,
  )
  writeFileSync(join(folder, 'desk.js.map'), map.replace('../src', 'src'))
  expect(readSourceMap('../desk.js.map', script)?.find(0, 0)?.url).toBe(source)
})

test('a root of the sources is put before them', () => {
  const rooted = map.replace('"sources":["../src/', '"sourceRoot":"../src","sources":["')
  expect(readSourceMap(`data:application/json,${encodeURIComponent(rooted)}`, script)?.find(0, 0)?.url).toBe(
    pathToFileURL(join(folder, 'src/desk.ts')).href,
  )
})

test('a line of a file is read by URL or path, and a line that is not there is nothing', () => {
  const file = join(folder, 'a.ts')
  writeFileSync(file, 'one\r\ntwo')
  expect([readHostLine(file, 1), readHostLine(pathToFileURL(file).href, 0), readHostLine(file, 2)]).toEqual([
    'two',
    'one',
    undefined,
  ])
})
