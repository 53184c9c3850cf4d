/** Secrets through the whole kernel: what agents, records and listeners see, and where redirects lead. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { type KernelOptions, type PolicyDocument, SyscallError } from '../src/index.ts'
import { ask, boot, entriesOf, policyOf, refusalOf, tempFolder } from './support/kernel.ts'
import { readAll, serve } from './support/servers.ts'

const value = 'tok/en+with="odd"&characters'
const mark = '[secret:TOKEN]'
const token = '$' + '{secret:TOKEN}'

const local: PolicyDocument = policyOf([
  { id: 'all', effect: 'permit', action: '*' },
  { id: 'local', effect: 'permit', action: 'net.fetch', resource: 'http://*:*/**', addresses: ['loopback'] },
])

const kernelFor = (
  url: string,
  more: KernelOptions = {},
  places?: readonly ('header' | 'body' | 'query')[],
) =>
  boot({
    policy: local,
    secrets: {
      TOKEN: { value, origins: [new URL(url).origin], ...(places !== undefined && { in: places }) },
    },
    ...more,
  })

const echo: RequestListener = async (request, response) => {
  const body = (await readAll(request)).toString()
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ url: request.url, headers: request.headers, body }))
}

/** A server that remembers what it was sent, and answers as it is told. */
async function remembering(handle: RequestListener): Promise<{ url: string; heard: string[] }> {
  const heard: string[] = []
  const url = await serve(async (request, response) => {
    heard.push(`${request.method} ${request.url} ${request.rawHeaders.join(' ')} ${await readAll(request)}`)
    handle(request, response)
  })
  return { url, heard }
}

test('neither the agent nor anything that the kernel keeps or tells has the value', async () => {
  const url = await serve(echo)
  const dir = tempFolder()
  const kernel = kernelFor(url, { evidence: { dir } })
  const told: unknown[] = []
  for (const name of ['syscall', 'decision', 'output', 'error', 'state'] as const)
    kernel.on(name, (event) => told.push(event))
  const seen = await ask(
    kernel,
    `const reply = await fetch(${JSON.stringify(url)}, { headers: { Authorization: 'Bearer ${token}', 'x-pair': '${token.replace('}', '|basic:me}')}' } })
     const text = await reply.text()
     console.log(text, [...reply.headers.entries()].join())
     return { text, audit: await fs.read('/audit/log.jsonl'), self: await proc.self(), failed: ${refusalOf(`sys('net.fetch', { url: ${JSON.stringify(url)}, headers: { a: '${token}', 'b b': 'c' } })`)} }`,
  )
  expect(JSON.parse((seen as { text: string }).text).headers).toMatchObject({
    authorization: `Bearer ${mark}`,
  })
  await kernel.shutdown()
  const files = readdirSync(dir).filter((name) => name.endsWith('.jsonl'))
  const evidence = files.map((name) => readFileSync(join(dir, name), 'utf8')).join('')
  expect(evidence).toContain(token)
  expect(evidence).toContain(mark)
  const shown = [
    JSON.stringify(seen),
    evidence,
    inspect(told, { depth: 20 }),
    inspect(kernel, { depth: 20, showHidden: true }),
  ]
  const pair = Buffer.from(`me:${value}`).toString('base64')
  for (const text of shown) {
    expect(text).not.toMatch(/tok.{1,6}en.{1,6}with|odd/)
    expect(text).not.toContain(pair.slice(4, -4))
  }
})

test('the record of the intent is there before the value is asked for', async () => {
  const url = await serve(echo)
  let recorded = -1
  const kernel = boot({
    policy: local,
    secrets: {
      TOKEN: {
        value: () => {
          recorded = entriesOf(kernel, 'intent', 'net.fetch').length
          return value
        },
        origins: [new URL(url).origin],
      },
    },
  })
  await ask(kernel, `await fetch(${JSON.stringify(url)}, { headers: { a: '${token}' } })`)
  expect(recorded).toBe(1)
})

test('what the policy forbids asks for no value', async () => {
  const url = await serve(echo)
  let asked = 0
  const forbid = policyOf([{ id: 'fs', effect: 'permit', action: 'fs.*' }])
  const read = (): string => {
    asked += 1
    return value
  }
  const kernel = boot({ policy: forbid, secrets: { TOKEN: { value: read, origins: [new URL(url).origin] } } })
  expect(
    await ask(kernel, `return ${refusalOf(`fetch(${JSON.stringify(url)}, { headers: { a: '${token}' } })`)}`),
  ).toMatch(/^EPERM.*no rule/)
  expect(asked).toBe(0)
})

test('a secret for another server is refused before the policy is asked, and is on record as that', async () => {
  const url = await serve(echo)
  const kernel = kernelFor('https://api.example')
  const said = await ask(
    kernel,
    `return ${refusalOf(`fetch(${JSON.stringify(url)}, { headers: { a: '${token}' } })`)}`,
  )
  expect(said).toMatch(
    /^EPERM: net.fetch: secret `TOKEN` is not for `http:\/\/127.*only for https:\/\/api\.example; ask there, or leave it out$/,
  )
  expect(entriesOf(kernel, 'refusal', 'net.fetch')).toMatchObject([{ code: 'EPERM' }])
  expect(entriesOf(kernel, 'intent', 'net.fetch')).toEqual([])
})

test.each([301, 302, 303, 307, 308])(
  'a %d to another server goes there without the secret',
  async (status) => {
    const other = await remembering((_request, response) => response.end('there'))
    const named = await remembering((_request, response) =>
      response.writeHead(status, { location: other.url }).end(),
    )
    const kernel = kernelFor(named.url)
    const text = await ask(
      kernel,
      `return (await fetch(${JSON.stringify(named.url)}, { headers: { 'X-Api-Key': '${token}', authorization: '${token}', 'x-plain': 'kept' } })).status`,
    )
    expect(text).toBe(200)
    expect(named.heard[0]).toContain(value)
    expect(other.heard).toHaveLength(1)
    expect(other.heard[0]).toContain('x-plain kept')
    expect(other.heard[0]).not.toMatch(/secret|odd|x-api-key/i)
  },
)

test('a redirect on the same server takes the secret along', async () => {
  const named = await remembering((request, response) =>
    request.url === '/a' ? response.end('there') : response.writeHead(302, { location: '/a' }).end(),
  )
  await ask(kernelFor(named.url), `await fetch(${JSON.stringify(named.url)}, { headers: { a: '${token}' } })`)
  expect(named.heard.map((text) => text.includes(value))).toEqual([true, true])
})

test('a redirect that would carry a secret in the body elsewhere is refused', async () => {
  const other = await remembering((_request, response) => response.end())
  const named = await remembering((_request, response) =>
    response.writeHead(307, { location: other.url }).end(),
  )
  const kernel = kernelFor(named.url, {}, ['body'])
  const call = `fetch(${JSON.stringify(named.url)}, { method: 'POST', body: '${token}' })`
  expect(await ask(kernel, `return ${refusalOf(call)}`)).toMatch(/EPERM.*`TOKEN` is not for/)
  expect(named.heard[0]).toContain(value)
  expect(other.heard).toEqual([])
})

test('what a server writes into a redirect is no placeholder, though the secret may stand there', async () => {
  const named = await remembering((request, response) =>
    request.url === '/'
      ? response.writeHead(302, { location: `/a?stolen=${token}` }).end()
      : response.end('end'),
  )
  const kernel = kernelFor(named.url, {}, ['header', 'query'])
  await ask(kernel, `await fetch(${JSON.stringify(named.url)})`)
  expect(named.heard).toHaveLength(2)
  expect(named.heard.join()).not.toContain('odd')
  expect(named.heard[1]).toContain('stolen=$%7Bsecret:TOKEN}')
})

test('a server that keeps a secret gives it back to no later call, of no agent', async () => {
  let kept = ''
  const url = await serve((request, response) => {
    kept = String(request.headers['x-token'] ?? kept)
    response.setHeader('content-type', 'text/plain').end(kept)
  })
  const kernel = kernelFor(url)
  await ask(kernel, `await fetch(${JSON.stringify(url)}, { headers: { 'x-token': '${token}' } })`)
  const later = `return (await fetch(${JSON.stringify(url)})).text()`
  expect(await ask(kernel, later, { name: 'other' })).toBe(mark)
  expect(kept).toBe(value)
})

test('conditions see the names of the secrets that a call uses', async () => {
  const url = await serve(echo)
  const policy = policyOf([
    ...(local.rules ?? []),
    {
      id: 'not-here',
      effect: 'forbid',
      action: 'net.fetch',
      when: '"TOKEN" in args.secrets && principal != "deployer"',
    },
    {
      id: 'none-else',
      effect: 'forbid',
      action: 'net.fetch',
      when: 'args.secrets.exists(name, name != "TOKEN")',
    },
  ])
  const kernel = kernelFor(url, { policy })
  const call = `return ${refusalOf(`fetch(${JSON.stringify(url)}, { headers: { a: 'x ${token} ${token}' } })`)}`
  expect(await ask(kernel, call, { name: 'deployer' })).toBe('ok')
  expect(await ask(kernel, call, { name: 'reader' })).toMatch(/EPERM.*`not-here`/)
  expect(await ask(kernel, `return ${refusalOf(`fetch(${JSON.stringify(url)})`)}`, { name: 'reader' })).toBe(
    'ok',
  )
})

test('a file with a secret is in no mount, also after it was replaced', async () => {
  const url = await serve(echo)
  const folder = tempFolder()
  const file = join(folder, 'token')
  mkdirSync(join(folder, 'sub'))
  writeFileSync(file, value)
  const kernel = boot({
    policy: local,
    mounts: { '/workspace': { host: folder, mode: 'rw' } },
    secrets: { TOKEN: { file, origins: [new URL(url).origin] } },
  })
  const look = `[await fs.list('/workspace').then((all) => all.map(({ name }) => name)), ${refusalOf("fs.read('/workspace/token')")}]`
  const use = `(await (await fetch(${JSON.stringify(url)}, { headers: { a: '${token}' } })).json()).headers.a`
  const first = await ask(kernel, `const used = ${use}; return [used, ...${look}]`)
  expect(first).toEqual([mark, ['sub'], expect.stringMatching(/^ENOENT/)])
  writeFileSync(join(folder, 'sub', 'next'), 'another-value-of-the-token')
  renameSync(join(folder, 'sub', 'next'), file)
  const second = await ask(kernel, `const used = ${use}; return [used, ...${look}]`)
  expect(second).toEqual([mark, ['sub'], expect.stringMatching(/^ENOENT/)])
})

test('why a secret cannot be read is told to the application, and no host path to the agent', async () => {
  const url = await serve(echo)
  const file = join(tempFolder(), 'token')
  writeFileSync(file, value)
  const kernel = boot({ policy: local, secrets: { TOKEN: { file, origins: [new URL(url).origin] } } })
  const told: unknown[] = []
  kernel.on('error', (event) => told.push(event))
  renameSync(file, `${file}.gone`)
  const said = await ask(
    kernel,
    `return ${refusalOf(`fetch(${JSON.stringify(url)}, { headers: { a: '${token}' } })`)}`,
  )
  expect(said).toMatch(
    /^EIO: net.fetch .*secret `TOKEN` could not be read, so nothing was sent; the application knows why$/,
  )
  expect(told).toMatchObject([
    { where: 'secret TOKEN', error: { message: expect.stringContaining('ENOENT') } },
  ])
  expect(JSON.stringify(kernel.evidence.entries())).not.toContain(file)
})

test('a kernel without secrets says that it has none', async () => {
  const url = await serve(echo)
  const kernel = boot({ policy: local })
  expect(
    await ask(kernel, `return ${refusalOf(`fetch(${JSON.stringify(url)}, { headers: { a: '${token}' } })`)}`),
  ).toMatch(/^EINVAL.*no secret `TOKEN`; this kernel has none/)
})

test('a tool that gives a secret back, or says it in an error, gives it to nobody', async () => {
  const value = 'tool-held-4f9a-secret'
  const seen: unknown[] = []
  const kernel = boot({
    policy: local,
    secrets: { TOKEN: { value, origins: ['https://api.example.org'] } },
    tools: {
      leaks: {
        description: 'x',
        parameters: { type: 'object' },
        execute: () => ({ config: [`key=${value}`] }),
      },
      says: {
        description: 'x',
        parameters: { type: 'object' },
        execute: () => {
          throw new SyscallError('EACCES', `the key ${value} is not accepted`)
        },
      },
    } as never,
  })
  kernel.on('syscall', (event) => seen.push(event))
  expect(
    await ask(kernel, `return [await tools.leaks({}), await tools.says({}).catch(({ message }) => message)]`),
  ).toEqual([
    { config: ['key=[secret:TOKEN]'] },
    'EACCES: tool.call `says`: the key [secret:TOKEN] is not accepted',
  ])
  expect(JSON.stringify([seen, kernel.evidence.entries()])).not.toContain(value)
})
