import { expect, test } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../../src/json.ts'
import { type ArgumentType, argumentsOfSchema } from '../../src/policy/arguments.ts'

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  ...more,
})

test.each<readonly [what: string, schema: JsonObject, type: ArgumentType]>([
  [
    'plain fields',
    object({ a: { type: 'string' }, b: { type: 'integer' }, c: { type: 'number' }, d: { type: 'boolean' } }),
    { fields: { a: 'string', b: 'int', c: 'double', d: 'bool' } },
  ],
  [
    'lists and objects within',
    object({ a: { type: 'array', items: object({ b: { type: 'string' } }) } }),
    { fields: { a: { list: { fields: { b: 'string' } } } } },
  ],
  [
    'texts to choose from',
    object({ a: { enum: ['x', 'y'] }, b: { const: 'z' } }),
    { fields: { a: 'string', b: 'string' } },
  ],
  [
    'what may be several things',
    object({
      a: { type: ['string', 'null'] },
      b: { anyOf: [{ type: 'string' }] },
      c: {},
      d: { enum: ['x', 1] },
    }),
    { fields: { a: 'dyn', b: 'dyn', c: 'dyn', d: 'dyn' } },
  ],
  [
    'a tuple',
    object({ a: { type: 'array', prefixItems: [{ type: 'string' }] } }),
    { fields: { a: { list: 'dyn' } } },
  ],
  ['a map of numbers', { type: 'object', additionalProperties: { type: 'integer' } }, { map: 'int' }],
  ['any object', { type: 'object' }, { map: 'dyn' }],
  ['fields that a keyword may add to', object({ a: { type: 'string' } }, { anyOf: [{}] }), { map: 'dyn' }],
  ['no object at all', { type: 'string' }, { map: 'dyn' }],
])('%s', (_what, schema, type) => {
  expect(argumentsOfSchema(schema)).toEqual(type)
})

test('what zod makes of its schemas is understood', () => {
  const schema = z.toJSONSchema(z.object({ to: z.array(z.email()), n: z.int().optional() }), { io: 'input' })
  expect(argumentsOfSchema(schema as JsonObject)).toEqual({ fields: { to: { list: 'string' }, n: 'int' } })
})

test('a schema that goes on for ever ends as `dyn`', () => {
  let schema: JsonObject = { type: 'string' }
  for (let depth = 0; depth < 20; depth += 1) schema = object({ a: schema })
  expect(JSON.stringify(argumentsOfSchema(schema))).toContain('"a":"dyn"')
})
