/** No path rule is laundered by a move, or by taking a folder whole. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KernelSpace, PolicyDocument } from '../src/index.ts'
import { ask, boot, entriesOf, policyOf, refusalOf, tempFolder } from './support/kernel.ts'

const rules: PolicyDocument['rules'] = [
  { id: 'all', effect: 'permit', action: 'fs.*', resource: ['/workspace/**', '/tmp/**'] },
  { id: 'secret', effect: 'forbid', action: 'fs.read', resource: ['/workspace/a/**/.env', '/tmp/a/**/.env'] },
  { id: 'keep', effect: 'forbid', action: 'fs.remove', resource: ['/workspace/k/keep', '/tmp/k/keep'] },
  { id: 'seal', effect: 'forbid', action: 'fs.write', resource: ['/workspace/s/x', '/tmp/s/x'] },
]

interface Place {
  readonly kernel: KernelSpace
  readonly root: string
  readonly fill: string
}

/** Folders a (with .env), k (with keep) and free (with x), on the host or in memory. */
const places: Readonly<Record<string, () => Place>> = {
  'a host mount': () => {
    const host = tempFolder()
    for (const folder of ['a', 'k', 'free']) mkdirSync(join(host, folder))
    for (const file of ['a/.env', 'a/b', 'k/keep', 'free/x']) writeFileSync(join(host, file), 'text')
    const mounts = { '/workspace': { host, mode: 'rw' } } as const
    return { kernel: boot({ policy: policyOf(rules), mounts }), root: '/workspace', fill: '' }
  },
  memory: () => ({
    kernel: boot({ policy: policyOf(rules) }),
    root: '/tmp',
    fill: `for (const folder of ['a', 'k', 'free']) await fs.mkdir('/tmp/' + folder)
      for (const file of ['a/.env', 'a/b', 'k/keep', 'free/x']) await fs.write('/tmp/' + file, 'text')\n`,
  }),
}

describe.each(Object.entries(places))('on %s', (_name, make) => {
  test.each([
    ['a file that may not be read, moved', 'fs.move("~/a/.env", "~/x")', '`secret`'],
    ['a folder that may hold one, moved', 'fs.move("~/a", "~/x")', 'do it file by file'],
    ['a folder that holds what is kept, moved', 'fs.move("~/k", "~/x")', 'do it file by file'],
    ['a folder moved over what is sealed', 'fs.move("~/free", "~/s")', 'do it file by file'],
    [
      'a folder that holds what is kept, removed',
      'fs.remove("~/k", { recursive: true })',
      'do it file by file',
    ],
  ])('%s is EPERM, and nothing happens', async (_what, call, why) => {
    const { kernel, root, fill } = make()
    const at = (text: string): string => text.replaceAll('~', root)
    const [message, left] = (await ask(
      kernel,
      at(
        `${fill}return [${refusalOf(call)}, [await fs.list('~'), await fs.list('~/k'), await fs.stat('~/a/.env')]]`,
      ),
    )) as [string, [{ name: string }[], { name: string }[]]]
    expect(message).toMatch(/^EPERM: fs\./)
    expect(message).toContain(why)
    expect(left[0].map(({ name }) => name)).toEqual(['a', 'free', 'k'])
    expect(left[1]).toHaveLength(1)
  })

  test('files beside the rules move, and folders that no rule is about move and go whole', async () => {
    const { kernel, root, fill } = make()
    const body = `${fill}await fs.move('~/a/b', '~/a/c'); await fs.move('~/free', '~/moved')
      await fs.remove('~/moved', { recursive: true })
      return (await fs.list('~/a')).map((entry) => entry.name)`
    expect(await ask(kernel, body.replaceAll('~', root))).toEqual(['.env', 'c'])
    expect(entriesOf(kernel, 'intent', 'fs.move')[0]).toMatchObject({ resource: `${root}/a/b → ${root}/a/c` })
  })
})

test('where a permit reaches one level only, files move and folders do not', async () => {
  const host = tempFolder()
  mkdirSync(join(host, 'a'))
  writeFileSync(join(host, 'f'), 'text')
  const kernel = boot({
    policy: policyOf([{ id: 'flat', effect: 'permit', action: 'fs.*', resource: '/workspace/*' }]),
    mounts: { '/workspace': { host, mode: 'rw' } },
  })
  const body = `return [${refusalOf('fs.move("/workspace/a", "/workspace/b")')}, ${refusalOf('fs.move("/workspace/f", "/workspace/g")')}]`
  expect(await ask(kernel, body)).toEqual([expect.stringContaining('EPERM'), 'ok'])
  expect(existsSync(join(host, 'a'))).toBe(true)
})
