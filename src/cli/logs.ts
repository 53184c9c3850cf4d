/** `gatehouse logs`: what a process of a running kernel has printed, and what it prints. */
import type { ControlClient } from '../control/client.ts'
import type { LogLine } from '../control/protocol.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes } from './failure.ts'
import { addDirOption, withKernel } from './find-kernel.ts'
import type { Output } from './output.ts'
import { visibleLine } from './terminal.ts'

interface Options {
  readonly follow?: true
  readonly calls?: true
}

export const logs: CommandSpec = {
  name: 'logs',
  args: '<target>',
  summary: 'show what a process printed lately, by pid or name',
  examples: [
    ['gatehouse logs -f researcher', 'and what it prints from now on, until it ends'],
    ['gatehouse logs --calls 3', 'with its calls, signals and states'],
    ['gatehouse logs -f --json 3', 'one JSON document a line, for a program'],
  ],
  options(command) {
    addDirOption(command)
    command
      .option('-f, --follow', 'go on until the process ends, or Ctrl-C')
      .option('--calls', 'its calls, signals and states too')
  },
  async run(out, command) {
    const { follow = false, calls = false } = command.opts<Options>()
    const [target = ''] = command.args
    return withKernel(command, (kernel) => show(out, kernel, target, { follow, calls }))
  },
}

async function show(
  out: Output,
  kernel: ControlClient,
  target: string,
  how: { readonly follow: boolean; readonly calls: boolean },
): Promise<number> {
  const stop = new AbortController()
  const interrupt = (): void => stop.abort()
  process.once('SIGINT', interrupt)
  const printer = new Printer(out)
  const kept: LogLine[] = []
  try {
    for await (const line of kernel.logs(target, how, stop.signal)) {
      if (how.follow) out.giveLine(line)
      else kept.push(line)
      printer.print(line, how.follow)
    }
  } finally {
    printer.endLine()
    process.off('SIGINT', interrupt)
  }
  if (!how.follow) out.give({ lines: kept })
  return exitCodes.done
}

/** In JSON mode the lines are the result; for people they are what the agent printed, where it printed it. */
class Printer {
  readonly #out: Output
  #who = ''
  /** Where the last output stopped within a line. */
  #open: 'stdout' | 'stderr' | undefined

  constructor(out: Output) {
    this.#out = out
  }

  print(line: LogLine, follow: boolean): void {
    if (this.#out.json) return
    if (line.kind === 'process') this.#who = `${line.name} (pid ${line.pid})`
    else if (line.kind === 'output') this.#output(line.stream, line.text)
    else if (line.kind === 'end') {
      if (!follow) return
      this.endLine()
      this.#out.note(`gatehouse: ${this.#who} has ${line.state === 'killed' ? 'been killed' : line.state}`)
    } else {
      this.endLine()
      this.#out.say(this.#out.colors.dim(visibleLine(happened(line))))
    }
  }

  /** What comes next begins a line of its own. */
  endLine(): void {
    if (this.#open !== undefined) this.#out.agent(this.#open, '\n')
    this.#open = undefined
  }

  #output(stream: 'stdout' | 'stderr', text: string): void {
    this.#out.agent(stream, text)
    this.#open = text.endsWith('\n') ? undefined : stream
  }
}

function happened(line: Exclude<LogLine, { kind: 'process' | 'end' | 'output' }>): string {
  const time = new Date(line.time).toISOString().slice(11, 23)
  if (line.kind === 'signal') return `-- ${time} ${line.signal} ${line.by}`
  if (line.kind === 'state') return `-- ${time} ${line.from} → ${line.to}`
  if (line.kind === 'approval') {
    const { syscall, resource, id, status, by, reason } = line
    const who = by === undefined ? '' : `by ${by}`
    return ['--', time, syscall, resource, `approval ${id} ${status}`, who, reason].filter(Boolean).join(' ')
  }
  const { syscall, resource, status, code, reason } = line
  return ['--', time, syscall, resource, status, code, reason].filter(Boolean).join(' ')
}
