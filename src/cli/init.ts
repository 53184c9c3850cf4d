/** `gatehouse init`: writes a policy, a first agent and types into a folder; what is there already stays as it is. */
import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeFolders } from '../evidence/files/folder.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes, UsageError } from './failure.ts'
import { initFiles } from './init-files.ts'
import { visibleLine } from './terminal.ts'

export const init: CommandSpec = {
  name: 'init',
  args: '[dir]',
  summary: 'write a policy, a first agent and types for it into DIR (default: here)',
  examples: [
    ['gatehouse init', 'into this folder'],
    ['gatehouse init my-agent', 'into a new one'],
  ],
  run(out, command) {
    const dir = command.args[0] ?? '.'
    const written: string[] = []
    const kept: string[] = []
    inFolder(dir, () => {
      if (!existsSync(dir)) makeFolders(resolve(dir), 0o755)
      for (const [name, text] of Object.entries(initFiles)) {
        const list = create(join(dir, name), text) ? written : kept
        list.push(name)
      }
    })
    const next = `${dir === '.' ? '' : `cd ${quoted(dir)} && `}gatehouse run agent.ts --policy policy.yaml`
    for (const name of written) out.say(`${out.colors.green('wrote')} ${visibleLine(join(dir, name))}`)
    for (const name of kept)
      out.say(`${out.colors.yellow('kept')} ${visibleLine(join(dir, name))}, which exists already`)
    out.say(`\nNext: ${out.colors.bold(visibleLine(next))}`)
    out.give({ dir, written, kept, next })
    return exitCodes.done
  },
}

/** @returns whether it was made; a file or link that is there is never written to */
function create(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function inFolder(dir: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined) throw error
    const why =
      code === 'EEXIST' || code === 'ENOTDIR'
        ? 'a part of the path is a file, not a folder'
        : `the system says ${code}`
    throw new UsageError(`cannot write into \`${dir}\`: ${why}; name another folder`)
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** For a shell to read back. */
const quoted = (word: string): string =>
  /^[\w./@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
