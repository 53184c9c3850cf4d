import { expect, test } from 'vitest'
import { readSuite } from '../../src/suite/suite.ts'
import { call, mail, suiteDocument, suiteOf, tasksOf } from './support.ts'

test('a suite has its tasks and attacks, each with its calls and what they returned', () => {
  const suite = suiteOf()
  expect(suite.userTasks[1]).toMatchObject({
    id: 'answer',
    text: 'Tell ann@home.example hello.',
    calls: [
      { tool: 'read_mail', args: {}, result: mail, error: undefined },
      { tool: 'send_mail', args: { to: 'ann@home.example' } },
    ],
  })
  expect(suite.attacks.map(({ id, calls }) => [id, calls.length])).toEqual([
    ['spam', 2],
    ['vague', 0],
  ])
})

test.each<readonly [why: RegExp, parts: object]>([
  [/`task` calls `fly`, which is no tool/, { user_tasks: tasksOf(call('fly', {}, '')) }],
  [
    /has not as many results as calls/,
    { user_tasks: [{ ...tasksOf(call('read_mail', {}, ''))[0], ground_truth_results: [] }] },
  ],
  [/: `tools`: is missing; it is a list$/, { tools: undefined }],
  [
    /: `user_tasks.0.prompt`: is missing; it is a text$/,
    { user_tasks: [{ id: 'a', ground_truth: [], ground_truth_results: [] }] },
  ],
  [/: `injection_vectors.x`: `3` where a text belongs$/, { injection_vectors: { x: 3 } }],
])('what is no suite is refused with its place: %s', (why, parts) => {
  expect(() => readSuite(JSON.stringify(suiteDocument(parts)), 'desk.json')).toThrow(why)
})

test('what is not JSON is refused', () => {
  expect(() => readSuite('{', 'desk.json')).toThrow(
    /^`desk.json` is no suite of tasks and attacks: it is not JSON/,
  )
})
