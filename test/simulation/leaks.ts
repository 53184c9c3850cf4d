/** Whether a kernel that is down has let go of its processes: what no map holds any more, the collector takes. */
import { collectGarbage } from '../support/garbage.ts'
import type { World } from './world.ts'

/** What is held for ever is still there after this. */
const roundsMax = 20

/** @returns how many processes are still held, though the world's kernel has shut down */
export async function processesHeld(world: World): Promise<number> {
  for (let round = 0; round < roundsMax && world.remains > 0; round += 1) {
    // A reference that was looked at lives until the end of its turn of the event loop; compilers in other threads
    // hold some a little longer.
    await new Promise((resolve) => setTimeout(resolve, round))
    collectGarbage()
  }
  await new Promise((resolve) => setImmediate(resolve))
  return world.remains
}
