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
    'wider: fs.read `/mem` by `x` in `cell` is permitted, and was forbidden: permitted by rule `a` (after:4)',
    expect.stringMatching(
      /^wider: fs\.write `\/` by `x` in `cell` with {"path":"\/","bytes":\d} is permitted/,
    ),
    'after.yaml is wider than before.yaml in 2 ways, and narrower in no way',
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
  expect(same).toMatchObject({
    code: 0,
    stdout: 'strict is wider than strict in no way, and narrower in no way\n',
  })
})

test('each side may be several policies that must agree, and what is only narrower is no failure', async () => {
  const sides = ['before.yaml', 'after.yaml,before.yaml']
  const { code, stdout } = await gatehouse(folder(), ['policy', 'diff', ...sides])
  expect([code, stdout]).toEqual([
    0,
    'after.yaml,before.yaml is wider than before.yaml in no way, and narrower in no way\n',
  ])
  const back = await gatehouse(folder(), ['policy', 'diff', 'after.yaml', 'after.yaml,before.yaml'])
  expect(back).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^narrower: fs\.read `\/mem` .* is forbidden, and was permitted: .*\nnarrower: /,
    ),
  })
  const empty = await gatehouse(folder(), ['policy', 'diff', 'before.yaml,', 'after.yaml'])
  expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining('with a comma between') })
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
