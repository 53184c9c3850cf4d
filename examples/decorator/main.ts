/** A method under the kernel with one line: it runs in an isolate, with files and tools that its policy permits and no more. */
import { KernelSpace } from 'gatehouse'

const kernel = new KernelSpace({
  policy: 'strict',
  tools: {
    wipe: { description: 'Deletes all orders.', parameters: { type: 'object' }, execute: () => 'wiped' },
  },
})

// Node.js runs no decorator syntax yet: with a compiler that has it, this is `@kernel.govern async total(…)`.
const desk = {
  total: kernel.govern(async function total(prices: readonly number[]) {
    return prices.reduce((sum, price) => sum + price, 0)
  }),
  // What is in the function is what runs: nothing of the application is in reach, and a tool only by the policy.
  tidy: kernel.govern(async function tidy() {
    // @ts-expect-error a global of user space
    return await tools.wipe({})
  }),
}

console.log(`total: ${await desk.total([2, 3, 5])}`)
console.log(await desk.tidy().catch((error: Error) => error.message))
await kernel.shutdown()
