/** `gatehouse top`: the process table of a running kernel, drawn again and again, with keys that send signals. */
import { systemClock } from '../clock.ts'
import type { ControlClient } from '../control/client.ts'
import { ControlError } from '../control/protocol.ts'
import type { SignalName } from '../proc/signals.ts'
import type { CommandSpec } from './command.ts'
import { exitCodes, UsageError } from './failure.ts'
import { addDirOption, withKernel } from './find-kernel.ts'
import type { Colors, Screen } from './output.ts'
import { begun, moved, pressesOf, refreshed, screenOf, type TopState } from './top-screen.ts'

/** How often the table is asked for, in ms. */
const refreshMs = 1_000
/** The other screen of the terminal, no cursor, no lines that wrap (xterm's control sequences); then all as it was. */
const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l'
const leave = '\u001b[?7h\u001b[?25h\u001b[?1049l'
const home = '\u001b[H'
const eraseToEndOfLine = '\u001b[K'
const eraseBelow = '\u001b[J'
const sizeUnknown = { columns: 80, rows: 24 }

export const top: CommandSpec = {
  name: 'top',
  summary: 'watch the processes of a running kernel, with keys to stop, continue and kill',
  examples: [
    ['gatehouse top', 'up and down select; s stops, c continues, t terminates, K kills, q quits'],
    ['gatehouse top --dir /srv/app/.gatehouse', 'of a kernel elsewhere'],
  ],
  options: addDirOption,
  async run(out, command) {
    const { screen } = out
    if (screen === undefined || out.json)
      throw new UsageError(
        '`gatehouse top` needs a terminal to draw on; `gatehouse ps` prints the table once',
      )
    await withKernel(command, async (kernel) => {
      // Before the screen is taken: whoever cannot be asked is an error like any other.
      const reply = await kernel.ps(false)
      await onScreen(screen, (quit) => new Top(kernel, screen, out.colors, begun(reply)).run(quit))
    })
    return exitCodes.done
  },
}

/** Takes the terminal, and gives it back whatever happens: an end, a signal, an error that nobody caught. */
async function onScreen(screen: Screen, work: (quit: AbortController) => Promise<void>): Promise<void> {
  const { keys, display } = screen
  const quit = new AbortController()
  const end = (): void => quit.abort()
  let taken = true
  const giveBack = (): void => {
    if (!taken) return
    taken = false
    keys.setRawMode?.(false)
    keys.pause()
    display.write(leave)
  }
  process.once('exit', giveBack)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
  try {
    keys.setRawMode?.(true)
    keys.resume()
    display.write(enter)
    await work(quit)
  } finally {
    giveBack()
    process.off('exit', giveBack)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, end)
  }
}

class Top {
  readonly #kernel: ControlClient
  readonly #screen: Screen
  readonly #colors: Colors
  #state: TopState

  constructor(kernel: ControlClient, screen: Screen, colors: Colors, state: TopState) {
    this.#kernel = kernel
    this.#screen = screen
    this.#colors = colors
    this.#state = state
  }

  /** Until a key or signal quits, or the kernel ends. @throws ControlError where the kernel does not answer any more */
  async run(quit: AbortController): Promise<void> {
    const failed = Promise.withResolvers<never>()
    const onKeys = (typed: Buffer): void => {
      for (const press of pressesOf(typed.toString())) {
        if (press.do === 'quit') quit.abort()
        else if (press.do === 'move') this.#show(moved(this.#state, press.by))
        else void this.#signal(press.signal).catch(failed.reject)
      }
    }
    this.#screen.keys.on('data', onKeys)
    try {
      this.#draw()
      await Promise.race([this.#refresh(quit.signal), failed.promise])
    } finally {
      this.#screen.keys.off('data', onKeys)
    }
  }

  async #refresh(quit: AbortSignal): Promise<void> {
    while (!quit.aborted) {
      await pause(refreshMs, quit)
      if (quit.aborted) return
      const reply = await this.#kernel.ps(false)
      this.#show(refreshed(this.#state, reply))
    }
  }

  async #signal(signal: SignalName): Promise<void> {
    const { selected } = this.#state
    if (selected === undefined)
      return this.#show({ ...this.#state, message: `${signal} is for the selected process: select one` })
    const message = await this.#send(selected, signal)
    const reply = await this.#kernel.ps(false)
    this.#show({ ...refreshed(this.#state, reply), message })
  }

  /** A process that has ended meanwhile is no reason to end. */
  async #send(pid: number, signal: SignalName): Promise<string> {
    try {
      const { name, effect } = await this.#kernel.signal(String(pid), signal)
      return `${signal} to ${name} (pid ${pid}): ${effect}`
    } catch (error) {
      if (error instanceof ControlError && error.code === 'ESRCH') return error.message
      throw error
    }
  }

  #show(state: TopState): void {
    this.#state = state
    this.#draw()
  }

  #draw(): void {
    const { columns = 0, rows = 0 } = this.#screen.display
    const size = { columns: columns || sizeUnknown.columns, rows: rows || sizeUnknown.rows }
    const lines = screenOf(this.#state, size, this.#colors)
    this.#screen.display.write(
      `${home}${lines.join(`${eraseToEndOfLine}\r\n`)}${eraseToEndOfLine}${eraseBelow}`,
    )
  }
}

/** @returns resolves after so many ms, or when it is over */
function pause(ms: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      over.removeEventListener('abort', done)
      resolve()
    }
    const cancel = systemClock.after(ms, done)
    over.addEventListener('abort', done)
  })
}
