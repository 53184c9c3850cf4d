/** Runs that people name by how their ids begin. */
import { KernelError } from '../errors.ts'

/**
 * @param lines of a record
 * @param names ids, or beginnings of them that fit one run
 * @returns the ids
 * @throws KernelError ENOENT for a name that fits no run, EINVAL for one that fits several
 */
export function findRuns(lines: Iterable<string>, names: readonly string[]): ReadonlySet<string> {
  const fits = new Map(names.map((name) => [name, new Set<string>()]))
  for (const line of lines) {
    if (!line.includes('"kind":"spawn"')) continue
    const run = /"run":"([^"\\]*)"/.exec(line)?.[1] ?? ''
    // A run of that very name is meant, whatever else begins so. Two are enough to say that there are several.
    for (const [name, found] of fits)
      if (run.startsWith(name) && (found.size < 2 || run === name)) found.add(run)
  }
  return new Set([...fits].map(([name, found]) => oneOf(name, found)))
}

function oneOf(name: string, found: ReadonlySet<string>): string {
  const [first, second] = found
  if (first === undefined)
    throw new KernelError('ENOENT', `no run whose id begins with \`${name}\` is on record`)
  if (second === undefined || found.has(name)) return second === undefined ? first : name
  throw new KernelError(
    'EINVAL',
    `several runs begin with \`${name}\`, such as ${first} and ${second}; write more of it`,
  )
}
