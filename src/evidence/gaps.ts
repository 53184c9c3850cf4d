/** What is missing of a record that is otherwise sound. */
import type { Verification } from './verify.ts'

/** @returns a sentence for each, which begins with its kind; none where the record is whole, ended and signed to its end */
export function gapsOf({ keys, closed, entries, uncovered }: Verification): readonly string[] {
  const gaps: string[] = []
  if (!closed)
    gaps.push(
      'unclosed: the record does not end with `close`; a kernel still writes it, was killed, or its end was cut off',
    )
  if (keys.length === 0) gaps.push('unsigned: no key signs this record')
  else if (uncovered > 0)
    gaps.push(
      `uncovered: no checkpoint that counts covers the last ${uncovered} entries, from ${entries - uncovered} on; whoever holds the folder can change them or cut them off`,
    )
  for (const { entry, verifier, endorsed, trust } of keys.slice(1))
    if (!endorsed && trust === 'log')
      gaps.push(
        `rotated: from entry ${entry} on another key signs, \`${verifier}\`, and the key before has not endorsed it`,
      )
  return gaps
}
