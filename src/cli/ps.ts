/** `gatehouse ps`: the process table of a running kernel. */
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { addDirOption, withKernel } from './find-kernel.ts'
import { processCells, processHead } from './process-cells.ts'
import { tableOf } from './table.ts'

export const ps: CommandSpec = {
  name: 'ps',
  summary: 'list the processes of a running kernel',
  examples: [
    ['gatehouse ps', 'of the kernel whose directory is nearest'],
    ['gatehouse ps --all --dir /srv/app/.gatehouse', 'with those that ended lately, of a kernel elsewhere'],
  ],
  options(command) {
    addDirOption(command)
    command.option('--all', 'those that ended lately too')
  },
  async run(out, command) {
    const { all = false } = command.opts<{ all?: true }>()
    const reply = await withKernel(command, (kernel) => kernel.ps(all))
    out.say(tableOf(processHead, reply.processes.map(processCells), out.colors))
    out.give(reply)
    return exitCodes.done
  },
}
