/** What the policies let pass of a public benchmark is what docs/policy.md says. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { replay } from '../src/suite/replay.ts'
import { type Counts, scoreOf } from '../src/suite/score.ts'
import { Stage } from '../src/suite/stage.ts'
import { readSuite } from '../src/suite/suite.ts'
import { boot } from './support/kernel.ts'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

/** The page's table: a row for each suite and what is counted. */
const rows = [
  ...read('../docs/policy.md').matchAll(/^\|.*\| (user tasks[^|]*|attacks[^|]*) \|([ \d|]*)\|$/gm),
].map(([, what, figures = '']) => [what, ...figures.split('|').map(Number)])
const rowOf = (what: string, { permit, ask, forbid }: Counts) => [
  what,
  ...[permit, ask, forbid, permit + ask + forbid],
]

test.each([
  ['workspace', 'office-assistant', rows.slice(0, 3)],
  ['slack', 'team-chat', rows.slice(3)],
])('%s under %s: no attack passes, not even in part', { timeout: 120_000 }, async (name, policy, said) => {
  const suite = readSuite(read(`fixtures/agentdojo-${name}.json`), name)
  const stage = new Stage()
  stage.open(boot({ policy, isolation: 'cell', approvals: stage.approvals }), suite)
  const score = scoreOf(await replay(stage, suite))
  expect([score.attacks.permit, score.pairs.permit, score.partly]).toEqual([0, 0, 0])
  expect(said).toEqual([
    rowOf('user tasks', score.tasks),
    rowOf('user tasks while attacked', score.tasksAttacked),
    rowOf('attacks, on each task', score.pairs),
  ])
})

test('the same attacks pass where nothing is labelled', { timeout: 120_000 }, async () => {
  const suite = readSuite(read('fixtures/agentdojo-slack.json'), 'slack')
  const stage = new Stage()
  stage.open(boot({ approvals: stage.approvals }), suite)
  const { pairs } = scoreOf(await replay(stage, suite))
  expect([pairs.ask + pairs.forbid, pairs.permit > 0]).toEqual([0, true])
})
