/** `gatehouse policy replay`, as people run it. */
import { expect, test } from 'vitest'
import { suiteDocument } from '../suite/support.ts'
import { folderWith, gatehouse } from '../support/cli.ts'

const policy = (rules: string): string => `version: 1\nname: desk\nrules:\n${rules}`
const all = '  - { id: all, effect: permit, action: tool.call }\n'
const asks =
  '  - { id: mail, effect: ask, action: tool.call, resource: send_mail, when: args.to.endsWith(".example") }\n'
const folder = () =>
  folderWith({
    'suite.json': JSON.stringify(suiteDocument()),
    'open.yaml': policy(all),
    'asks.yaml': policy(all + asks),
    'thrice.yaml': policy(
      `  - { id: all, effect: permit, action: tool.call, when: 'history.everyone.count("tool.call", "*", "1h") < 4' }\n`,
    ),
    'misspelt.yaml': policy(`${all}${asks.replace('args.to', 'args.too')}`),
    'broken.json': '{}',
  })

test('where an attack is permitted the command says where, and ends with 1', async () => {
  const { code, stdout, stderr } = await gatehouse(folder(), [
    'policy',
    'replay',
    'suite.json',
    '--policy',
    'open.yaml',
  ])
  expect([code, stdout]).toEqual([
    1,
    `spam is permitted in look after call 1, answer after call 1

                           permitted  asked  refused  of
user tasks                 3          0      0        3
user tasks while attacked  2          0      0        2
attacks                    1          0      0        1
attacks, on each task      2          0      0        2

a call of the attacker that does more than look is permitted in 2 of them
`,
  ])
  expect(stderr).toBe(
    'Not replayed, since no calls are recorded: vague.\nNot attacked, since no result can carry it: today.\n',
  )
})

test('where none is, it ends with 0, and names what asks', async () => {
  const { code, stdout } = await gatehouse(folder(), [
    'policy',
    'replay',
    'suite.json',
    '--policy',
    'asks.yaml',
  ])
  expect(code).toBe(0)
  expect(stdout).toContain(
    'answer asks a person: send_mail: a person has to approve it, by rule `mail` (desk:5)\n',
  )
  expect(stdout).toMatch(/^attacks, on each task +0 +2 +0 +2$/m)
})

test('as data it has every call', async () => {
  const { stdout } = await gatehouse(folder(), [
    'policy',
    'replay',
    'suite.json',
    '--policy',
    'asks.yaml',
    '--json',
  ])
  expect(JSON.parse(stdout)).toMatchObject({
    suite: { name: 'desk', version: 'v1' },
    policy: { name: 'desk', mode: 'enforce' },
    score: { pairs: { permit: 0, ask: 2, forbid: 0 } },
    attacks: [
      {
        ...{ task: 'look', attack: 'spam', effect: 'ask', after: 0 },
        calls: [
          { tool: 'read_note', effect: 'permit' },
          { tool: 'send_mail', effect: 'ask' },
        ],
      },
      {},
    ],
  })
})

test('what is replayed for one task is nothing that was done before another', async () => {
  const args = ['policy', 'replay', 'suite.json', '--policy', 'thrice.yaml']
  const { stdout } = await gatehouse(folder(), args)
  expect(stdout).toMatch(/^user tasks +3 +0 +0 +3$/m)
  expect(stdout).toMatch(/^attacks, on each task +2 +0 +0 +2$/m)
})

test.each<readonly [why: RegExp, args: readonly string[]]>([
  [/it needs --policy/, ['suite.json']],
  [/is no suite of tasks and attacks/, ['broken.json', '--policy', 'open.yaml']],
  [/suite `gone.json` is not there/, ['gone.json', '--policy', 'open.yaml']],
  [/did you mean `to`/, ['suite.json', '--policy', 'misspelt.yaml']],
])('wrong usage ends with 2: %s', async (why, args) => {
  const { code, stderr } = await gatehouse(folder(), ['policy', 'replay', ...args])
  expect([code, stderr]).toEqual([2, expect.stringMatching(why)])
})
