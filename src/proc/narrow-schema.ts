/** Schemas so narrow that what fits them can be counted: how much an extraction may tell is known before it begins. */
import { z } from 'zod'
import { SyscallError } from '../errors.ts'
import { readPlainly } from '../flaws.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { narrowPattern } from './narrow-pattern.ts'

export interface NarrowSchema {
  fits(value: Json): boolean
  /** An upper bound of log2 of the number of values that fit, and of none. */
  readonly bits: number
}

const dayMs = 24 * 60 * 60 * 1_000
const date = z.string().refine(isDate, 'is no date such as 2026-02-28')

const forms = {
  enum: z.strictObject({
    enum: z
      .array(z.string().max(limits.extractTextMax))
      .min(1)
      .max(limits.extractEnumMax)
      .refine((values) => new Set(values).size === values.length, 'names the same value twice'),
  }),
  boolean: z.strictObject({ type: z.literal('boolean') }),
  integer: z
    .strictObject({ type: z.literal('integer'), minimum: z.int(), maximum: z.int() })
    .refine(({ minimum, maximum }) => minimum <= maximum, 'has a minimum above its maximum'),
  date: z
    .strictObject({
      type: z.literal('string'),
      format: z.literal('date'),
      minimum: date.default('1900-01-01'),
      maximum: date.default('2100-12-31'),
    })
    .refine(({ minimum, maximum }) => minimum <= maximum, 'has a minimum above its maximum'),
  text: z.strictObject({
    type: z.literal('string'),
    pattern: z.string().min(1).max(limits.extractPatternMax),
    maxLength: z.int().min(1).max(limits.extractTextMax),
  }),
} as const

/**
 * @param given `{ enum }`, `{ type: 'boolean' }`, `{ type: 'integer', minimum, maximum }`,
 *   `{ type: 'string', format: 'date', minimum?, maximum? }` or `{ type: 'string', pattern, maxLength }`
 * @throws SyscallError EINVAL for any other, with what is wrong
 */
export function readNarrowSchema(given: Json): NarrowSchema {
  switch (kindOf(given)) {
    case 'enum': {
      const values = read(forms.enum, given).enum
      return narrow(BigInt(values.length), (value) => typeof value === 'string' && values.includes(value))
    }
    case 'boolean':
      read(forms.boolean, given)
      return narrow(2n, (value) => typeof value === 'boolean')
    case 'integer': {
      const { minimum, maximum } = read(forms.integer, given)
      const count = BigInt(maximum) - BigInt(minimum) + 1n
      return narrow(
        count,
        (value) => Number.isSafeInteger(value) && minimum <= Number(value) && Number(value) <= maximum,
      )
    }
    case 'date': {
      const { minimum, maximum } = read(forms.date, given)
      const days = (Date.parse(maximum) - Date.parse(minimum)) / dayMs + 1
      return narrow(
        BigInt(days),
        (value) => typeof value === 'string' && isDate(value) && minimum <= value && value <= maximum,
      )
    }
    case 'text':
      return narrowText(read(forms.text, given))
    default:
      throw new SyscallError('EINVAL', all)
  }
}

function kindOf(given: Json): keyof typeof forms | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined
  if ('enum' in given) return 'enum'
  const { type } = given as { readonly type?: Json }
  if (type === 'boolean' || type === 'integer') return type
  if (type !== 'string') return undefined
  return 'format' in given ? 'date' : 'text'
}

/** log2 of N values and of none, rounded up, is how many binary digits N has. */
const narrow = (count: bigint, fits: (value: Json) => boolean): NarrowSchema =>
  Object.freeze({ fits, bits: count.toString(2).length })

/** What rounding in the logarithms may have lost. */
const slack = 1e-6

function narrowText({ pattern, maxLength }: z.infer<typeof forms.text>): NarrowSchema {
  const { matches, log2Count } = narrowPattern(pattern, maxLength)
  const bits = Math.ceil(log2Count + Math.log2(1 + 2 ** -log2Count) + slack)
  return Object.freeze({
    fits: (value: Json) => typeof value === 'string' && value.length <= maxLength && matches(value),
    bits,
  })
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const ms = Date.parse(text)
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text)
}

/** What is there is told with what is wrong: who writes a schema by hand has seldom seen all of them. */
const all =
  'a narrow schema is `{ enum: […] }`, or has a `type`: `boolean`, `integer` with `minimum` and `maximum`, `string` with `format: "date"`, or with `pattern` and `maxLength`'

function read<Form extends z.ZodType>(form: Form, given: Json): z.infer<Form> {
  const checked = readPlainly(form, given)
  if ('data' in checked) return checked.data
  const [{ path, message }] = checked.flaws
  const where = ['schema', ...path].join('.')
  throw new SyscallError('EINVAL', `\`${where}\`: ${message.slice(0, 400)}; ${all}`)
}
