/** One kernel at a time writes to a folder of evidence; a lock that a dead process left is taken over. */
import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EvidenceError } from '../store.ts'
import { errnoOf, flags } from './folder.ts'

/**
 * Takes the lock of a folder.
 * @returns gives it back
 * @throws EvidenceError EBUSY with the pid of the kernel that has it
 */
export function takeLock(dir: string): () => void {
  const path = join(dir, 'lock')
  const own = `${JSON.stringify({ pid: process.pid, started: startOf(process.pid) })}\n`
  const draft = `${path}.${process.pid}`
  rmSync(draft, { force: true })
  writeFileSync(draft, own, { flag: 'wx', mode: 0o600 })
  try {
    if (!claim(draft, path)) {
      removeStale(path)
      if (!claim(draft, path)) throw busy(readHolder(path)?.pid)
    }
  } finally {
    unlinkSync(draft)
  }
  return () => {
    if (readText(path) === own) unlinkSync(path)
  }
}

/** A link appears with its whole content or not at all, so that a lock never seems empty to another kernel. */
function claim(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Moves a dead process's lock away; two kernels may try at once, and only one finds what it has judged. */
function removeStale(path: string): void {
  const judged = readText(path)
  if (judged === undefined) return
  const holder = parseHolder(judged)
  if (holder !== undefined && isAlive(holder)) throw busy(holder.pid)
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  const moved = readText(aside)
  if (moved !== judged) claim(aside, path)
  unlinkSync(aside)
  if (moved !== judged) throw busy(parseHolder(moved ?? '')?.pid)
}

interface Holder {
  readonly pid: number
  /** When the process began, in the system's own terms; null where that cannot be told. */
  readonly started: string | null
}

const readHolder = (path: string): Holder | undefined => parseHolder(readText(path) ?? '')

/** Anything else than a whole lock was cut short by a loss of power, and holds nothing. */
function parseHolder(text: string): Holder | undefined {
  const found = /^\{"pid":([1-9]\d{0,9}),"started":(?:null|"([\w:-]+)")\}\n$/.exec(text)
  return found === null ? undefined : { pid: Number(found[1]), started: found[2] ?? null }
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
  }
  return started === null || startOf(pid) === null || startOf(pid) === started
}

/** The boot and the tick in which a process began (Linux, proc_pid_stat(5)), since a pid alone comes round again. */
function startOf(pid: number): string | null {
  const boot = readText('/proc/sys/kernel/random/boot_id')
  const stat = readText(`/proc/${pid}/stat`)
  if (boot === undefined || stat === undefined) return null
  // The name of the program is in brackets and may hold anything; the start is the 20th field after it.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return ticks === undefined ? null : `${boot.trim()}:${ticks}`
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, { encoding: 'utf8', flag: flags.read })
  } catch {
    return undefined
  }
}

function busy(pid: number | undefined): EvidenceError {
  const who = pid === process.pid ? 'this process' : `process ${pid ?? 'unknown'}`
  return new EvidenceError('EBUSY', `another kernel writes there (${who}); end it or name another folder`)
}
