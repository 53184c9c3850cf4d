/** Runs the zone program as an inline guest, with its evidence in a folder, and prints what it says. */
import { KernelSpace } from '../../src/index.ts'
import { zoneProgram } from './zone-program.ts'

const [dir = ''] = process.argv.slice(2)
const kernel = new KernelSpace({ policy: 'permissive', isolation: 'inline', evidence: { dir } })
const exit = await kernel.spawn({ source: `export default () => {${zoneProgram}}` }).exit
console.log(exit.value ?? JSON.stringify(exit))
await kernel.shutdown()
