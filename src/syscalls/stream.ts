/** Calls on open streams, and on calls that are under way. Not judged: what opened a stream was, and that has to hold still. */
import { z } from 'zod'
import type { Piece } from '../drivers/streams/source.ts'
import { SyscallError } from '../errors.ts'
import type { Json } from '../json.ts'
import { withoutLabels } from '../labels.ts'
import { limits } from '../limits.ts'
import { type Judged, syscall } from './row.ts'

const json: z.ZodType<Json, Json> = z.custom<Json>().meta({ description: 'any JSON' })
const stream = z.int().positive().meta({ description: 'the number of an open stream of this process' })

const writing = z.strictObject({
  stream,
  text: z.string().optional().meta({ description: 'bytes, as text (UTF-8)' }),
  base64: z.base64().optional().meta({ description: 'bytes, in place of text' }),
  value: json.optional().meta({ description: 'any JSON, for a stream of values' }),
})

/** @throws SyscallError EINVAL for nothing or for several at once, EMSGSIZE for what is too large */
function pieceOf({ text, base64, value }: z.infer<typeof writing>): Piece {
  const given = [text, base64, value].filter((each) => each !== undefined)
  if (given.length !== 1) throw new SyscallError('EINVAL', 'give one of `text`, `base64` and `value`')
  const piece =
    value === undefined
      ? { bytes: text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text, 'utf8') }
      : { value }
  const size = 'bytes' in piece ? piece.bytes.length : JSON.stringify(piece.value).length
  if (size > limits.streamWriteMax)
    throw new SyscallError(
      'EMSGSIZE',
      `a piece of ${size}, at most ${limits.streamWriteMax} bytes or characters fit`,
    )
  if (size === 0) throw new SyscallError('EINVAL', 'there is nothing to write; leave it out')
  return piece
}

/** A pipe is asked about with what is written, as a message is. */
const withSize = (question: Judged, { value }: z.infer<typeof writing>): Judged =>
  question.action === 'ipc.pipe'
    ? { ...question, args: { ...question.args, bytes: JSON.stringify(value ?? null).length } }
    : question

export const streamCalls = {
  'stream.open': syscall({
    summary:
      'Opens a stream for the body of a request: given to `net.fetch` as `bodyStream`, then written, then closed.',
    args: z.strictObject({}),
    returns: '{ readonly stream: number }',
    cost: 1,
    invoke: (_args, call, { streams }) => ({ stream: streams.openBody(call.grant, call) }),
  }),
  'stream.read': syscall({
    summary:
      'Takes the next piece from an open stream, and waits where there is none; one read of a stream at a time. At its end the reply is `done`, and the stream is closed.',
    args: z.strictObject({
      stream,
      bytes: z
        .int()
        .positive()
        .max(limits.streamReadBytesMax)
        .optional()
        .meta({ description: 'how many bytes it gives at most' }),
    }),
    returns:
      '{ readonly done: true } | { readonly done: false; readonly text: string } | { readonly done: false; readonly base64: string } | { readonly done: false; readonly value: unknown }',
    cost: 1,
    stream: ({ stream: number }, { streams }, process) => streams.find(process, number),
    uses: 'read',
    invoke: (
      { stream: number, bytes = limits.streamReadBytesMax },
      { grant, process, carries },
      { streams },
    ) => streams.read(grant, process, number, bytes, carries),
  }),
  'stream.write': syscall({
    summary:
      'Gives a piece to an open stream, and waits until there is room for it; one write to a stream at a time.',
    args: writing,
    returns: 'null',
    cost: 1,
    stream: ({ stream: number }, { streams }, process) => streams.find(process, number),
    uses: 'write',
    asksAgain: (args, asked) => asked.map((question) => withSize(question, args)),
    check: (args, { streams }, process) => streams.find(process, args.stream).assertTakes(pieceOf(args)),
    external: (args, { streams }, process) => streams.isExternal(process, args.stream),
    invoke: (args, { grant, process, carries }, { streams }) => {
      const { stream: number, value } = args
      const released =
        value === undefined ? process.releases.useText(args.text ?? '') : process.releases.use(value)
      const labels = withoutLabels(process.labels, released)
      return streams.write(grant, process, number, { piece: pieceOf(args), labels }, carries)
    },
  }),
  'stream.close': syscall({
    summary:
      'Closes an open stream, and ends what feeds it. Whoever reads what was written gets that, and then the end.',
    args: z.strictObject({ stream }),
    returns: 'null',
    cost: 1,
    invoke: ({ stream: number }, { grant, process }, { streams }) => streams.close(grant, process, number),
  }),
} as const
