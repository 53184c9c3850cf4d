/** How every command is defined: strict options, examples in its help, `--json` and `--stack`. */
import { Command, type CommanderError, type OutputConfiguration } from 'commander'
import { UsageError } from './failure.ts'
import type { Output } from './output.ts'

export interface CommandSpec {
  readonly name: string
  /** Such as `<file>` or `[dir]`. */
  readonly args?: string
  readonly summary: string
  /** Lines for a person who asks for help: a command, then what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[]
  /** Adds the options. */
  readonly options?: (command: Command) => void
  /** @returns the exit code */
  readonly run: (out: Output, command: Command) => number | Promise<number>
}

/** Commands under one word, such as `policy`. */
export interface GroupSpec {
  readonly name: string
  readonly summary: string
  readonly commands: readonly CommandSpec[]
}

export interface CommonOptions {
  readonly json?: true
  readonly stack?: true
}

/** Asked-for help was shown; nothing went wrong. */
export class HelpShown extends Error {}

/**
 * @param specs every command
 * @param version what `--version` prints
 * @param write where help goes
 * @param start runs the command that was named
 */
export function makeProgram(
  specs: readonly (CommandSpec | GroupSpec)[],
  version: string,
  write: OutputConfiguration,
  start: (spec: CommandSpec, command: Command) => Promise<void>,
): Command {
  const program = strict(new Command('gatehouse'))
    .description('An operating-system kernel for AI agents: what an agent wants passes one gate.')
    .version(version)
    // Errors are shown once, by main; help that nobody asked for is none.
    .configureOutput({ ...write, outputError: () => {}, writeErr: () => {} })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage or a bad policy; `gatehouse run` has more.',
    )
  for (const spec of specs) {
    if (!('commands' in spec)) {
      add(program, spec, start)
      continue
    }
    const group = strict(program.command(spec.name)).description(spec.summary)
    for (const each of spec.commands) add(group, each, start)
  }
  return program
}

function add(
  parent: Command,
  spec: CommandSpec,
  start: (spec: CommandSpec, command: Command) => Promise<void>,
): void {
  const command = strict(parent.command(spec.name)).description(spec.summary)
  if (spec.args !== undefined) command.arguments(spec.args)
  spec.options?.(command)
  command
    .option('--json', 'print one JSON document instead of text')
    .option('--stack', 'show where an error comes from (or set GATEHOUSE_STACK=1)')
    .addHelpText(
      'after',
      `\nExamples:\n${spec.examples.map(([line, does]) => `  $ ${line}\n      ${does}`).join('\n')}`,
    )
    .action(() => start(spec, command))
}

const strict = (command: Command): Command =>
  command.allowExcessArguments(false).exitOverride((error) => {
    throw asFailure(error, command)
  })

/** What commander found, as a sentence that ends with where to look. */
function asFailure(error: CommanderError, command: Command): Error {
  const path = pathOf(command)
  if (error.exitCode === 0) return new HelpShown()
  if (error.code === 'commander.help') {
    const names = command.commands.map((each) => each.name()).join(', ')
    return new UsageError(`\`${path}\` needs to know what to do: ${names}; see \`${path} --help\``)
  }
  const found = error.message
    .replace(/^error: /, '')
    .replace(' is invalid. ', ' is not sound: ')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
  return new UsageError(`${found}; see \`${path} --help\``)
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
