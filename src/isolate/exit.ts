/**
 * How an application exits in which isolates have run: V8 waits for ever for those that still do, and can crash while
 * their threads end. So what is left when everything else has had its turn is replaced by a program that only exits.
 */
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'
import { findTool } from './confine.ts'

let isReady = false

/** To be called before the first isolate begins. Without effect in workers and on Windows, where Node.js exits as it does. */
export function exitBesideIsolates(): void {
  if (isReady || !isMainThread || process.execve === undefined || process.platform === 'win32') return
  isReady = true
  process.on('exit', leave)
}

function leave(code: number): void {
  // Nothing comes after this one: who listens too has its turn first.
  const listeners = process.listeners('exit')
  for (const listener of listeners.slice(listeners.indexOf(leave) + 1))
    Reflect.apply(listener, process, [code])
  // What process.exit or a listener has said last.
  const status = String(Number(process.exitCode ?? code) & 0xff)
  const sh = findTool('sh')
  try {
    if (sh !== undefined) process.execve?.(sh, [sh, '-c', 'exit "$0"', status], {})
    else process.execve?.(process.execPath, [process.execPath, '-e', `process.exit(${status})`], {})
  } catch {
    // Node's permission model may not let it: then Node.js exits as it does.
  }
}
