/** Every file that is printed from the tables of the code, by its path in the repository. */
import { policySchemaText } from '../../src/policy/schema.ts'
import { corpusText } from './corpus.ts'
import { entriesText } from './entries.ts'
import { errorsText } from './errors.ts'
import { guestText } from './guest.ts'
import { limitsText } from './limits.ts'
import { signalsText } from './signals.ts'
import { syscallsText } from './syscalls.ts'

export const printedFiles: Readonly<Record<string, () => string>> = {
  'docs/corpus.md': corpusText,
  'docs/entries.md': entriesText,
  'docs/errors.md': errorsText,
  'docs/limits.md': limitsText,
  'docs/signals.md': signalsText,
  'docs/syscalls.md': syscallsText,
  'policies/schema.json': policySchemaText,
  'src/guest.ts': guestText,
}
