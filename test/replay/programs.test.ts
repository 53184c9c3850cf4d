/** Programs of every kind, recorded and replayed byte for byte. */
import { describe, expect, test } from 'vitest'
import { main } from '../support/kernel.ts'
import { expectEqual, replayOf } from './support.ts'

const programs: Readonly<Record<string, string>> = {
  'a value and no call': main('return 42'),
  'calls one after another': main(`await fs.write('/tmp/a', 'one'); return fs.read('/tmp/a')`),
  'calls in one turn': main(`const texts = ['a', 'b', 'c']
    await Promise.all(texts.map((text) => fs.write('/tmp/' + text, text)))
    return Promise.all(texts.map((text) => fs.read('/tmp/' + text)))`),
  bytes: main(
    `await fs.write('/tmp/b', new Uint8Array([0, 255, 1])); return [...await fs.read('/tmp/b', { bytes: true })]`,
  ),
  failures:
    main(`return [await fs.read('/none').catch((error) => error.message), await fs.read(7).catch((error) => error.message),
    await sys('no.such', { a: 'x'.repeat(9000) }).catch((error) => error.message)]`),
  timers: main(`const order = []
    await new Promise((resolve) => { setTimeout(() => { order.push(Date.now()); resolve() }, 12); setTimeout(() => order.push('b'), 3)
      const interval = setInterval(() => { order.push('i'); if (order.length > 2) clearInterval(interval) }, 4) })
    return order`),
  'time and chance':
    main(`const before = [Date.now(), performance.now(), Math.random(), crypto.randomUUID(), String(new Date())]
    await new Promise((resolve) => setTimeout(resolve, 5))
    return [before, Date.now(), performance.now(), Math.random(), [...crypto.getRandomValues(new Uint8Array(4))], await sys('clock.random', { bytes: 8 })]`),
  output: main(
    `for (let n = 0; n < 200; n += 1) console.log('line', n, { n }); console.error(new Error('seen'))`,
  ),
  'an error that it throws': main(`await proc.self(); throw new RangeError('out of it')`),
  'an error that nobody catches': `await proc.self(); Promise.reject(new TypeError('lost')); setTimeout(() => { throw new Error('later') }, 2)`,
  'a module that does not parse': 'export default async () => {',
  'an import that is not there': `import 'node:fs'`,
  'a wait for nothing': main('await fs.stat("/tmp"); await new Promise(() => {})'),
  'a loop that is ended by its budget': main(
    'await fs.write("/tmp/x", "1"); void fs.read("/tmp/x"); for (;;);',
  ),
  'an exit in the middle': main(
    `await fs.write('/tmp/a', '1'); proc.exit('now'); await fs.read('/tmp/a'); fs.read('/tmp/b'); return 2`,
  ),
}

describe.each(Object.entries(programs))('%s', (_name, source) => {
  test('replays byte for byte', async () => {
    const run = await replayOf(source, { budget: { cpu: '300ms' } })
    expectEqual(run)
    expect(run.processes).toHaveLength(1)
  })
})
