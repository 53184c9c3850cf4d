/** One measurement in this process: `node test/bench/child.ts NAME ARGS…`. Prints its result as one line of JSON. */
import { measureChurn } from './churn.ts'
import { measureFamily } from './corpus.ts'
import { measureFlood } from './flood.ts'
import { measureReplay } from './replay.ts'
import { measureShutdown } from './shutdown.ts'

const measurements: Readonly<Record<string, (...args: string[]) => Promise<object>>> = {
  churn: measureChurn,
  corpus: measureFamily,
  flood: measureFlood,
  replay: measureReplay,
  shutdown: measureShutdown,
}

const [name = '', ...args] = process.argv.slice(2)
const measure = measurements[name]
if (measure === undefined)
  throw new Error(`no measurement \`${name}\`: ${Object.keys(measurements).join(', ')}`)
console.log(JSON.stringify(await measure(...args)))
