import { describe, expect, test } from 'vitest'
import { linksIn, wordsIn } from '../../src/policy/links.ts'

describe('links', () => {
  test.each([
    ['Check out this link: www.secure-systems-252.com', ['www.secure-systems-252.com']],
    ['mail a@b.example, then (b.example/x?y=1).', ['a@b.example', 'b.example/x']],
    [
      'HTTPS://B.Example:8443/x and http://10.0.0.1/ or 10.0.0.1',
      ['https://b.example:8443/x', 'http://10.0.0.1/', '10.0.0.1'],
    ],
    ['mailto:bob data:text/html,hi', ['mailto:bob', 'data:text/html']],
    ['full width: b．example, and xn--p1ai.xn--p1ai', ['b.example', 'xn--p1ai.xn--p1ai']],
    ['unseen marks: b.\u200Bexample', ['b.\u200Bexample']],
    ['a name that a domain could have: report.pdf', ['report.pdf']],
  ])('%s', (text, found) => {
    expect(linksIn(text)).toEqual(found)
  })

  test.each(['At 10:00 on 2024-05-20, 3.14 or 1,000.50.', 'e.g. the U.S.A. …', '', 'version 1.2.3'])(
    'none in: %s',
    (text) => {
      expect(linksIn(text)).toEqual([])
    },
  )

  test('words are what origin compares', () => {
    expect(wordsIn('To 2024-05-20 10:00, “Bob”!')).toEqual(['to', '2024-05-20', '10:00', 'bob'])
  })
})
