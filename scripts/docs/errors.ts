/** Prints docs/errors.md. */
import { errnos } from '../../src/errors.ts'
import { code, page, printedFrom, tableOf } from './markdown.ts'

const intro = `A call that is refused or that fails rejects with an error whose \`name\` is \`SyscallError\` and whose \`code\` is one of these names. Its message says what was tried, on what, why not, by which rule where a policy refused, and what would help:

\`\`\`text
EPERM: fs.write \`/workspace/notes.md\`: no rule permits it
\`\`\`

The message never holds a path of the host or a stack of the kernel. In the application the same names are the \`code\` of a \`KernelError\`. The numbers are those of Linux (errno(3)).

A refusal touches nothing: signal, table, arguments, policy and budget are checked before anything happens. A failure comes from the device, after the call is on record; where nobody can tell whether it happened, the outcome on record is \`unknown\`.`

export const errorsText = (): string =>
  page(
    '# Errors',
    printedFrom('src/errors.ts'),
    intro,
    tableOf(
      ['code', 'number', 'meaning', 'what would help'],
      Object.entries(errnos).map(([name, { number, summary, help }]) => [
        code(name),
        String(number),
        summary,
        help,
      ]),
    ),
  )
