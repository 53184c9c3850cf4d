/** Words and lists of a call are bounded by its row, before a check, a policy or a driver looks at them. */
import { describe, expect, test } from 'vitest'
import { ToolDriver } from '../src/drivers/tool.ts'
import { signalName } from '../src/proc/signals.ts'
import { ask, boot, policyOf, refusalOf } from './support/kernel.ts'

const long = `'x'.repeat(1_000_000)`
const many = `Object.fromEntries(Array.from({ length: 201 }, (_, n) => ['x-' + n, '1']))`
const url = `url: 'http://127.0.0.1:1/'`

describe('refused as arguments, not by the policy', () => {
  test.each([
    ['the name of a tool', `sys('tool.call', { name: ${long}, args: {} })`, '`args.name`'],
    ['headers', `sys('net.fetch', { ${url}, headers: ${many} })`, 'at most 200 headers fit'],
    ['the name of a header', `sys('net.fetch', { ${url}, headers: { [${long}]: '1' } })`, '`args.headers.x'],
    ['the value of a header', `sys('net.fetch', { ${url}, headers: { a: ${long} } })`, '`args.headers.a`'],
    ['a method', `sys('net.fetch', { ${url}, method: ${long} })`, '`args.method`'],
    ['a budget’s parts', `sys('proc.spawn', { source: '', budget: ${many} })`, 'at most 16 parts fit'],
    ['a budget’s value', `sys('proc.spawn', { source: '', budget: { cpu: ${long} } })`, '`args.budget.cpu`'],
    [
      'the stack of an error',
      `sys('proc.exit', { error: { name: 'E', message: '', stack: ${long} } })`,
      'stack',
    ],
  ])('%s', async (_what, call, words) => {
    const kernel = boot({ policy: policyOf([{ id: 'none', effect: 'forbid', action: '*' }]) })
    const message = await ask(kernel, `return ${refusalOf(call)}`)
    expect(message).toMatch(/^EINVAL/)
    expect(message).toContain(words)
    expect(String(message).length).toBeLessThan(1_000)
  })
})

test('a guess at what was meant reads only the beginning of a text', () => {
  const tool = new ToolDriver(() => expect.fail('no tool ran'))
  tool.register('search', { description: 'a tool', parameters: { type: 'object' }, execute: () => 1 })
  expect(() => tool.check({ name: 'serch' }, {}, {})).toThrow('did you mean `search`?')
  expect(() => tool.check({ name: 'x'.repeat(20_000_000) }, {}, {})).toThrow('no tool is called')
  expect(() => signalName('x'.repeat(20_000_000))).toThrow('is no signal')
})
