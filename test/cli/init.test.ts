/** What init writes works at once: it runs, its policy loads, it type-checks, and nothing is overwritten. */
import { execFileSync } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { folderWith, gatehouse } from '../support/cli.ts'

const source = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const files = ['policy.yaml', 'agent.ts', 'gatehouse-env.d.ts', 'tsconfig.json']

test('a folder that cannot be made is refused', async () => {
  const folder = folderWith({ file: 'here first' })
  const { code, stdout, stderr } = await gatehouse(folder, ['init', 'file'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toBe(
    'gatehouse: cannot write into `file`: a part of the path is a file, not a folder; name another folder\n',
  )
  expect((await gatehouse(folder, ['init', 'file/below'])).code).toBe(2)
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('here first')
})

test('a file that is there stays, a link is not written through, and both are named', async () => {
  const folder = folderWith({ 'agent.ts': 'mine', elsewhere: 'untouched' })
  symlinkSync(join(folder, 'elsewhere'), join(folder, 'policy.yaml'))
  symlinkSync(join(folder, 'nowhere'), join(folder, 'tsconfig.json'))
  const { code, stdout } = await gatehouse(folder, ['init', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    written: ['gatehouse-env.d.ts'],
    kept: ['policy.yaml', 'agent.ts', 'tsconfig.json'],
  })
  expect(readFileSync(join(folder, 'agent.ts'), 'utf8')).toBe('mine')
  expect(readFileSync(join(folder, 'elsewhere'), 'utf8')).toBe('untouched')
  expect(() => readFileSync(join(folder, 'nowhere'))).toThrow()
  expect((await gatehouse(folder, ['init'])).stdout).toContain('kept agent.ts, which exists already')
})

test('the next command is printed, and it runs the agent under the policy', async () => {
  const folder = folderWith()
  const { code, stdout } = await gatehouse(folder, ['init', 'my agents/first'])
  expect(code).toBe(0)
  for (const file of files) expect(stdout).toContain(`wrote my agents/first/${file}\n`)
  const [, args = ''] = /^Next: cd 'my agents\/first' && gatehouse (.+)$/m.exec(stdout) ?? []
  expect(args).toBe('run agent.ts --policy policy.yaml')
  const inside = join(folder, 'my agents/first')
  const schema = '$schema=../../node_modules/gatehouse/policies/schema.json'
  expect(readFileSync(join(inside, 'policy.yaml'), 'utf8')).toContain(schema)
  const ran = await gatehouse(inside, args.split(' '))
  expect(ran.stdout).toContain(
    'the note says: hello, world\nthe gate says: EPERM: net.fetch `https://example.com/`:',
  )
  expect(ran.stderr).toContain('isolation cell, policy first-agent): exited')
  expect(ran.code).toBe(0)
  expect((await gatehouse(inside, ['policy', 'check', 'policy.yaml'])).code).toBe(0)
  expect((await gatehouse(inside, ['evidence', 'verify'])).code).toBe(0)
})

/** Type-checks a folder as an editor would, with this source tree as the package; @returns what the compiler says. */
function typeCheck(folder: string): string {
  const paths = { 'gatehouse/guest': [source('src/guest.ts')] }
  const config = { extends: './tsconfig.json', compilerOptions: { paths, skipLibCheck: false } }
  writeFileSync(join(folder, 'check.json'), JSON.stringify(config))
  try {
    execFileSync(process.execPath, [source('node_modules/typescript/bin/tsc'), '-p', 'check.json'], {
      cwd: folder,
    })
    return ''
  } catch (error) {
    return String(error instanceof Error && 'stdout' in error ? error.stdout : error)
  }
}

test('the agent type-checks with the globals of user space, and misuse of them does not', async () => {
  const folder = folderWith()
  await gatehouse(folder, ['init'])
  expect(typeCheck(folder)).toBe('')
  writeFileSync(join(folder, 'globals.ts'), globals)
  expect(typeCheck(folder)).toBe('')
  writeFileSync(join(folder, 'wrong.ts'), 'export default () => fs.read(7)\nexport const p = process.env\n')
  const said = typeCheck(folder)
  expect(said).toMatch(/wrong\.ts\(1,\d+\): error TS2345/)
  expect(said).toMatch(/wrong\.ts\(2,\d+\): error TS2\d+: Cannot find name 'process'/)
})

const globals = `
export default async () => {
  const timer = setTimeout((text: string) => console.log(text), 5, 'late')
  clearTimeout(timer)
  queueMicrotask(() => console.error(crypto.randomUUID(), performance.now()))
  await proc.on('SIGTERM', () => console.warn('ending'))
  await ipc.send('desk', { hello: true })
  return { own: await proc.self(), raw: await sys('fs.stat', { path: '/mem' }), said: await tools.echo({ a: 1 }) }
}
`
