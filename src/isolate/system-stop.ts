/** Whether the operating system has stopped every thread of a process; read from /proc, Linux only. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { limits } from '../limits.ts'

/** How long between two looks, in ms. */
const betweenMs = 2
/** A stop cannot be refused, but on a busy machine each thread has to get its turn to obey it. */
const looks = limits.systemStopMs / betweenMs

/**
 * @param pid of a process that was sent SIGSTOP
 * @returns false where a thread goes on, or nobody can look
 */
export async function standsStill(pid: number): Promise<boolean> {
  for (let look = 0; look < looks; look += 1) {
    const states = threadStates(pid)
    if (states.length === 0) return false
    if (states.every((state) => state === 'T')) return true
    await sleep(betweenMs)
  }
  return false
}

function threadStates(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => {
      // The state comes after the name, which may hold anything, and its closing parenthesis (proc(5)).
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')
      return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
    })
  } catch {
    return []
  }
}
