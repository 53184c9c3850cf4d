/** Prints docs/corpus.md: every attack of the public corpus, and those that `inline` isolation does not contain. */
import { families as reaching } from '../../test/escape/families.ts'
import { families as hostile } from '../../test/hostile/families.ts'
import type { Attack, Ending, Family } from '../../test/support/attack.ts'
import { code, page, printedFrom, tableOf } from './markdown.ts'

const families = [...reaching, ...hostile]
const attacks = families.flatMap((family) => family.attacks)

const intro = `${attacks.length} attacks on the boundary between agent code and the kernel, in ${families.length} families. Each is a small program (\`test/escape/\`, \`test/hostile/\`) that runs as an agent, in a cell and, where V8 contains it, inline. \`vitest run test/escape test/hostile\` runs them all.

After each attack all of this has to hold, besides the end that its program must have:

- a fresh process runs to its value, and an agent that worked beside the attack all the time goes on, neither waiting longer than a bound;
- the kernel met no defect of its own, and its evidence verifies;
- nobody asked a server on the host's loopback, no secret of the kernel reached a server that it is not for, and no file beside the mounts has changed;
- neither the attacker's value, error and output nor the evidence shows a host path, a host stack, a file of the kernel, or one of the secrets that lie in the host's environment, beside a mount, in another agent's memory, in a tool's error and in what a server was sent.`

const inline = attacks.filter((attack) => attack.notInline !== undefined)

const familyText = ({ name, property, attacks }: Family): string =>
  [
    `## ${name.charAt(0).toUpperCase()}${name.slice(1)} (${attacks.length})`,
    property,
    tableOf(['attack', 'what it tries', 'how its process ends'], attacks.map(rowOf)),
  ].join('\n\n')

const rowOf = ({ name, tries, ends }: Attack): readonly string[] => [
  name,
  tries,
  [...new Set(ends.map(endText))].join(' or '),
]

function endText(ending: Ending): string {
  if ('value' in ending) return code(shortened(JSON.stringify(ending.value)))
  return code('killed' in ending ? ending.killed : ending.failed)
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)

export const corpusText = (): string =>
  page(
    '# The corpus of attacks',
    printedFrom('test/escape and test/hostile'),
    intro,
    '## What `inline` isolation does not contain',
    'These run in cells only. Code that may try them does not belong into the application’s own process.',
    tableOf(
      ['attack', 'why'],
      inline.map(({ name, notInline = '' }) => [name, notInline]),
    ),
    ...families.map(familyText),
  )
