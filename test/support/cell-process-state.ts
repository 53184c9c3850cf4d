/** What Linux tells of one process: limits, privileges, priority and threads, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

/** Fields behind the name, which may hold anything (proc(5)); the first is the state, field 3. */
const fieldsOf = (path: string): readonly string[] => {
  const stat = readFileSync(path, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** One letter: R, S, T (stopped), Z; `gone` where there is no such process. */
export function stateOf(pid: number): string {
  try {
    return fieldsOf(`/proc/${pid}/stat`)[0] ?? 'gone'
  } catch {
    return 'gone'
  }
}

export const isGone = (pid: number): boolean => ['gone', 'Z', 'X'].includes(stateOf(pid))

/** The nice value of each thread. */
export const nicesOf = (pid: number): readonly number[] =>
  readdirSync(`/proc/${pid}/task`).map((thread) => Number(fieldsOf(`/proc/${pid}/task/${thread}/stat`)[16]))

/** Lines of /proc/PID/status or limits, by name; of a limit the soft and the hard value. */
export function linesOf(pid: number, file: 'status' | 'limits'): ReadonlyMap<string, string> {
  const pattern = file === 'status' ? /^(\w+):\s*(.*)$/gm : /^(Max [a-z ]*[a-z]) +(\S+ +\S+)/gm
  const text = readFileSync(`/proc/${pid}/${file}`, 'utf8')
  return new Map(
    [...text.matchAll(pattern)].map(([, name = '', value = '']) => [name, value.replace(/ +/, ' ')]),
  )
}

export const openFilesOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length
