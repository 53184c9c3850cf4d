import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type Action, argumentsOf } from '../../src/policy/actions.ts'
import { type ArgumentType, anyArguments, argumentsOfSchema } from '../../src/policy/arguments.ts'
import { environmentFor } from '../../src/policy/cel-environment.ts'
import { Meter } from '../../src/policy/cel-values.ts'
import { compileCondition } from '../../src/policy/condition.ts'
import { Origins } from '../../src/policy/origin.ts'
import type { Request } from '../../src/policy/types.ts'
import { request } from './support.ts'

type ObjectType = ArgumentType & object

const mail = argumentsOfSchema({
  type: 'object',
  properties: {
    to: { type: 'array', items: { type: 'string' } },
    body: { type: 'string' },
    copies: { type: 'integer' },
    price: { type: 'number' },
    parts: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } },
      },
    },
    meta: { type: 'object' },
  },
})

const sent = {
  to: ['a@home.org', 'b@away.org'],
  body: 'Hello',
  copies: 2,
  price: 2.5,
  parts: [{ name: 'x', tags: ['new'] }, { name: 'y' }],
  meta: { deep: { n: 1 }, list: [1, 2] },
}

const asked = (args: Request['args'], more: Partial<Request> = {}): Request =>
  request('tool.call', 'send_email', {
    args,
    labels: ['untrusted', 'web'],
    budget: () => ({ syscalls: 10, costUsd: 0.5 }),
    ...more,
  })

function holds(text: string, type: ObjectType = mail, asks: Request = asked(sent)): boolean | string {
  const condition = compileCondition(text, environmentFor(type))
  if ('judge' in condition) return condition.judge(asks, new Meter())
  throw new Error(condition.map(({ message }) => message).join('\n'))
}

function flaws(text: string, type: ObjectType = mail): readonly string[] {
  const condition = compileCondition(text, environmentFor(type))
  if ('judge' in condition) throw new Error('it was taken')
  return condition.map(({ offset, message }) => `${offset} ${message}`)
}

describe('a condition holds, or not', () => {
  test.each<readonly [text: string, holds: boolean]>([
    ['true', true],
    ['principal == "desk" && action == "tool.call" && resource == "send_email"', true],
    ['isolation in ["cell", "inline"]', true],
    ['"untrusted" in labels', true],
    ['labels.exists(l, l == "confidential")', false],
    ['args.to.all(t, t.endsWith("@home.org"))', false],
    ['args.to.exists_one(t, t.endsWith("@home.org"))', true],
    ['args.to.filter(t, t.startsWith("b")).size() == 1', true],
    ['args.to.map(t, t.contains("home")).exists(h, h)', true],
    ['args.to[1] == "b@away.org" && size(args.to) == 2', true],
    ['args.body.lowerAscii() == "hello"', true],
    ['"\u212a".lowerAscii() == "k"', false],
    ['args.copies * 2 == 4 && args.copies < 3', true],
    ['args.price > 2 && args.price == 2.5', true],
    ['has(args.price) ? args.price < 3.0 : false', true],
    ['args.parts.exists(p, has(p.tags) && p.tags.exists(t, t == "new"))', true],
    ['args.meta.deep.n == 1 && "list" in args.meta', true],
    ['args.meta.list.exists(n, n > 1)', true],
    ['budget.syscalls == 10 && budget.costUsd < 1', true],
    ['has(budget.tokens)', false],
    ['!(args.copies != 2)', true],
  ])('%s', (text, expected) => {
    expect(holds(text)).toBe(expected)
  })
})

test('a condition asks where a value has been seen', () => {
  const seen = new Origins()
  seen.task([{ to: 'a@home.org', n: 200 }])
  seen.received({ b: ['b@away.org', 1234] }, ['untrusted'])
  const at = (text: string, args: Request['args']): boolean | string =>
    holds(text, mail, asked(args, { origin: (value, pay) => seen.of(value, pay) }))
  expect(at('origin(args.to) == "task"', { to: ['a@home.org'] })).toBe(true)
  expect(at('origin(args.to) == "untrusted"', { to: ['a@home.org', 'b@away.org'] })).toBe(true)
  expect(at('args.to.all(t, origin(t) in ["task", "trusted"])', { to: ['b@away.org'] })).toBe(false)
  expect(at('origin(args.copies) == "task"', { copies: 200 })).toBe(true)
  expect(at('origin(args.price) == "untrusted"', { price: 1234.0 })).toBe(true)
  expect(at('origin(args.meta) == "untrusted"', { meta: { x: [1234, { y: 'a@home.org' }] } })).toBe(true)
  expect(at('origin(args) == "task"', { to: ['a@home.org'], copies: 200 })).toBe(true)
  expect(at('origin(args.parts) == "unknown"', { parts: [{ name: 'Eve' }] })).toBe(true)
  expect(at('origin(resource) == "unknown"', {})).toBe(true)
})

test('a condition takes a text apart, into words or into the links in it', () => {
  const seen = new Origins()
  seen.task(['move it to 2024-05-20 at 10:00, and link home.org'])
  const at = (text: string, body: string): boolean | string =>
    holds(text, mail, asked({ body }, { origin: (value, pay) => seen.of(value, pay) }))
  expect(at('origin(words(args.body)) == "task"', '2024-05-20 10:00')).toBe(true)
  expect(at('origin(words(args.body)) == "task"', '2024-05-21 10:00')).toBe(false)
  expect(at('origin(links(args.body)) == "task"', 'see home.org')).toBe(true)
  expect(at('origin(links(args.body)) == "task"', 'see home.org or away.org')).toBe(false)
  expect(at('size(links(args.body)) == 0', 'see you at home')).toBe(true)
  expect(at('links(args.body).all(l, l == "x")', 'a.io '.repeat(2_000))).toMatch(/more than 1000/)
  expect(at('size(links(args.body)) > 0', 'a '.repeat(300_000))).toMatch(/^it takes more than \d+ steps$/)
})

test('a search of the texts that takes too long forbids', () => {
  const seen = new Origins()
  seen.received('aa bb '.repeat(40_000), ['untrusted'])
  const asks = asked(
    { to: ['aa cc', 'aa dd', 'aa ee', 'aa ff', 'aa gg'] },
    { origin: (value, pay) => seen.of(value, pay) },
  )
  expect(holds('args.to.exists(t, origin(t) == "task")', mail, asks)).toMatch(
    /^it takes more than \d+ steps$/,
  )
})

describe('what it says cannot be judged', () => {
  test.each<readonly [text: string, why: string]>([
    ['budget.tokens > 5', 'no such key: tokens'],
    ['args.meta.other == 1', 'no such key: other'],
    ['args.to[9] == "x"', 'no such key: index out of bounds, index 9 >= size 2'],
    ['args.copies / 0 == 1', 'division by zero'],
    ['args.meta.deep', 'it gives neither true nor false'],
    ['args.meta.deep.n + 1 == 2', 'no such overload: dyn<double> + int'],
    ['args.parts.all(p, p.tags.size() > 0)', 'no such key: tags'],
  ])('%s', (text, why) => {
    expect(holds(text)).toBe(why)
  })

  test('labels that nobody told, a budget that nobody told', () => {
    const silent = request('tool.call', 'send_email', { args: sent })
    expect(holds('"x" in labels', mail, silent)).toBe('unknown variable: labels')
    expect(holds('budget.syscalls > 1', mail, silent)).toBe('unknown variable: budget')
    expect(holds('origin(args.to) == "task"', mail, silent)).toBe(
      'where values have been seen is not known here',
    )
  })

  test('a call whose arguments are not what the type says', () => {
    const asks = asked({ to: 'a@home.org', copies: 1.5 })
    expect(holds('args.to.exists(t, t == "a")', mail, asks)).toMatch(/^field 'to' is not of type/)
    expect(holds('args.copies > 1', mail, asks)).toMatch(/^field 'copies' is not of type/)
  })

  test.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])(
    'what every object has in JavaScript is no argument: %s',
    (name) => {
      for (const type of [anyArguments, argumentsOfSchema({ type: 'object', properties: { [name]: {} } })]) {
        expect(holds(`args["${name}"] == 1`, type, asked({}))).toBe(`no such key: ${name}`)
      }
    },
  )

  test('an error does not hide behind what is not needed, and what is needed hides no error', () => {
    expect(holds('args.meta.other == 1 || true')).toBe(true)
    expect(holds('args.meta.other == 1 && false')).toBe(false)
    expect(holds('args.meta.other == 1 || false')).toBe('no such key: other')
  })
})

describe('is refused when it is read:', () => {
  const fetches = argumentsOf('net.fetch')
  const refused: readonly (readonly [text: string, flaw: string, type?: ObjectType])[] = [
    ['args.hst == "a"', '5 unknown key `hst`; did you mean `host`?', fetches],
    ['args["hst"] == "a"', '0 unknown key `hst`; did you mean `host`?', fetches],
    ['has(args.hst)', '9 unknown key `hst`; did you mean `host`?', fetches],
    ['args.parts.exists(p, has(p.nam))', '27 unknown key `nam`; did you mean `name`?'],
    ['budget.token > 1', '7 unknown key `token`; did you mean `tokens`?'],
    ['args.x == 1', '5 unknown key `x`; there is none here', argumentsOf('ipc.receive')],
    ['princpal == "x"', '0 unknown name `princpal`; did you mean `principal`?'],
    [
      'origin == "x"',
      '0 unknown name `origin`; names here are principal, action, resource, args, labels, budget, isolation',
    ],
    ['true && origin(args.to) == "tsak"', '27 `tsak` is no origin; did you mean `task`?'],
    [
      '!(origin(args.to) in ["task", "me"])',
      '30 `me` is no origin; origins are task, trusted, untrusted, unknown',
    ],
    ['origin(args.two) == "task"', '12 unknown key `two`; did you mean `to`?'],
    ['origin(args.to)', '0 the condition is of type `string`; it has to be true or false'],
    ['origin() == "task"', "0 not of the right type: found no matching overload for 'origin()'"],
    ['history.count > 1', '0 `history` is asked as in `history.run.count("tool.call", "send_*") >= 3`'],
    ['args.body.containz("a")', '10 unknown function `containz`; did you mean `contains`?'],
    [
      'args.body.matches("(a+)+$")',
      '10 `matches` takes a regular expression, which can be slow; write `startsWith`, `endsWith`, `contains`, or a pattern in `resource`',
    ],
    ['args.body', '0 the condition is of type `string`; it has to be true or false'],
    ['args.copies', '0 the condition is of type `int`; it has to be true or false'],
    [
      'args.price == 2',
      '0 not of the right type: no such overload: double == int; write numbers with a point where the other side has one, as in 2.0',
    ],
    [
      'args.body.contains(5)',
      "0 not of the right type: found no matching overload for 'string.contains(int)'",
    ],
    ['1 +', '3 not sound CEL: unexpected token: EOF'],
    ['args.copies > 1u', '14 bytes and unsigned numbers are not taken; write a text or a number'],
    ['b"a" == b"a"', '0 bytes and unsigned numbers are not taken; write a text or a number'],
    ['{"a": 1} == {"a": 1}', '0 a map is not taken here; compare fields one by one'],
    ['labels.exists(args, true)', '14 `args` is a name already; call the element something else'],
    [
      'labels.exists(a, labels.exists(b, labels.exists(c, a == b)))',
      '34 `exists` stands within two others; at most one may stand within another',
    ],
    ['"true"', '0 the condition is of type `string`; it has to be true or false'],
  ]
  test.each(refused.map(([text, flaw, type = mail]) => [text, flaw, type] as const))(
    '%s',
    (text, flaw, type) => {
      expect(flaws(text, type)[0]).toContain(flaw)
    },
  )

  test.each(['timestamp("2024-01-01T00:00:00Z") < timestamp("2025-01-01T00:00:00Z")', 'type(1) == int'])(
    'what CEL has and conditions have not: %s',
    (text) => expect(flaws(text)[0]).toMatch(/unknown (function|name)/),
  )

  test('what is larger than any condition needs', () => {
    expect(flaws(`true ${' '.repeat(limits.conditionMax)}`)[0]).toContain('a condition of')
    expect(flaws('true && '.repeat(200).concat('true'))[0]).toContain('maxAstNodes')
    expect(flaws(`${'('.repeat(99)}true${')'.repeat(99)}`)[0]).toContain('maxDepth')
    expect(flaws(`${'!'.repeat(limits.conditionMax - 4)}true`)[0]).toContain('maxAstNodes')
  })
})

describe('what would take long is not evaluated, and says so', () => {
  const spent = `it takes more than ${limits.conditionStepsMax} steps`
  const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `n${index}`)

  test('a search for one long text in another', () => {
    const body = 'a'.repeat(1_000_000)
    expect(holds('args.body.contains(args.body)', mail, asked({ body }))).toBe(spent)
    expect(holds('args.body.contains("needle")', mail, asked({ body }))).toBe(false)
  })

  test('putting a long text into lower case, letter by letter', () => {
    expect(holds('args.body.lowerAscii() == "x"', mail, asked({ body: 'aB'.repeat(500_000) }))).toBe(false)
    expect(holds('args.body.lowerAscii() == "x"', mail, asked({ body: 'Éa'.repeat(500_000) }))).toBe(spent)
    expect(holds('args.body.lowerAscii() == "éa"', mail, asked({ body: 'éA' }))).toBe(true)
  })

  test('a list within a list', () => {
    const text = 'args.to.exists(a, args.to.exists(b, a == b + "x"))'
    expect(holds(text, mail, asked({ to: names(999) }))).toBe(spent)
    expect(holds(text, mail, asked({ to: names(50) }))).toBe(false)
  })

  test('not even where the rest makes it true', () => {
    const text = 'args.to.exists(a, args.to.exists(b, a == b + "x")) || true'
    expect(holds(text, mail, asked({ to: names(999) }))).toBe(spent)
  })

  test('a list past what is looked at, wherever it stands', () => {
    const long = `it looks at a value of more than ${limits.conditionListMax} elements`
    expect(holds('args.to.exists(a, true)', mail, asked({ to: names(limits.conditionListMax) }))).toBe(long)
    const nested = { meta: { a: [names(600), names(600)] } }
    expect(holds('"b" in args.meta || true', mail, asked(nested))).toBe(long)
  })

  test('what a condition does not look at may be as long as it likes', () => {
    const huge = { body: 'x'.repeat(10_000_000), to: names(5_000), copies: 1 }
    expect(holds('args.copies == 1', mail, asked(huge))).toBe(true)
  })
})

test.each<Action>(['fs.read', 'net.fetch', 'proc.signal', 'tool.call'])(
  'the type of the arguments of %s is one object, so that conditions are compiled once',
  (action) => expect(argumentsOf(action)).toBe(argumentsOf(action)),
)
