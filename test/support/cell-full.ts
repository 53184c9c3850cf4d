/** A program in the place of a cell's: runs as many isolates at once as it is told, and reports how many. */
import { writeSync } from 'node:fs'
import ivm from 'isolated-vm'

const isolates: ivm.Isolate[] = []
const runs: Promise<unknown>[] = []
for (let count = Number(process.argv[2]); count > 0; count -= 1) {
  const isolate = new ivm.Isolate({ memoryLimit: 8 })
  const context = await isolate.createContext()
  isolates.push(isolate)
  // Long enough that all run at once.
  runs.push(context.eval('for (;;) {}', { timeout: 1_000 }).catch((error: Error) => error.message))
}
const alive = isolates.filter((isolate) => !isolate.isDisposed).length
writeSync(3, String(alive))
await Promise.all(runs)
