/** What rules take out of what comes back, and what of a call is kept: the guest, the record and the errors. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { KernelOptions, KernelSpace, PolicyDocument } from '../src/index.ts'
import { limits } from '../src/limits.ts'
import { ask, boot, entriesOf, policyOf, refusalOf, tempFolder } from './support/kernel.ts'
import { serve } from './support/serve.ts'

const card = '4111 1111 1111 1111'
const address = 'jane.doe@example.org'
const everything: PolicyDocument['rules'][number] = {
  id: 'shown',
  effect: 'permit',
  action: '*',
  redact: ['card', 'email', 'secret'],
}
const redacting = (...rules: PolicyDocument['rules']): PolicyDocument => policyOf([everything, ...rules])

const returning = (value: () => unknown): NonNullable<KernelOptions['tools']> => ({
  t: { description: 'a tool', parameters: { type: 'object' }, execute: () => value() },
})

/** Everything that a kernel has written beside its log. */
const packsIn = (dir: string): string =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => readFileSync(join(dir, name), 'utf8'))
    .join('\n')

describe('what a tool gives back', () => {
  const result = {
    text: `pay ${card} or ask ${address}`,
    list: [address, { deep: `<${card}>` }],
    [address]: 'a key',
    number: 4_111_111_111_111_111,
    small: 42,
    encoded: Buffer.from(`ask ${address} today`).toString('base64'),
  }
  const shown = {
    text: 'pay [redacted card] or ask [redacted email]',
    list: ['[redacted email]', { deep: '<[redacted card]>' }],
    '[redacted email]': 'a key',
    number: '[redacted card]',
    small: 42,
  }

  test('has it taken out of every string, key and number, at any depth', async () => {
    const kernel = boot({ policy: redacting(), tools: returning(() => result) })
    const value = await ask(kernel, 'return await tools.t({})')
    expect(value).toMatchObject(shown)
    expect(JSON.stringify(value)).not.toContain(result.encoded)
    expect(JSON.stringify(value)).toContain('[redacted email]')
  })

  test('is on record as it was shown, and nowhere else', async () => {
    const dir = tempFolder()
    const kernel = boot({ policy: redacting(), tools: returning(() => result), evidence: { dir } })
    await ask(kernel, 'await tools.t({})')
    await kernel.shutdown()
    const written = packsIn(dir)
    expect(written).toContain('[redacted card]')
    for (const text of [card, address, '4111111111111111', result.encoded])
      expect(written).not.toContain(text)
  })

  test('is the same where it holds nothing of the kind', async () => {
    const plain = { a: [1, 'x', null, true, 1e21, 12_345_678], b: { c: '[redacted card]' } }
    const kernel = boot({ policy: redacting(), tools: returning(() => plain) })
    expect(await ask(kernel, 'return await tools.t({})')).toEqual(plain)
  })

  test('two keys that become the same are both kept', async () => {
    const two = { 'a@x.org': 1, 'b@y.org': 2 }
    const kernel = boot({ policy: redacting(), tools: returning(() => two) })
    expect(await ask(kernel, 'return await tools.t({})')).toEqual({
      '[redacted email]': 1,
      '[redacted email] 2': 2,
    })
  })

  test('is not shown where it cannot be looked through', async () => {
    const large = 'x '.repeat(limits.scanMax / 2 + 1)
    for (const value of [large, `4\0${card}`]) {
      const kernel = boot({ policy: redacting(), tools: returning(() => value) })
      expect(await ask(kernel, `return ${refusalOf('tools.t({})')}`)).toMatch(
        /^EPERM: tool.call `t`: a rule with `redact` shows only what can be looked through, and it (holds NUL|has more)/,
      )
      expect(entriesOf(kernel, 'outcome').map(({ code, result: kept }) => [code, kept])).toContainEqual([
        'EPERM',
        undefined,
      ])
    }
  })

  test('has nothing taken out where no rule says so', async () => {
    const kernel = boot({ tools: returning(() => result) })
    expect(await ask(kernel, 'return await tools.t({})')).toEqual(result)
  })

  test('by any of several policies that agree', async () => {
    const policy = [
      policyOf([everything], { name: 'a' }),
      policyOf([{ id: 'b', effect: 'permit', action: '*' }], { name: 'b' }),
    ]
    const kernel = boot({ policy, tools: returning(() => card) })
    expect(await ask(kernel, 'return await tools.t({})')).toBe('[redacted card]')
  })
})

test('the message of a failure has it taken out too', async () => {
  const { SyscallError } = await import('../src/index.ts')
  const tools = returning(() => {
    throw new SyscallError('ENOENT', `no customer ${address}`)
  })
  const kernel = boot({ policy: redacting(), tools })
  const message = await ask(kernel, `return ${refusalOf('tools.t({})')}`)
  expect(message).toContain('no customer [redacted email]')
})

describe('files', () => {
  const write = (text: string, path = '/tmp/a'): string =>
    `await fs.write(${JSON.stringify(path)}, ${JSON.stringify(text)})\n`
  const text = `${'é'.repeat(40)} ${card} and ${address} ${'z'.repeat(20)}`
  const size = Buffer.byteLength(text)

  test('text and bytes', async () => {
    const kernel = boot({ policy: redacting() })
    const value = await ask(
      kernel,
      `${write(text)}const bytes = await fs.read('/tmp/a', { encoding: 'bytes' })
      return [await fs.read('/tmp/a'), Array.from(bytes)]`,
    )
    const shown = text.replace(card, '[redacted card]').replace(address, '[redacted email]')
    expect(value).toEqual([shown, [...Buffer.from(shown)]])
  })

  test('bytes that are no text are not shown, text or bytes, whole or in part', async () => {
    const kernel = boot({ policy: redacting() })
    for (const bytes of [
      [0xff, 0xfe, 0x41],
      [0x41, 0, 0x42],
    ])
      expect(
        await ask(
          kernel,
          `await fs.write('/tmp/b', new Uint8Array(${JSON.stringify(bytes)}))
          return [${refusalOf("fs.read('/tmp/b', { encoding: 'bytes' })")}, ${refusalOf("fs.read('/tmp/b', { encoding: 'bytes', length: 1 })")}]`,
        ),
      ).toEqual([
        expect.stringContaining('can be looked through'),
        expect.stringContaining('can be looked through'),
      ])
  })

  test('no part, wherever it begins and ends, shows a unit of a match', async () => {
    const kernel = boot({ policy: redacting() })
    const parts = await ask(
      kernel,
      `${write(text)}const parts = []
      for (const length of [1, 3, 7, 19, 40])
        for (let offset = 0; offset < ${size}; offset += length)
          parts.push([offset, length, [...await fs.read('/tmp/a', { offset, length, encoding: 'bytes' })]])
      return parts`,
    )
    const bytes = Buffer.from(text)
    const secret = [card, address].map((it) => [bytes.indexOf(it), bytes.indexOf(it) + it.length] as const)
    for (const [offset, length, part] of parts as [number, number, number[]][]) {
      const end = Math.min(size, offset + length)
      const touches = secret.some(([from, to]) => offset < to && end > from)
      const shown = Buffer.from(part).toString('latin1')
      expect(shown.includes('[redacted ')).toBe(touches)
      if (!touches) expect(shown).toBe(bytes.subarray(offset, end).toString('latin1'))
      const rest = shown.replaceAll(/\[redacted \w+\]/g, '')
      const outside = [...bytes.subarray(offset, end)].filter(
        (_, index) => !secret.some(([from, to]) => offset + index >= from && offset + index < to),
      )
      expect(rest).toBe(Buffer.from(outside).toString('latin1'))
    }
  })

  test('a match that begins far before a part is found, and what is longer than any match is not looked for', async () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${'Ab1+'.repeat(2_000)}\n-----END PRIVATE KEY-----`
    const around = 'x '.repeat(limits.redactMargin)
    const kernel = boot({ policy: redacting() })
    const value = await ask(
      kernel,
      `${write(`${around}${key}${around}`)}const read = (offset) => fs.read('/tmp/a', { offset, length: 40 })
      return [await read(${around.length + 4_000}), await read(${around.length + key.length - 20}), await read(0)]`,
    )
    expect(value).toEqual([
      '[redacted secret]',
      `[redacted secret]${around.slice(0, 20)}`,
      around.slice(0, 40),
    ])
  })

  test('a larger file is read in parts', async () => {
    const kernel = boot({ policy: redacting() })
    const value = await ask(
      kernel,
      `await fs.write('/tmp/a', 'x '.repeat(${limits.scanMax / 2 + 10}) + ${JSON.stringify(card)})
      return [${refusalOf("fs.read('/tmp/a')")}, await fs.read('/tmp/a', { offset: ${limits.scanMax} })]`,
    )
    expect(value).toEqual([
      expect.stringContaining('can be looked through'),
      `${'x '.repeat(10)}[redacted card]`,
    ])
  })

  test('a part that begins within a character is refused as text, as ever', async () => {
    const kernel = boot({ policy: redacting() })
    expect(
      await ask(kernel, `${write('éé')}return ${refusalOf("fs.read('/tmp/a', { offset: 1 })")}`),
    ).toMatch(/^EINVAL.*not UTF-8 text/)
  })

  describe('a move does not lead round it', () => {
    const policy = policyOf([
      { id: 'write', effect: 'permit', action: ['fs.write', 'fs.remove', 'fs.mkdir', 'fs.list'] },
      { id: 'people', effect: 'permit', action: 'fs.read', resource: '/tmp/people/**', redact: ['card'] },
      { id: 'more', effect: 'permit', action: 'fs.read', resource: '/tmp/people/deep/**', redact: ['email'] },
      { id: 'free', effect: 'permit', action: 'fs.read', resource: '/tmp/free/**' },
    ])
    const fill = `await fs.mkdir('/tmp/people')\nawait fs.mkdir('/tmp/people/deep')\nawait fs.mkdir('/tmp/free')\n${write(card, '/tmp/people/a')}${write(card, '/tmp/people/deep/b')}`

    test.each([
      ['to where nothing is taken out', "'/tmp/people/a', '/tmp/free/a'", /^EPERM.*`redact`/],
      ['to where less is', "'/tmp/people/deep/b', '/tmp/people/b'", /^EPERM.*`redact`/],
      ['of the folder', "'/tmp/people', '/tmp/free/people'", /^EPERM/],
      ['to where the same is', "'/tmp/people/a', '/tmp/people/c'", /^ok$/],
      ['to where more is', "'/tmp/people/a', '/tmp/people/deep/c'", /^ok$/],
      ['to where nothing may be read', "'/tmp/people/a', '/tmp/a'", /^ok$/],
    ])('%s', async (_what, paths, says) => {
      const kernel = boot({ policy })
      expect(await ask(kernel, `${fill}return ${refusalOf(`fs.move(${paths})`)}`)).toMatch(says)
    })
  })
})

describe('answers of servers', () => {
  const net: PolicyDocument['rules'][number] = {
    id: 'net',
    effect: 'permit',
    action: 'net.fetch',
    addresses: ['loopback'],
    redact: ['card'],
  }

  test.each(['text/plain', 'application/octet-stream'])('headers and a body of %s', async (type) => {
    const url = await serve((_request, response) => {
      response.setHeader('content-type', type)
      response.setHeader('x-card', card)
      response.end(`it is ${card}`)
    })
    const kernel = boot({ policy: policyOf([net]) })
    const value = await ask(
      kernel,
      `const reply = await fetch(args[0])
      return [Array.from(await reply.bytes()), reply.headers.get('x-card')]`,
      { args: [url] },
    )
    expect(value).toEqual([[...Buffer.from('it is [redacted card]')], '[redacted card]'])
  })

  test('a body that is no text is not shown', async () => {
    const url = await serve((_request, response) => {
      response.end(Buffer.from([0x1f, 0x8b, 0xff, 0]))
    })
    const kernel = boot({ policy: policyOf([net]) })
    expect(await ask(kernel, `return ${refusalOf('fetch(args[0])')}`, { args: [url] })).toContain(
      'can be looked through',
    )
  })

  test.each(['range', 'Range', 'RANGE'])('a part of an answer is not asked for by `%s`', async (name) => {
    let asked = 0
    const url = await serve((_request, response) => {
      asked += 1
      response.end('x')
    })
    const kernel = boot({ policy: policyOf([net]) })
    const call = `sys('net.fetch', { url: args[0], headers: { ${JSON.stringify(name)}: 'bytes=0-3' } })`
    expect(await ask(kernel, `return ${refusalOf(call)}`, { args: [url] })).toMatch(/^EPERM.*whole answers/)
    expect(asked).toBe(0)
  })
})

describe('`log: digest`', () => {
  const rules: PolicyDocument['rules'] = [
    { id: 'quiet', effect: 'permit', action: 'tool.call', log: 'digest' },
    { id: 'rest', effect: 'permit', action: 'fs.*' },
  ]

  async function run(
    policy: PolicyDocument,
    body: string,
  ): Promise<{ kernel: KernelSpace; written: string }> {
    const dir = tempFolder()
    const kernel = boot({ policy, tools: returning(() => 'the result'), evidence: { dir } })
    await ask(kernel, body)
    const verified = kernel.evidence.verify()
    expect(verified).toMatchObject({ ok: true, problems: [] })
    await kernel.shutdown()
    // The program itself is on record, so it makes what it sends.
    return { kernel, written: packsIn(dir) }
  }

  const call = "await tools.t({ note: ['hid', 'den'].join('') })"

  test('keeps neither arguments nor result, and the record is whole', async () => {
    const { written } = await run(policyOf(rules), call)
    expect(written).not.toContain('hidden')
    expect(written).not.toContain('the result')
  })

  test('without it, both are kept', async () => {
    const full = policyOf(
      rules.map((rule) => (rule.id === 'quiet' ? { ...rule, log: 'full' as const } : rule)),
    )
    const { written } = await run(full, call)
    expect(written).toContain('hidden')
    expect(written).toContain('the result')
  })

  test('is about the calls of its rule only', async () => {
    const { written } = await run(policyOf(rules), "await fs.write('/tmp/a', ['hid', 'den'].join(''))")
    expect(written).toContain('hidden')
  })

  test('one who has the text can show that it was this one', async () => {
    const { payloadHash } = await import('../src/evidence/verify.ts')
    const { written } = await run(policyOf(rules), call)
    const lines = written.split('\n').filter((line) => line.includes('"salt"') && !line.includes('"text"'))
    const [first = ''] = lines
    const { hash, salt } = JSON.parse(first)
    expect(lines).toHaveLength(2)
    expect(payloadHash(Buffer.from(salt, 'hex'), '{"name":"t","args":{"note":"hidden"}}')).toBe(hash)
  })

  test('also of a call that was permitted and then refused for its budget', async () => {
    const poor = policyOf(rules, { budget: { syscalls: 1 } })
    const { written } = await run(poor, `${call}\nawait Promise.allSettled([${call.replace('await ', '')}])`)
    expect(written).toContain('EDQUOT')
    expect(written).not.toContain('hidden')
  })

  test('of a call that is judged as several, where one of them says so', async () => {
    const moving = (log: 'digest' | 'full'): PolicyDocument =>
      policyOf([
        { id: 'from', effect: 'permit', action: ['fs.remove', 'fs.read'] },
        { id: 'to', effect: 'permit', action: 'fs.write', log },
      ])
    const body = "await fs.write('/tmp/a', 'x')\nawait fs.move('/tmp/a', '/tmp/b')"
    const args = JSON.stringify(JSON.stringify({ from: '/tmp/a', to: '/tmp/b' }))
    expect((await run(moving('full'), body)).written).toContain(args)
    expect((await run(moving('digest'), body)).written).not.toContain(args)
  })

  test('a call that comes too often is refused, and not kept either', async () => {
    const once = policyOf([{ id: 'quiet', effect: 'permit', action: 'tool.call', log: 'digest', once: true }])
    const { written } = await run(once, `${call}\n${call.replace('await ', 'await Promise.allSettled([')}])`)
    expect(written).toContain('"kind":"refusal"')
    expect(written).not.toContain('hidden')
  })
})

test('rules that only take out or keep less use up no limit of a run', async () => {
  const rules = Array.from({ length: limits.talliesMax + 10 }, (_, index) => ({
    id: `r${index}`,
    effect: 'permit' as const,
    action: 'fs.*',
    resource: `/tmp/${index}`,
    redact: ['card' as const],
    log: 'digest' as const,
  }))
  const kernel = boot({ policy: policyOf(rules) })
  expect(
    await ask(
      kernel,
      `for (let i = 0; i < ${rules.length}; i += 1) await fs.write('/tmp/' + i, 'x')\nreturn 'ok'`,
    ),
  ).toBe('ok')
})
