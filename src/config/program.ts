/** Programs of agents: read from the host and bundled into one ES module, or given as text. */

import { statSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import { KernelError } from '../errors.ts'
import { limits } from '../limits.ts'
import { BundleCache } from './bundle-cache.ts'

export interface ProgramText {
  /** An ES module whose only imports are `gatehouse/guest`. */
  readonly text: string
  /** How stack traces name it; never a path of the host. */
  readonly filename: string
  /** Leads from the bundle back to the author's files: a source map (ECMA-426) as JSON, where it is one. */
  readonly map?: string | undefined
}

const bundles = new BundleCache()

/**
 * Bundles an agent's file, with what it imports of its own folder and from npm: TypeScript, JavaScript, JSON. What was
 * bundled before is taken as it is while nothing has changed of what it was made of.
 * @param file a path on the host; relative ones start at the working directory
 * @throws KernelError ENOENT where there is no such file, EINVAL with file and line of what cannot be bundled, E2BIG, ETIMEDOUT
 */
export async function bundleProgram(file: string): Promise<ProgramText> {
  const path = resolve(file)
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new KernelError(
      'ENOENT',
      `no program at \`${file}\`; a relative path starts at the working directory`,
    )
  }
  const { text, map } = await bundles.get(path)
  return sized({ text, filename: `${basename(file, extname(file))}.js`, map })
}

/**
 * @param text an ES module in JavaScript
 * @throws KernelError E2BIG
 */
export const textProgram = (text: string): ProgramText => sized({ text, filename: 'program.js' })

function sized(program: ProgramText): ProgramText {
  if (program.text.length > limits.programBytesMax) {
    throw new KernelError(
      'E2BIG',
      `the program has ${program.text.length} characters, at most ${limits.programBytesMax} fit`,
    )
  }
  return program
}
