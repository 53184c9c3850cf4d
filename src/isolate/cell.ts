/** The main program of a cell: a child process that hosts isolates, holds no secret, and only passes text. */
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { encodeFrame, type Frame, FrameDecoder, type FrameKind } from './frames.ts'
import { attachInCell } from './freezer.ts'
import { giveUp } from './give-up.ts'
import type { Fault, GuestSpec } from './guest.ts'
import { IsolateGuest } from './isolate.ts'
import { readWebTexts } from './web/texts.ts'

const kernelDescriptor = 3
const socket = new Socket({ fd: kernelDescriptor, readable: true, writable: true })
const guests = new Map<number, IsolateGuest>()

/** Frames of one pass of the event loop leave in one write. */
function send(kind: FrameKind, guest: number, number: number, name: string, text: string): void {
  if (socket.writableCorked === 0) {
    socket.cork()
    setImmediate(() => socket.uncork())
  }
  socket.write(encodeFrame({ kind, guest, number, name, text }))
}

function start(number: number, text: string): void {
  const spec: GuestSpec = JSON.parse(text)
  const guest = new IsolateGuest(
    spec,
    {
      call: (call, name, args) => send('call', number, call, name, args),
      turn: (usage) => send('turn', number, 0, '', JSON.stringify(usage)),
      fault: (fault) => {
        send('fault', number, 0, '', JSON.stringify(fault))
        void end(number)
      },
    },
    (message) => catastrophe(number, message),
    attachInCell,
  )
  guests.set(number, guest)
}

/** V8 ran out of memory where it cannot recover: say which guest it was, then end the whole cell. */
function catastrophe(number: number, message: string): void {
  const fault: Fault = {
    code: 'ENOMEM',
    reason: `agent code broke V8 by running out of memory (${message.slice(0, 80)}), and its cell was ended`,
  }
  const frame = encodeFrame({
    ...{ kind: 'fault', guest: number, number: 0, name: '' },
    text: JSON.stringify(fault),
  })
  try {
    // The pipe may be full for a moment.
    for (let tries = 0; !isWritten(frame) && tries < lastWordsMax; tries += 1);
  } finally {
    die()
  }
}

/** How often a cell that ends tries to say why; no sleep is possible any more. */
const lastWordsMax = 1_000

function isWritten(frame: Uint8Array): boolean {
  try {
    return writeSync(kernelDescriptor, frame) > 0
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return false
    throw error
  }
}

/** process.exit waits for isolate threads that may never end. */
function die(): void {
  process.kill(process.pid, 'SIGKILL')
  // The first process of a jail gets no signal of its own.
  process.abort()
}

function obey(frame: Frame): void {
  if (frame.kind === 'start') start(frame.guest, frame.text)
  else if (frame.kind === 'deliver') deliver(frame)
  else if (frame.kind === 'freeze') void freeze(frame)
  else if (frame.kind === 'thaw') void thaw(frame)
  else if (frame.kind === 'ping') send('pong', 0, frame.number, '', '')
  else if (frame.kind === 'end') void end(frame.guest)
}

function deliver({ guest, number: wallMs, name, text }: Frame): void {
  const [time, cpuMs]: [number, number | null] = JSON.parse(name)
  guests.get(guest)?.deliver(time, text, cpuMs === null ? { wallMs } : { wallMs, cpuMs })
}

async function freeze({ guest, number }: Frame): Promise<void> {
  const frozen = await guests.get(guest)?.freeze()
  send('frozen', guest, number, '', JSON.stringify(frozen ?? null))
}

async function thaw({ guest, number }: Frame): Promise<void> {
  await guests.get(guest)?.thaw()
  send('thawed', guest, number, '', '')
}

async function end(number: number): Promise<void> {
  const guest = guests.get(number)
  guests.delete(number)
  await guest?.end()
  send('ended', number, 0, '', '')
}

readWebTexts()
giveUp()
const decoder = new FrameDecoder()
socket.on('data', (chunk: Buffer) => decoder.push(chunk).forEach(obey))
// The kernel closed the pipe or is gone: a cell never outlives it.
socket.on('close', die)
socket.on('error', die)
send('ready', 0, 0, '', '')
