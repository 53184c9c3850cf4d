/** `gatehouse doctor`: whether this machine has what gatehouse needs, and what to do where not. */
import type { CommandSpec } from './command.ts'
import { type Check, runChecks } from './doctor-checks.ts'
import { evidenceDir } from './evidence-dir.ts'
import { exitCodes } from './failure.ts'
import { once, text } from './options.ts'
import type { Colors } from './output.ts'
import { visibleLine } from './terminal.ts'

export const doctor: CommandSpec = {
  name: 'doctor',
  summary: 'check that this machine has what gatehouse needs. Exit code 1: something is missing',
  examples: [
    ['gatehouse doctor', 'everything as ok, warn or fail, with what to do'],
    ['gatehouse doctor --evidence /var/lib/gatehouse', 'with the folder that evidence shall be kept in'],
  ],
  options(command) {
    command.option('--evidence <dir>', `the folder for evidence (default: ${evidenceDir})`, once(text))
  },
  async run(out, command) {
    const { evidence = evidenceDir } = command.opts<{ evidence?: string }>()
    const checks = await runChecks(evidence)
    for (const { state, what, found, advice } of checks) {
      out.say(`${mark(state, out.colors)} ${visibleLine(`${what}: ${found}`)}`)
      if (advice !== undefined) out.say(visibleLine(`     ${advice}`))
    }
    const ok = checks.every(({ state }) => state !== 'fail')
    out.say(ok ? 'All that gatehouse needs is there.' : 'Something that gatehouse needs is missing.')
    out.give({ ok, checks })
    return ok ? exitCodes.done : exitCodes.failed
  },
}

function mark(state: Check['state'], colors: Colors): string {
  const color = { ok: colors.green, warn: colors.yellow, fail: colors.red }[state]
  return color(state.padEnd(4))
}
