/** A program whose kernel waits for a person until it is killed; it prints the request. */
import { KernelSpace } from '../../src/index.ts'

const [dir = ''] = process.argv.slice(2)
const kernel = new KernelSpace({
  policy: {
    version: 1,
    name: 'asking',
    rules: [{ id: 'files', effect: 'ask', action: 'fs.write' }],
  },
  isolation: 'inline',
  evidence: { dir },
})
kernel.on('approval', ({ request }) => {
  // The entry is in its place; a moment later the operating system has it.
  setTimeout(() => console.log(JSON.stringify(request)), 100)
})
kernel.spawn({ source: `export default () => fs.write('/tmp/a', 'x')` })
