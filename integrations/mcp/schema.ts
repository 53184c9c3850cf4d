/** Schemas as strangers write them, without what takes long to check: a server checks its own arguments in any case. */

/** Values, in which a member that is called like a keyword is none. */
const values: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples'])

/** @returns the same schema, in which no text has to match an expression, which could take for ever */
export function plainSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plainSchema)
  if (typeof schema !== 'object' || schema === null) return schema
  const members = Object.entries(schema)
  const hasPatterns = members.some(([key]) => key === 'patternProperties')
  const kept = members.filter(([key, value]) => {
    if (key === 'pattern') return typeof value !== 'string'
    // What no expression allows any more, nothing else may forbid.
    return (
      !hasPatterns || !['patternProperties', 'additionalProperties', 'unevaluatedProperties'].includes(key)
    )
  })
  return Object.fromEntries(kept.map(([key, value]) => [key, values.has(key) ? value : plainSchema(value)]))
}
