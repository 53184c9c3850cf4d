/** All that the command writes: text for people or one JSON document for programs, never both on one stream. */
import pc from 'picocolors'
import { limits } from '../limits.ts'
import { shortened, visible, visibleJson, visibleLine } from './terminal.ts'

/** A stream as the command needs it; `process.stdout` is one. */
export interface OutputStream {
  write(text: string): boolean
  readonly isTTY?: boolean
  /** What waits to be written. */
  readonly writableLength?: number
  readonly columns?: number
  readonly rows?: number
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
  once?(event: 'drain', listener: () => void): unknown
}

/** The keys of a terminal; `process.stdin` is one. */
export interface KeyStream {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
  on(event: 'data', listener: (keys: Buffer) => void): unknown
  off(event: 'data', listener: (keys: Buffer) => void): unknown
  resume(): unknown
  pause(): unknown
}

/** A terminal that can be drawn on, with its keys. */
export interface Screen {
  readonly keys: KeyStream
  readonly display: OutputStream
}

/** Where a command runs. */
export interface Io {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly stdin?: KeyStream
  /** Ends the process with the exit code that it has; absent where the command runs within another program. */
  readonly exit?: () => unknown
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface OutputOptions {
  /** Whether stdout carries one JSON document and nothing else. */
  readonly json: boolean
  readonly stack: boolean
}

export type Colors = ReturnType<typeof pc.createColors>

const eraseLine = '\r\u001b[K'
/** Where a terminal does not say how wide it is, or says 0. */
const columnsUnknown = 80

/** How long a command that is over may take to end by itself. */
const leaveMs = 500

export class Output {
  readonly json: boolean
  /** Whether stacks were asked for. */
  readonly withStack: boolean
  /** For what goes to stdout. */
  readonly colors: Colors
  /** Whether stderr is a terminal, on which a line can be drawn again. */
  readonly isLive: boolean
  readonly #io: Io
  #live = ''
  #atLineStart = true
  #held: Held | undefined

  constructor(io: Io, { json, stack }: OutputOptions) {
    this.json = json
    this.withStack = stack || io.env.GATEHOUSE_STACK === '1'
    this.isLive = isCapable(io.stderr, io.env)
    this.colors = pc.createColors(isCapable(io.stdout, io.env) && !io.env.NO_COLOR)
    this.#io = io
  }

  /**
   * A guest of this process that V8 cannot stop keeps it from ending by itself: a moment after all is written it ends with
   * the code that it has.
   */
  leave(): void {
    const { stdout, exit } = this.#io
    if (exit === undefined) return
    const timer = setInterval(() => (stdout.writableLength ?? 0) === 0 && exit(), leaveMs)
    timer.unref()
  }

  /** A line for a person, on stdout; nothing in JSON mode. Only `colors` may put escapes into it: see `visible`. */
  say(line: string): void {
    if (!this.json) this.#write('stdout', `${line}\n`)
  }

  /** A line beside the result, on stderr. */
  note(line: string): void {
    this.#write('stderr', `${visible(line)}\n`)
  }

  /** What went wrong, and where it comes from if that was asked for. */
  fail(message: string, stack: string | undefined): void {
    this.note(`gatehouse: ${message}`)
    if (this.withStack && stack) this.note(stack)
  }

  /** The result as data, once, on stdout; nothing in text mode. */
  give(document: object): void {
    if (this.json) this.#write('stdout', `${visibleJson(JSON.stringify(document, null, 2))}\n`)
  }

  /** One of many results as data, on a line of its own; nothing in text mode. */
  giveLine(document: object): void {
    if (this.json) this.#write('stdout', jsonLine(document))
  }

  /**
   * Writes a result of any length to stdout, in either mode, as it comes; it ends early where nobody reads any more.
   * @param texts fit for a terminal, with their newlines; an empty one says that what was found so far is to be written
   */
  async pour(texts: Iterable<string>): Promise<void> {
    const { stdout } = this.#io
    let gone = false
    let wake = (): void => {}
    const leave = (): void => {
      gone = true
      wake()
    }
    const write = async (text: string): Promise<void> => {
      if (text === '') return
      const isTaken = stdout.write(text)
      await new Promise<void>((resolve) => {
        wake = resolve
        // A write that failed is told in a later turn of the event loop.
        if (isTaken || stdout.once === undefined) setImmediate(resolve)
        else stdout.once('drain', resolve)
      })
    }
    stdout.on?.('error', leave)
    try {
      let waiting = ''
      for (const text of texts) {
        waiting += text
        if (text !== '' && waiting.length < limits.evidenceReadBytes) continue
        await write(waiting)
        waiting = ''
        if (gone) return
      }
      await write(waiting)
    } finally {
      stdout.off?.('error', leave)
    }
  }

  /** The terminal, where there is one to draw on and to read keys from. */
  get screen(): Screen | undefined {
    const { stdin: keys, stdout: display, env } = this.#io
    return keys?.isTTY === true && isCapable(display, env) ? { keys, display } : undefined
  }

  /** What an agent printed; in JSON mode all of it goes to stderr. */
  agent(stream: 'stdout' | 'stderr', text: string): void {
    const to = this.json ? 'stderr' : stream
    const held = this.#io[to].isTTY === true ? this.#held : undefined
    if (held === undefined) return this.#write(to, visible(text))
    if (held.length + text.length > limits.outputHeldMax) held.more += text.length
    else {
      held.texts.push({ to, text: visible(text) })
      held.length += text.length
    }
  }

  /** The keys, where a person can be asked on stderr in the middle of a run. */
  get person(): KeyStream | undefined {
    return this.isLive && this.#io.stdin?.isTTY === true ? this.#io.stdin : undefined
  }

  /** A question on stderr, whose answer is typed behind it. */
  question(text: string): void {
    this.#write('stderr', text)
  }

  /**
   * Keeps back what agents print on a terminal, so that nothing of theirs stands beside what a person is asked.
   * @returns shows it; what was too much is left out, and that is said
   */
  holdAgents(): () => void {
    const held: Held = { texts: [], length: 0, more: 0 }
    this.live('')
    this.#held = held
    return () => {
      if (this.#held !== held) return
      this.#held = undefined
      for (const { to, text } of held.texts) this.#write(to, text)
      if (held.more > 0) this.note(`${held.more} characters of output are left out here; they are on record`)
    }
  }

  /** Draws a line that the next one replaces; an empty one takes it away. Nothing where stderr is no terminal. */
  live(line: string): void {
    if (!this.isLive || !this.#atLineStart || this.#held !== undefined) return
    const shown = shortened(visibleLine(line), (this.#io.stderr.columns || columnsUnknown) - 1)
    if (shown === this.#live) return
    this.#live = shown
    this.#io.stderr.write(`${eraseLine}${shown}`)
  }

  #write(to: 'stdout' | 'stderr', text: string): void {
    const live = this.#live
    this.live('')
    this.#io[to].write(text)
    // A pipe does not move the terminal's cursor.
    if (text !== '' && this.#io[to].isTTY === true) this.#atLineStart = text.endsWith('\n')
    if (live !== '') this.live(live)
  }
}

/** @returns a document as one line that steers no terminal */
export const jsonLine = (document: object): string => `${visibleJson(JSON.stringify(document))}\n`

/** What agents printed while a person was asked. */
interface Held {
  readonly texts: { readonly to: 'stdout' | 'stderr'; readonly text: string }[]
  /** In UTF-16 units. */
  length: number
  more: number
}

const isCapable = ({ isTTY }: OutputStream, { TERM }: Io['env']): boolean => isTTY === true && TERM !== 'dumb'
