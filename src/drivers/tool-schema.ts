/** JSON Schemas of tools: compiled once each, in the dialect that they name. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Json, JsonObject } from '../json.ts'
import { limits } from '../limits.ts'

const options = { strictTypes: false, allErrors: false, validateFormats: false } as const

/** Tools of the application itself: a keyword that there is not is a mistake. */
const strict = new Ajv2020({ ...options, strict: true })

/** Tools of frameworks and servers: as JSON Schema says, a keyword that nobody knows says nothing. */
const lenient = {
  '2020': new Ajv2020({ ...options, strict: false, logger: false }),
  '2019': new Ajv2019({ ...options, strict: false, logger: false }),
  '7': new Ajv({ ...options, strict: false, logger: false }),
}

/** By their text: frameworks make the schemas of their tools anew with each run. */
const known = new Map<string, ValidateFunction<Json>>()

/**
 * @throws Error with what is wrong with it
 */
export const compileStrictly = (schema: JsonObject): ValidateFunction<Json> => compileWith(strict, schema)

/**
 * @param schema of JSON Schema draft 7, 2019-09 or 2020-12, by its `$schema`; 2020-12 where it names none
 * @throws Error with what is wrong with it
 */
export function compileSchema(schema: JsonObject): ValidateFunction<Json> {
  const text = JSON.stringify(schema)
  const before = known.get(text)
  const validate = before ?? compileWith(lenient[dialectOf(schema)], schema)
  known.delete(text)
  known.set(text, validate)
  const oldest = known.size > limits.toolSchemasKept ? known.keys().next().value : undefined
  if (oldest !== undefined) known.delete(oldest)
  return validate
}

function compileWith(ajv: Ajv | Ajv2019 | Ajv2020, schema: JsonObject): ValidateFunction<Json> {
  try {
    const validate = ajv.compile<Json>(schema)
    // It would answer with a promise, which whoever asks takes for yes.
    if ('$async' in validate) throw new Error('`$async` schemas are not taken')
    return validate
  } finally {
    // Ajv keeps all that it has compiled, and takes each `$id` once.
    ajv.removeSchema(schema)
  }
}

function dialectOf({ $schema }: JsonObject): keyof typeof lenient {
  if (typeof $schema !== 'string') return '2020'
  if (/draft-0[67]\/schema/.test($schema)) return '7'
  return $schema.includes('2019-09') ? '2019' : '2020'
}

/** @returns what does not fit, and where */
export function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return 'unknown'
  const where = `args${error.instancePath.replaceAll('/', '.')}`
  const detail =
    error.params && 'additionalProperty' in error.params ? ` (\`${error.params.additionalProperty}\`)` : ''
  return `\`${where}\` ${error.message ?? 'is not valid'}${detail}`
}
