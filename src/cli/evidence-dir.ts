/** Where evidence lies: `.gatehouse` unless a command says otherwise. */
import type { Command } from 'commander'
import type { Output } from './output.ts'

export const evidenceDir = '.gatehouse'

/** @returns the folder that the command's argument names */
export const dirOf = (command: Command): string => command.args[0] ?? evidenceDir

/** What an evidence command exits with; its own codes, since scripts and auditors act on them. */
export const verdicts = Object.freeze({ sound: 0, tampered: 1, incomplete: 2, missing: 3 })

/** Says that there is no record to read. @returns the exit code */
export function missing(out: Output, dir: string, reason: string): number {
  out.fail(reason, undefined)
  out.give({ dir, verdict: 'missing', reason })
  return verdicts.missing
}
