/** The options of `govern`: a closed set, checked when they are given. */
import { closest } from 'fastest-levenshtein'
import { z } from 'zod'
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { isolations } from '../policy/types.ts'
import { inWords } from './refusal.ts'
import type { GovernOptions } from './types.ts'

const document = z.union(
  [
    z.string().min(1),
    z.custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
  ],
  'a name, a path or an object',
)

const schema = z.strictObject({
  name: z
    .string('a text')
    .min(1, 'at least one character')
    .max(limits.agentNameMax, `at most ${limits.agentNameMax} characters`)
    .exactOptional(),
  policy: z
    .union([document, z.array(document).min(1)], 'a preset, a path, a policy or a list of these')
    .exactOptional(),
  budget: z
    .record(z.string(), z.union([z.string(), z.number()]), 'an object of numbers with units')
    .exactOptional(),
  isolation: z.enum(isolations, inWords(isolations, 'or')).exactOptional(),
  labels: z.array(z.string('a text').min(1), 'a list of texts').exactOptional(),
})

const known = Object.keys(schema.shape)

/**
 * @param given what the application passed
 * @returns the same options, frozen
 * @throws KernelError EINVAL for an unknown key, with the likeliest known one, or a value of the wrong type
 */
export function readGovernOptions(given: unknown): GovernOptions {
  const read = schema.safeParse(given)
  if (read.success) return Object.freeze(read.data)
  const [issue] = read.error.issues
  if (issue?.code === 'unrecognized_keys') throw unknownOption(issue.keys[0] ?? '')
  const path = issue?.path.join('.') ?? ''
  throw new KernelError(
    'EINVAL',
    path === ''
      ? 'the options of `govern` are not an object; it takes a function, or options and then a function'
      : `the option \`${path}\` of \`govern\` is not sound: expected ${issue?.message ?? 'another value'}`,
  )
}

function unknownOption(key: string): KernelError {
  return new KernelError(
    'EINVAL',
    `\`${key}\` is no option of \`govern\`; did you mean \`${closest(key, known)}\`? Known are ${inWords(known)}`,
  )
}
