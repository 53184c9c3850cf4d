/** A process as a cell may become: eats memory, computes, starts others, or says nothing. Ends when its input does. */
import { spawn } from 'node:child_process'

const held: Buffer[] = []
const ways: Readonly<Record<string, () => void>> = {
  memory() {
    setInterval(() => held.push(Buffer.alloc(32 * 1024 * 1024, 1)), 5)
  },
  spin() {
    for (;;);
  },
  child() {
    spawn('sleep', ['30'], { stdio: 'ignore' })
  },
  idle() {
    setInterval(() => undefined, 1_000)
  },
}
process.stdin.on('end', () => process.exit()).resume()
process.stdout.write('ready', () => ways[process.argv[2] ?? 'idle']?.())
