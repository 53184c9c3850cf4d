/** `gatehouse policy list`: the presets that come with gatehouse, and whom each is for. */
import { listPresets, loadNarrowing } from '../config/policy.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { tableOf } from './table.ts'

export const policyList: CommandSpec = {
  name: 'list',
  summary: 'list the presets and whom each is for',
  examples: [['gatehouse policy list', 'what --policy takes beside a file']],
  run(out) {
    const presets = listPresets().map((name) => {
      const { mode, isolation, policies } = loadNarrowing(name)
      return { name, for: policies[0]?.document.for ?? '', mode, isolation }
    })
    out.say(
      tableOf(
        ['preset', 'for', 'mode', 'weakest isolation'],
        presets.map((preset) => [preset.name, preset.for, preset.mode, preset.isolation]),
        out.colors,
      ),
    )
    out.give({ presets })
    return exitCodes.done
  },
}
