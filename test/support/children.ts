/** The cells of this process that still run, as the operating system sees them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

interface Row {
  readonly pid: number
  readonly ppid: number
  readonly command: string
}

/** @returns pids of child processes of this one that run a cell and are no zombies */
export const liveCells = (): readonly number[] =>
  (existsSync('/proc/self/stat') ? fromProc() : fromPs())
    .filter(({ ppid, command }) => ppid === process.pid && /isolate.cell\.(ts|js)/.test(command))
    .map(({ pid }) => pid)

function fromProc(): readonly Row[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // The fields after the name, which may hold anything, begin behind its last parenthesis (proc(5)).
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const ppid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
        return [{ pid: Number(pid), ppid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }]
      } catch {
        return []
      }
    })
}

const fromPs = (): readonly Row[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .flatMap((found) =>
      found === null ? [] : [{ pid: Number(found[1]), ppid: Number(found[2]), command: found[3] ?? '' }],
    )
