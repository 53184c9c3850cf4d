/** Whether a kernel that is down has let go of its processes: what no map holds any more, the collector takes. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { World } from './world.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

/** @returns how many processes are still held, though the world's kernel has shut down */
export async function processesHeld(world: World): Promise<number> {
  for (let round = 0; round < 3 && world.remains > 0; round += 1) {
    // A reference that was looked at lives until the end of its turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  await new Promise((resolve) => setImmediate(resolve))
  return world.remains
}
