import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { openSecrets } from '../../../../src/drivers/net/secrets/open.ts'
import { KernelSpace } from '../../../../src/index.ts'
import { limits } from '../../../../src/limits.ts'
import { tempFolder } from '../../../support/kernel.ts'

const value = 'ghp_0123456789abcdef'
const origins = ['https://api.github.com']

test('a kernel takes each source of a value', async () => {
  const file = join(tempFolder(), 'token')
  writeFileSync(file, `${value}\n`)
  vi.stubEnv('GATEHOUSE_TEST_TOKEN', value)
  try {
    const [a, b, c, d] = openSecrets({
      A: { value, origins },
      B: { env: 'GATEHOUSE_TEST_TOKEN', origins },
      C: { file, origins },
      D: { value: async () => value, origins, in: ['body', 'query'] },
    })
    expect([a?.first, b?.first, c?.first, d?.first]).toEqual([value, value, value, undefined])
    expect(await Promise.all([a, b, c, d].map((source) => source?.read()))).toEqual(Array(4).fill(value))
    expect([a?.places, d?.places]).toEqual([['header'], ['body', 'query']])
  } finally {
    vi.unstubAllEnvs()
  }
})

test('a file is read at every use, and is hidden first', () => {
  const file = join(tempFolder(), 'token')
  writeFileSync(file, value)
  const hidden: string[] = []
  const [source] = openSecrets({ A: { file, origins } }, (path) => hidden.push(path))
  writeFileSync(file, 'another-value-of-it\r\n')
  expect(source?.read()).toBe('another-value-of-it')
  expect(hidden).toEqual([file, file])
  writeFileSync(file, 'short')
  expect(() => source?.read()).toThrow(/secret `A`: its value has 5 characters/)
})

test.each([
  ['a name in small letters', { token: { value, origins } }, /cannot be called `token`/],
  ['a name of JavaScript', { ['__proto__']: { value, origins } }, /cannot be called `__proto__`/],
  ['no source', { A: { origins } }, /`A`: give exactly one of `value`, `env` and `file`/],
  ['two sources', { A: { value, env: 'HOME', origins } }, /exactly one/],
  ['a short value', { A: { value: 'hunter2', origins } }, /has 7 characters; from 12/],
  ['a long value', { A: { value: `ab${'cdefg'.repeat(limits.secretLengthMax)}`, origins } }, /at|to 8192/],
  ['a line break', { A: { value: `${value}\n`, origins } }, /line break/],
  ['a letter beyond ASCII', { A: { value: `${value}ü`, origins } }, /beyond ASCII/],
  ['a blank at its end', { A: { value: `${value} `, origins } }, /blank at its ends/],
  ['a repeated character', { A: { value: 'x'.repeat(40), origins } }, /fewer than 5 different/],
  ['no such variable', { A: { env: 'GATEHOUSE_NO_SUCH', origins } }, /no variable `GATEHOUSE_NO_SUCH`/],
  ['no such file', { A: { file: './no/such', origins } }, /`\.\/no\/such` cannot be read \(ENOENT\)/],
  ['a folder', { A: { file: '.', origins } }, /not a regular file/],
  ['no origin', { A: { value, origins: [] } }, /could go nowhere/],
  ['no place', { A: { value, origins, in: [] } }, /could stand nowhere/],
] as const)('%s refuses the start', (_, secrets, message) => {
  const options = Object.fromEntries(Object.entries(secrets))
  if (_ === 'a name of JavaScript')
    Object.defineProperty(options, '__proto__', { value: { value, origins }, enumerable: true })
  expect(() => openSecrets(options)).toThrow(
    expect.objectContaining({ code: 'EINVAL', message: expect.stringMatching(message) }),
  )
})

test.each([
  ['https://api.github.com/', /write `https:\/\/api\.github\.com`/],
  ['https://api.github.com:443', /write `https:\/\/api\.github\.com`/],
  ['HTTPS://api.github.com', /write `https:\/\/api\.github\.com`/],
  ['https://API.github.com', /write `https:\/\/api\.github\.com`/],
  ['https://api.github.com/repos', /scheme, host and port alone/],
  ['https://münchen.example', /write `https:\/\/xn--mnchen-3ya\.example`/],
  ['https://[::0:1]', /write `https:\/\/\[::1\]`/],
  ['api.github.com', /does not begin with http/],
  ['ftp://api.github.com', /does not begin with http/],
  ['https://*.github.com', /has a wildcard/],
  ['*', /has a wildcard/],
  ['https://a@api.github.com', /user name or password/],
  ['https://api.github.com.', /begins or ends with a dot/],
  ['https://2130706433', /another spelling/],
  ['', /does not begin with http/],
])('the origin %s refuses the start, and says what to write', (origin, message) => {
  expect(() => openSecrets({ A: { value, origins: [origin] } })).toThrow(message)
})

test('what the kernel says of unsound options never shows a value', () => {
  const secrets: readonly unknown[] = [
    { A: value },
    { A: { value, origins, in: [value] } },
    { A: { value: `${value}\n`, origins } },
    { A: { value: { value }, origins } },
    { A: { value, origins: value } },
    [value],
    value,
  ]
  for (const each of secrets) {
    let said = ''
    try {
      Reflect.construct(KernelSpace, [{ secrets: each }])
    } catch (error) {
      said = String(error)
    }
    expect(said).toMatch(/secret/)
    expect(said).not.toContain(value)
  }
})

test('a file that is reached by a link is read, as volumes of secrets are', () => {
  const folder = tempFolder()
  mkdirSync(join(folder, '..data'))
  writeFileSync(join(folder, '..data', 'token'), value)
  symlinkSync(join('..data', 'token'), join(folder, 'token'))
  expect(openSecrets({ A: { file: join(folder, 'token'), origins } })[0]?.first).toBe(value)
})
