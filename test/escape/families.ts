/** Attacks that try to reach what is not theirs. */
import type { Family } from '../support/attack.ts'
import { authority } from './authority.ts'
import { bootstrap } from './bootstrap.ts'
import { constructors } from './constructors.ts'
import { decoder } from './decoder.ts'
import { evaluation } from './evaluation.ts'
import { files } from './files.ts'
import { forgery } from './forgery.ts'
import { modern } from './modern.ts'
import { network } from './network.ts'
import { secrets } from './secrets.ts'
import { stackTraces } from './stack-traces.ts'
import { thenables } from './thenables.ts'

export const families: readonly Family[] = [
  constructors,
  stackTraces,
  evaluation,
  thenables,
  bootstrap,
  forgery,
  decoder,
  files,
  network,
  authority,
  modern,
  secrets,
]
