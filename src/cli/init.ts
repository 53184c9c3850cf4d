/** `gatehouse init`: writes a policy, a first agent and types into a folder, and makes a key; what is there already stays as it is. */
import { join } from 'node:path'
import { defaultKeyFile, makeDefaultKey } from '../evidence/files/key-file.ts'
import type { CommandSpec } from './command.ts'
import { verifierOfFile } from './evidence-key.ts'
import { exitCodes } from './failure.ts'
import { initFiles } from './init-files.ts'
import { create, inFolder, quoted } from './new-files.ts'
import { visibleLine } from './terminal.ts'

export const init: CommandSpec = {
  name: 'init',
  args: '[dir]',
  summary:
    'write a policy, a first agent and types for it into DIR (default: here), and make the key that signs your evidence',
  examples: [
    ['gatehouse init', 'into this folder'],
    ['gatehouse init my-agent', 'into a new one'],
  ],
  run(out, command) {
    const dir = command.args[0] ?? '.'
    const written: string[] = []
    const kept: string[] = []
    inFolder(dir, () => {
      for (const [name, text] of Object.entries(initFiles(dir))) {
        const list = create(join(dir, name), text) ? written : kept
        list.push(name)
      }
    })
    const key = makeDefaultKey()
    const verifier = verifierOfFile(defaultKeyFile())
    const next = `${dir === '.' ? '' : `cd ${quoted(dir)} && `}gatehouse run agent.ts --policy policy.yaml`
    for (const name of written) out.say(`${out.colors.green('wrote')} ${visibleLine(join(dir, name))}`)
    for (const name of kept)
      out.say(`${out.colors.yellow('kept')} ${visibleLine(join(dir, name))}, which exists already`)
    out.say(
      `${key ? out.colors.green('made') : out.colors.yellow('kept')} ${visibleLine(defaultKeyFile())}, the key that signs your evidence; auditors get its public form: ${visibleLine(verifier)}`,
    )
    out.say(`\nNext: ${out.colors.bold(visibleLine(next))}`)
    out.give({ dir, written, kept, key: { file: defaultKeyFile(), made: key, verifier }, next })
    return exitCodes.done
  },
}
