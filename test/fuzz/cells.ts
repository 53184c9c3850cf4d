/** Cells in memory that stand for child processes: an honest one, and one that lies. */
import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { type Duplex, duplexPair } from 'node:stream'
import { encodeFrame, type Frame, FrameDecoder } from '../../src/isolate/frames.ts'
import { type Launched, protectionsOf } from '../../src/isolate/launch.ts'

/** What a cell does with what the kernel sends; `send` puts bytes on the pipe. */
export interface Conduct {
  started(guest: number, cell: MemoryCell): void
  delivered(guest: number, batch: string, cell: MemoryCell): void
}

export class MemoryCell extends EventEmitter {
  readonly stdio: readonly [null, null, null, Duplex]
  readonly #own: Duplex
  readonly #conductOf: (program: string) => Conduct
  readonly #guests = new Map<number, Conduct>()
  killed = false

  /** @param conductOf how a guest of a program behaves */
  constructor(conductOf: (program: string) => Conduct) {
    super()
    this.#conductOf = conductOf
    const [kernels, own] = duplexPair()
    this.stdio = [null, null, null, kernels]
    this.#own = own
    const decoder = new FrameDecoder()
    own.on('data', (chunk: Buffer) => {
      for (const frame of decoder.push(chunk)) this.#obey(frame)
    })
    own.on('error', () => {})
    this.send(encodeFrame({ kind: 'ready', guest: 0, number: 0, name: '', text: '' }))
  }

  get asLaunched(): Launched {
    return {
      child: this as unknown as ChildProcess,
      pid: () => undefined,
      protections: protectionsOf('none'),
    }
  }

  send(bytes: Buffer): void {
    if (!this.killed) this.#own.write(bytes)
  }

  frame(kind: Frame['kind'], guest: number, text = '', number = 0, name = ''): void {
    this.send(encodeFrame({ kind, guest, number, name, text }))
  }

  /** As the operating system does it: the end comes a little later than the signal. */
  kill(): boolean {
    if (this.killed) return true
    this.killed = true
    setImmediate(() => {
      this.#own.destroy()
      this.emit('exit', null, 'SIGKILL')
    })
    return true
  }

  ref(): void {}
  unref(): void {}

  #obey({ kind, guest, number, text }: Frame): void {
    if (this.killed) return
    if (kind === 'start') {
      const conduct = this.#conductOf(JSON.parse(text).program)
      this.#guests.set(guest, conduct)
      conduct.started(guest, this)
    } else if (kind === 'deliver') this.#guests.get(guest)?.delivered(guest, text, this)
    else if (kind === 'freeze')
      this.frame('frozen', guest, JSON.stringify({ how: 'idle', stack: [], depth: 0 }), number)
    else if (kind === 'thaw') this.frame('thawed', guest, '', number)
    else if (kind === 'ping') this.frame('pong', 0, '', number)
    else if (kind === 'end' && this.#guests.delete(guest)) this.frame('ended', guest)
  }
}
