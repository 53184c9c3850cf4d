/** Policies compared and looked over, from the command line. */
import { expect, test } from 'vitest'
import { folderWith, gatehouse } from '../support/cli.ts'

const policyOf = (name: string, rules: string): string => `version: 1\nname: ${name}\nrules:\n${rules}`
const before = policyOf('before', '  - { id: a, effect: permit, action: fs.read, resource: /mem/* }\n')
const after = policyOf(
  'after',
  '  - { id: a, effect: permit, action: fs.read, resource: /mem/** }\n  - { id: b, effect: permit, action: fs.write, when: args.bytes < 5 }\n',
)
const folder = () => folderWith({ 'before.yaml': before, 'after.yaml': after })

test('a difference is shown by a request, and what is a sample is said to be', async () => {
  const { code, stdout, stderr } = await gatehouse(folder(), ['policy', 'diff', 'before.yaml', 'after.yaml'])
  expect(code).toBe(1)
  expect(stdout.split('\n')).toEqual([
    'fs.read `/mem` by `x` in `cell` is permitted, and was forbidden: permitted by rule `a` (after:4)',
    expect.stringMatching(/^fs\.write `\/` by `x` in `cell` with {"path":"\/","bytes":\d} is permitted/),
    'after.yaml permits 2 things that before.yaml does not',
    '',
  ])
  expect(stderr).toBe('Not proved, only tried with samples: the conditions on fs.write.\n')
})

test('where nothing more is permitted, the command ends with 0 and says that it is exact', async () => {
  const { code, stdout, stderr } = await gatehouse(folder(), [
    'policy',
    'diff',
    'before.yaml',
    'strict',
    '--json',
  ])
  const document = JSON.parse(stdout)
  expect([code, document.exact, stderr]).toEqual([1, true, expect.stringMatching(/^Exact: /)])
  const same = await gatehouse(folder(), ['policy', 'diff', 'strict', 'strict'])
  expect(same).toMatchObject({ code: 0, stdout: 'strict permits nothing that strict does not\n' })
})

test('a policy is looked over, with the line of each finding', async () => {
  const doubtful = policyOf(
    'doubtful',
    '  - { id: web, effect: permit, action: net.fetch }\n  - { id: no, effect: forbid, action: net.fetch }\n',
  )
  const place = folderWith({ 'doubtful.yaml': doubtful, 'before.yaml': before })
  expect(await gatehouse(place, ['policy', 'lint', 'doubtful.yaml', 'before.yaml'])).toMatchObject({
    code: 1,
    stdout: `never-decides doubtful:4 \`web\`: wherever it matches, \`no\` is stricter and decides
broad doubtful:4 \`web\`: it permits every public site; name those that are needed in \`resource\`
ok before.yaml
`,
  })
  expect(await gatehouse(place, ['policy', 'lint', 'before.yaml'])).toMatchObject({ code: 0 })
  expect(await gatehouse(place, ['policy', 'lint', 'gone.yaml'])).toMatchObject({ code: 2 })
})
