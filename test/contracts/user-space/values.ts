/** What may cross into user space and back: JSON, unchanged, and nothing else. */
import { describe, expect, test } from 'vitest'
import { exitValue, kernelErrorOf, main } from '../../support/kernel.ts'
import type { Place } from '../user-space.ts'

/** A program's expression → how its refusal names it. */
const notJson: Readonly<Record<string, RegExp>> = {
  '{ when: undefined }': /`result\.when` is undefined/,
  '[1, () => 1]': /`result\[1\]` is a function/,
  '{ a: Symbol("s") }': /`result\.a` is a symbol/,
  '{ n: 1n }': /`result\.n` is a bigint/,
  '[NaN]': /`result\[0\]` is NaN/,
  '[Infinity]': /`result\[0\]` is Infinity/,
  '[-0]': /`result\[0\]` is -0/,
  '{ at: new Date(0) }': /`result\.at` is an object of a class/,
  '{ m: new Map() }': /`result\.m` is an object of a class/,
  '{ c: new (class Desk {})() }': /`result\.c` is an object of a class/,
  '{ s: "\\ud800" }': /`result\.s` is a string with a lone surrogate/,
  '(() => { const a = {}; a.a = a; return a })()': /a cycle/,
  '{ [Symbol("key")]: 1 }': /`result` is an object with a symbol as key/,
  'Object.defineProperty({}, "toJSON", { value: () => 5 })': /`result` is an object with a method toJSON/,
  '[1, , 3]': /`result\[1\]` is undefined/,
}

/** Arguments of the application → how their refusal names them. */
const cycle: Record<string, unknown> = {}
cycle.self = cycle
const badArgs: readonly (readonly [unknown, RegExp])[] = [
  [undefined, /`args\[0\]` is undefined/],
  [{ when: new Date(0) }, /`args\[0\]\.when` is a Date/],
  [[Number.NaN], /`args\[0\]\[0\]` is NaN/],
  [{ n: -0 }, /`args\[0\]\.n` is -0/],
  [cycle, /`args\[0\]\.self` is a cycle/],
  [{ m: new Map() }, /`args\[0\]\.m` is a Map/],
  [{ f: () => 1 }, /`args\[0\]\.f` is a function/],
  [{ s: '\ud800' }, /`args\[0\]\.s` holds a lone surrogate/],
  [{ n: 1n }, /`args\[0\]\.n` is a bigint/],
  [JSON.parse('{"__proto__":{"a":1}}'), /`args\[0\]\.__proto__` is a key that is never accepted/],
]

export function valuesContract({ run, kernel }: Place): void {
  describe('refused', () => {
    test.each(Object.entries(notJson))('the result %s is EINVAL with its path', async (text, message) => {
      const exit = await run(`export default () => (${text})`)
      expect(exit).toMatchObject({ status: 'failed', error: { code: 'EINVAL' } })
      expect(exit.error?.message).toMatch(message)
    })

    test.each(badArgs)('the argument %o is EINVAL with its path, before anything runs', async (arg, path) => {
      const head = kernel().evidence.head().entries
      const error = await kernelErrorOf(() => kernel().execute({ source: 'export default (a) => a' }, arg))
      expect(error.code).toBe('EINVAL')
      expect(error.message).toMatch(path)
      expect(kernel().evidence.head().entries).toBe(head)
    })

    test.each(Object.keys(notJson))('%s in a call is EINVAL in user space', async (text) => {
      const exit = await run(
        main(`try { await sys('tool.call', { name: 'x', args: ${text} }); return 'sent' }
          catch (error) { return error.code }`),
      )
      expect(exitValue(exit)).toBe('EINVAL')
    })
  })

  test('JSON goes in as arguments and comes back as it was', async () => {
    const value = {
      text: 'ünï 😀 \u0000 "quoted"',
      list: [1, -2.5, 1e300, true, null, {}],
      deep: { a: [[]] },
    }
    const exit = await run('export default (...args) => args', { args: [value, 'second', null] })
    expect(exitValue(exit)).toEqual([value, 'second', null])
  })

  test('a program without a result exits without a value', async () => {
    const exit = await run('export default () => {}')
    expect(exit).toMatchObject({ status: 'exited' })
    expect(exit).not.toHaveProperty('value')
  })

  test('a text of 1 MiB goes through a file and back', async () => {
    const exit = await run(
      main(`const text = 'äbc '.repeat(${(1024 * 1024) / 4})
        await fs.write('/tmp/large.txt', text)
        return (await fs.read('/tmp/large.txt')) === text && text.length`),
    )
    expect(exitValue(exit)).toBe(1024 * 1024)
  })

  test('bytes go through a file and back, whatever they are', async () => {
    const exit = await run(
      main(`const lengths = []
        for (const length of [0, 1, 2, 3, 255, 70_000]) {
          const bytes = Uint8Array.from({ length }, (_, index) => (index * 7) & 255)
          await fs.write('/tmp/bytes', bytes)
          const back = await fs.read('/tmp/bytes', { encoding: 'bytes' })
          lengths.push(back.length === length && back.every((byte, index) => byte === bytes[index]))
        }
        return lengths`),
    )
    expect(exitValue(exit)).toEqual([true, true, true, true, true, true])
  })

  test('100 calls in flight are each answered with their own reply', async () => {
    const exit = await run(
      main(`const numbers = Array.from({ length: 100 }, (_, index) => index)
        await Promise.all(numbers.map((n) => fs.write('/tmp/' + n, String(n))))
        const texts = await Promise.all(numbers.map((n) => fs.read('/tmp/' + n)))
        return texts.every((text, n) => text === String(n))`),
    )
    expect(exitValue(exit)).toBe(true)
  })
}
