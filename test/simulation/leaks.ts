/** Whether a kernel that is down has let go of its processes: what no map holds any more, the collector takes. */
import { collectGarbage } from '../support/garbage.ts'
import type { World } from './world.ts'

/** @returns how many processes are still held, though the world's kernel has shut down */
export async function processesHeld(world: World): Promise<number> {
  for (let round = 0; round < 3 && world.remains > 0; round += 1) {
    // A reference that was looked at lives until the end of its turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  await new Promise((resolve) => setImmediate(resolve))
  return world.remains
}
