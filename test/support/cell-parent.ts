/** A process that starts a cell, tells its pid when it is ready, and waits to be killed. */
import type { Readable } from 'node:stream'
import { type Jail, jails } from '../../src/isolate/jail.ts'
import { launchCell } from '../../src/isolate/launch.ts'

const jail = jails.find((name): name is Jail => name === process.argv[2])
if (jail === undefined) throw new Error('expected a jail')
const { child, pid } = launchCell({ jail })
const pipe = child.stdio[3] as Readable
pipe.once('data', () => process.stdout.write(String(pid())))
