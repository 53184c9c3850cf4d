/** What crosses the boundary is bounded before anyone looks at it, and so is what is said about it. */
import { describe, expect, test } from 'vitest'
import { asJson, parseGuestJson } from '../src/json.ts'
import { limits } from '../src/limits.ts'

function refusal(act: () => unknown): { readonly code: string; readonly message: string } {
  try {
    act()
  } catch (error) {
    return error as { code: string; message: string }
  }
  return expect.fail('it was accepted')
}

describe('a message about a document shows little of it', () => {
  const key = 'k'.repeat(2_000_000)
  const nested = (inner: string): string => `{"${key}":${inner}}`

  test.each([
    ['a lone surrogate', '"\\ud800"', 'lone surrogate'],
    ['a number beyond a double', '1e999', 'range of a double'],
    ['a key that reaches a prototype', '{"constructor":1}', '`constructor`'],
    ['too deep', `${'['.repeat(70)}${']'.repeat(70)}`, 'nested deeper'],
  ])('%s', (_what, inner, words) => {
    const { code, message } = refusal(() => parseGuestJson(nested(inner)))
    expect(code).toBe('EINVAL')
    expect(message).toMatch(/^`args\.k+…/)
    expect(message).toContain(words)
    expect(message.length).toBeLessThan(250)
  })

  test('a value of the application', () => {
    const { message } = refusal(() => asJson({ [key]: new Date(0) }, 'args[0]'))
    expect(message).toMatch(/^`args\[0\]\.k+….*is a Date/)
    expect(message.length).toBeLessThan(300)
  })
})

describe('values in one document', () => {
  const { jsonNodesMax } = limits
  const array = (items: number): string => `[${'0,'.repeat(items - 1)}0]`

  test.each([
    ['in one array', array(jsonNodesMax)],
    ['in many arrays', `[${'[],'.repeat(jsonNodesMax - 1)}[]]`],
    ['in arrays that are small each', `[${array(jsonNodesMax / 2)},${array(jsonNodesMax / 2)}]`],
    ['keys of one object', `{${Array.from({ length: jsonNodesMax }, (_, n) => `"${n}":0`).join(',')}}`],
  ])('more than fit %s are E2BIG', (_where, text) => {
    expect(refusal(() => parseGuestJson(text))).toMatchObject({
      code: 'E2BIG',
      message: expect.stringContaining(`more than ${jsonNodesMax} values; put them into a file`),
    })
  })

  test('as many as fit pass, and a large text is one of them', () => {
    expect(parseGuestJson(array(jsonNodesMax - 1))).toHaveLength(jsonNodesMax - 1)
    const text = 'x'.repeat(16 * 1024 * 1024)
    expect(parseGuestJson(JSON.stringify({ text }))).toEqual({ text })
  })
})
