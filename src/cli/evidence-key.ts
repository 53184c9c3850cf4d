/** `gatehouse evidence key`: the public form of the key that signs evidence, for whoever is to verify it. */
import { existsSync } from 'node:fs'
import { defaultKeyFile, readKeyFile } from '../evidence/files/key-file.ts'
import { verifierOf, verifierText } from '../evidence/note.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes, UsageError } from './failure.ts'
import { once, text } from './options.ts'

interface Options {
  readonly file?: string
}

export const evidenceKey: CommandSpec = {
  name: 'key',
  summary: 'print the public form of the key that signs your evidence: one line, to hand to an auditor',
  examples: [
    ['gatehouse evidence key > operator.pub', 'for `gatehouse evidence verify --key operator.pub`'],
    ['gatehouse evidence key --file /etc/agents/evidence.key', 'of another key'],
  ],
  options(command) {
    command.option('--file <file>', 'a private key (PEM, PKCS#8; default: your own)', once(text))
  },
  run(out, command) {
    const { file = defaultKeyFile() } = command.opts<Options>()
    if (!existsSync(file))
      throw new UsageError(
        `there is no key \`${file}\` yet; \`gatehouse init\` makes your own, and so does the first run`,
      )
    const verifier = verifierOfFile(file)
    out.say(verifier)
    out.give({ file, verifier })
    return exitCodes.done
  },
}

/** @throws EvidenceError for a file that is no key, or that others can read */
export function verifierOfFile(file: string): string {
  const { name, publicKey } = readKeyFile(file)
  return verifierText(verifierOf(name, publicKey))
}
