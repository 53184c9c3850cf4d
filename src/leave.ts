/** SIGTERM and SIGINT to the application: by default its kernels shut down in order, and it exits with code 0. */
import { constants } from 'node:os'
import process from 'node:process'

const signals = ['SIGINT', 'SIGTERM'] as const
/** The exit code of a program that a signal ended is this much more than its number, as shells have it. */
const signalExit = 128

/** What shuts each kernel of the application down, and whether it asks for it to be done on a signal. */
const kernels = new Map<() => Promise<unknown>, boolean>()
let isListening = false
let isLeaving = false

/**
 * To be called once for each kernel.
 * @param shutdown what shuts it down; it may be called again
 * @param exitOnSignal whether signals end the application in order, for want of a listener of its own
 * @returns to be called when the kernel is down
 */
export function leaveInOrder(shutdown: () => Promise<unknown>, exitOnSignal: boolean): () => void {
  kernels.set(shutdown, exitOnSignal)
  listen()
  return () => {
    kernels.delete(shutdown)
    listen()
  }
}

/** One listener for all kernels, as long as one of them needs it. The first of all, so that it can step aside. */
function listen(): void {
  const isNeeded = isLeaving || [...kernels.values()].includes(true)
  if (isNeeded === isListening) return
  isListening = isNeeded
  for (const signal of signals) {
    if (isNeeded) process.prependListener(signal, leave)
    else process.off(signal, leave)
  }
}

function leave(signal: NodeJS.Signals): void {
  if (isLeaving) process.exit(signalExit + constants.signals[signal])
  if (process.listenerCount(signal) > 1) return stepAside(signal)
  isLeaving = true
  Promise.all([...kernels.keys()].map((shutdown) => shutdown())).then(
    () => process.exit(),
    () => process.exit(1),
  )
}

/** The application listens itself. It must not find us: some end the application only where nobody else listens. */
function stepAside(signal: NodeJS.Signals): void {
  process.off(signal, leave)
  process.nextTick(() => {
    if (isListening) process.prependListener(signal, leave)
  })
}
