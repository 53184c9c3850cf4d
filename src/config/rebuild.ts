/** Where a kernel goes on from, and what becomes of calls that were on their way then. */
import { z } from 'zod'
import { bundleProgram, type ProgramText, textProgram } from './program.ts'

/**
 * What becomes of a call that left the kernel and whose end is not on record, so that nobody knows whether it was done:
 * - `fail` (default): it fails with EIO, which says so
 * - `retry`: it is made again where that is as good as once: a tool that says so, a GET or HEAD; others fail
 * - `ask`: a person decides whether it is made again
 */
export const unsettledChoices = ['fail', 'retry', 'ask'] as const
export type Unsettled = (typeof unsettledChoices)[number]

/** Another run begins where one was after an entry. */
export interface ForkOptions {
  /** The run, whole. */
  readonly run: string
  /** The last entry that counts. */
  readonly seq: number
  /** In place of the program of its first process; up to there it has to do the same. */
  readonly program?: { readonly file: string } | { readonly source: string }
  /** Results in place of those on record: by the `seq` of an outcome, JSON. */
  readonly replies?: Readonly<Record<number, unknown>>
  readonly unsettled?: Unsettled
}

export interface ResumeOptions {
  readonly unsettled?: Unsettled
}

const unsettled = z.enum(unsettledChoices).optional()

export const resumeSchema = z.union([z.boolean(), z.strictObject({ unsettled })])
export const forkSchema = z.strictObject({
  run: z.string().min(1),
  seq: z.int().min(0),
  program: z
    .union([z.strictObject({ file: z.string().min(1) }), z.strictObject({ source: z.string() })])
    .optional(),
  replies: z.record(z.string().regex(/^\d+$/), z.unknown()).optional(),
  unsettled,
})

/** @returns the program that a fork begins with @throws KernelError where it cannot be read */
export async function loadedProgram(program: NonNullable<ForkOptions['program']>): Promise<ProgramText> {
  return 'file' in program ? bundleProgram(program.file) : textProgram(program.source)
}
