/** Parts that several options have: durations and labels. */
import { z } from 'zod'
import { KernelError } from '../errors.ts'
import { labelFlaw } from '../labels.ts'
import { limits } from '../limits.ts'
import { parseDuration } from '../policy/units.ts'

/** One rule for names of labels, wherever they are given. */
export const labels = z
  .array(
    z.custom<string>((name) => labelFlaw(name) === undefined, {
      error: ({ input }) => labelFlaw(input) ?? 'not a label',
    }),
    'labels are a list of texts',
  )
  .max(limits.labelsMax, `at most ${limits.labelsMax} labels fit`)

/** @param none why there has to be some */
export const measured = (parse: (text: string) => number, none: string) =>
  z.string().transform((text, context) => {
    try {
      if (parse(text) > 0) return text
      context.addIssue(none)
    } catch (error) {
      context.addIssue(error instanceof KernelError ? error.message : 'it is no duration')
    }
    return z.NEVER
  })

export const duration = measured(parseDuration, '`0` is no time at all, in which nobody could answer')
